/** Whose contacts, certification or terms lapsed so long ago that the policy of their authority acts. */
import { sql } from 'drizzle-orm';
import type { Db } from '../../../storage/connect.ts';
import { at, days } from './attested.ts';

export interface LapsedMember {
  kind: 'organisation' | 'entity';
  id: string;
  version: number;
  /** What lapsed; everybody may read it. */
  reason: string;
}

/** Those that are active, under authorities that suspend for it; at most `limit` of each kind. */
export async function lapsedMembers(db: Db, now: Date, limit: number): Promise<LapsedMember[]> {
  // A finding that has stood for the time of grace.
  const isOverdue = sql`finding.since + ${days(sql`authorities.lapse_grace_days`)} <= ${at(now)}`;
  const { rows } = await db.execute<LapsedMember & Record<string, unknown>>(sql`
    (SELECT 'organisation' AS kind, organisations.id, organisations.version,
      'its contacts were not confirmed in time' AS reason
    FROM organisations JOIN authorities ON authorities.id = organisations.authority_id
    WHERE organisations.state = 'active' AND authorities.on_lapse = 'suspend' AND EXISTS (
      SELECT 1 FROM contacts
        LEFT JOIN directory_findings AS finding ON finding.subject_id = contacts.id AND finding.kind = 'contact_stale'
      WHERE contacts.organisation_id = organisations.id AND contacts.removed_at IS NULL
        AND (authorities.required_contact_types = '[]'::jsonb
          OR authorities.required_contact_types @> to_jsonb(contacts.type))
      GROUP BY CASE WHEN authorities.required_contact_types = '[]'::jsonb THEN '' ELSE contacts.type END
      HAVING bool_and(coalesce(${isOverdue}, false)))
    ORDER BY organisations.id LIMIT ${limit})
    UNION ALL
    (SELECT 'organisation', organisations.id, organisations.version, 'the present terms were not accepted in time'
    FROM directory_findings AS finding
      JOIN organisations ON organisations.id = finding.subject_id
      JOIN authorities ON authorities.id = organisations.authority_id
    WHERE finding.kind = 'terms_lapsed' AND organisations.state = 'active' AND authorities.on_lapse = 'suspend'
      AND ${isOverdue}
    ORDER BY organisations.id LIMIT ${limit})
    UNION ALL
    (SELECT DISTINCT 'entity', entities.id, entities.version, 'the certification of an API that it runs has ended'
    FROM directory_findings AS finding
      JOIN api_resources ON api_resources.id = finding.subject_id
      JOIN authorization_servers ON authorization_servers.id = api_resources.authorization_server_id
      JOIN entities ON entities.id = authorization_servers.entity_id
      JOIN authorities ON authorities.id = entities.authority_id
    WHERE finding.kind = 'certification_lapsed' AND entities.state = 'active' AND authorities.on_lapse = 'suspend'
      AND ${isOverdue}
    ORDER BY entities.id LIMIT ${limit})`);
  return rows.map(({ kind, id, version, reason }) => ({ kind, id, version, reason }));
}
