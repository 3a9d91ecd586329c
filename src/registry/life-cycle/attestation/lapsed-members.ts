/** Whose contacts, certification or terms lapsed so long ago that the policy of their authority acts. */
import { type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../../storage/connect.ts';
import { RegistryError } from '../../registry-error.ts';
import { at, days } from './attested.ts';

export interface LapsedMember {
  kind: 'organisation' | 'entity';
  id: string;
  /** What lapsed; everybody may read it. */
  reason: string;
}

/** Those that are active, under authorities that suspend for it; at most `limit` of each kind. */
export async function lapsedMembers(db: Db, now: Date, limit: number): Promise<LapsedMember[]> {
  return await findLapsed(db, now, limit);
}

/**
 * Whoever suspends it holds the record: so what was confirmed, accepted or certified up to then is not overlooked.
 * @throws RegistryError evidence_changed
 */
export async function requireLapsed(tx: Tx, { id }: LapsedMember, now: Date): Promise<void> {
  if ((await findLapsed(tx, now, 1, id)).length > 0) return;
  throw new RegistryError('evidence_changed', 'what had lapsed is attested again');
}

/** @param id of the only one looked at, in whatever state it is */
async function findLapsed(db: Db | Tx, now: Date, limit: number, id?: string): Promise<LapsedMember[]> {
  const isCandidate = (table: SQL) => (id === undefined ? sql`${table}.state = 'active'` : sql`${table}.id = ${id}`);
  // A finding that has stood for the time of grace.
  const isOverdue = sql`finding.since + ${days(sql`authorities.lapse_grace_days`)} <= ${at(now)}`;
  const { rows } = await db.execute<LapsedMember & Record<string, unknown>>(sql`
    (SELECT 'organisation' AS kind, organisations.id,
      'its contacts were not confirmed in time' AS reason
    FROM organisations JOIN authorities ON authorities.id = organisations.authority_id
    WHERE ${isCandidate(sql`organisations`)} AND authorities.on_lapse = 'suspend' AND EXISTS (
      SELECT 1 FROM contacts
        LEFT JOIN directory_findings AS finding ON finding.subject_id = contacts.id AND finding.kind = 'contact_stale'
      WHERE contacts.organisation_id = organisations.id AND contacts.removed_at IS NULL
        AND (authorities.required_contact_types = '[]'::jsonb
          OR authorities.required_contact_types @> to_jsonb(contacts.type))
      GROUP BY CASE WHEN authorities.required_contact_types = '[]'::jsonb THEN '' ELSE contacts.type END
      HAVING bool_and(coalesce(${isOverdue}, false)))
    ORDER BY organisations.id LIMIT ${limit})
    UNION ALL
    (SELECT 'organisation', organisations.id, 'the present terms were not accepted in time'
    FROM directory_findings AS finding
      JOIN organisations ON organisations.id = finding.subject_id
      JOIN authorities ON authorities.id = organisations.authority_id
    WHERE finding.kind = 'terms_lapsed' AND ${isCandidate(sql`organisations`)} AND authorities.on_lapse = 'suspend'
      AND ${isOverdue}
    ORDER BY organisations.id LIMIT ${limit})
    UNION ALL
    (SELECT DISTINCT 'entity', entities.id, 'the certification of an API that it runs has ended'
    FROM directory_findings AS finding
      JOIN api_resources ON api_resources.id = finding.subject_id
      JOIN authorization_servers ON authorization_servers.id = api_resources.authorization_server_id
      JOIN entities ON entities.id = authorization_servers.entity_id
      JOIN authorities ON authorities.id = entities.authority_id
    WHERE finding.kind = 'certification_lapsed' AND ${isCandidate(sql`entities`)} AND authorities.on_lapse = 'suspend'
      AND ${isOverdue}
    ORDER BY entities.id LIMIT ${limit})`);
  return rows.map(({ kind, id, reason }) => ({ kind, id, reason }));
}
