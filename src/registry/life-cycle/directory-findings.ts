/** What the upkeep finds in the directory: rules, a query each, kept as findings from when they are seen until cured. */
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { directoryFindings } from '../../storage/schema/directory-findings.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, type SubjectKind } from '../change.ts';
import { isOpen } from '../credentials/credential-standing.ts';
import type { Action } from '../events/event-types.ts';
import {
  API_NAME,
  at,
  CONTACT_OCCASION,
  certifiedApis,
  days,
  dueContacts,
  OUTDATED_TERMS,
  TERMS_REMINDER,
  TERMS_VERSION,
} from './attestation/attested.ts';

export const DIRECTORY_FINDING_KINDS = [
  /** A contact that was not confirmed although the mail relay took a reminder of that. */
  'contact_stale',
  /** A contact whose reminders do not leave: nothing follows from its silence. */
  'reminder_unsent',
  /** An API whose certification has ended. */
  'certification_lapsed',
  /** An organisation that did not accept the terms that count now. */
  'terms_lapsed',
  /** An active organisation without a contact that it must have, or without any. */
  'contact_missing',
  /** An entity that is active although its organisation is closed for good. */
  'owner_closed',
  /** An active entity nobody of whose organisation can be reached: no contact on record that is not stale. */
  'owner_unreachable',
  /** An entity whose delegation does not stand: the organisation that it acts for is not active. */
  'principal_inactive',
  /** A credential that may count although its entity is closed for good. */
  'credential_orphaned',
  /** A suspension whose end has come, and that cannot end. */
  'reinstatement_blocked',
] as const;

export type DirectoryFindingKind = (typeof DIRECTORY_FINDING_KINDS)[number];

interface Rule {
  kind: DirectoryFindingKind;
  subjectKind: SubjectKind;
  /** Columns: authority_id, organisation_id, subject_id, subject_name, detail. */
  query: (now: Date) => SQL;
  /** As what it stands in the audit that it was raised: because something follows from it. */
  recordedAs?: Action;
}

const CLOSED = sql`('rejected', 'withdrawn', 'revoked')`;

/** Of a reminder to a contact. */
const UNSENT_COLUMNS = sql`organisations.authority_id, organisations.id AS organisation_id, contacts.id AS subject_id,
  contacts.email AS subject_name, outgoing_mails.created_at, outgoing_mails.sent_at, outgoing_mails.failed_at`;

/** One after the other: a later one may go by what an earlier one found. */
const RULES: readonly Rule[] = [
  {
    kind: 'contact_stale',
    subjectKind: 'contact',
    recordedAs: 'contact.stale',
    query: (now) => sql`
      SELECT organisations.authority_id, organisations.id AS organisation_id, contacts.id AS subject_id,
        contacts.email AS subject_name,
        'the ' || contacts.type || ' contact was reminded and not confirmed since '
          || to_char(${sql`coalesce(contacts.last_confirmed_at, contacts.created_at)`} AT TIME ZONE 'UTC', 'YYYY-MM-DD')
          || ': reach and confirm it, or replace it' AS detail
      FROM outgoing_mails, ${dueContacts(now)}
        AND outgoing_mails.occasion = ${CONTACT_OCCASION}
        AND outgoing_mails.sent_at + ${days(sql`authorities.lapse_grace_days`)} <= ${at(now)}`,
  },
  {
    kind: 'reminder_unsent',
    subjectKind: 'contact',
    query: (now) => sql`
      SELECT DISTINCT ON (subject_id) authority_id, organisation_id, subject_id, subject_name,
        'no reminder to it left since ' || to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') ||
          CASE WHEN failed_at IS NULL THEN ': the service has no mail relay, or it is away'
            ELSE ': the mail relay does not take it' END
          || '; until one leaves nothing follows from the silence, so ask in another way' AS detail
      FROM (
        SELECT ${UNSENT_COLUMNS} FROM outgoing_mails, ${dueContacts(now)}
          AND outgoing_mails.occasion = ${CONTACT_OCCASION}
        UNION ALL
        SELECT ${UNSENT_COLUMNS} FROM outgoing_mails, contacts, ${OUTDATED_TERMS}
          AND contacts.organisation_id = organisations.id AND contacts.removed_at IS NULL
          AND outgoing_mails.occasion = ${TERMS_REMINDER}
      ) AS reminders
      WHERE sent_at IS NULL AND (failed_at IS NOT NULL OR created_at + interval '1 day' <= ${at(now)}
        OR EXISTS (SELECT 1 FROM directory_findings AS raised
          WHERE raised.kind = 'reminder_unsent' AND raised.subject_id = reminders.subject_id))
      ORDER BY subject_id, created_at`,
  },
  {
    kind: 'certification_lapsed',
    subjectKind: 'api_resource',
    recordedAs: 'api_resource.certification_lapsed',
    query: (now) => sql`
      SELECT organisations.authority_id, organisations.id AS organisation_id, api_resources.id AS subject_id,
        ${API_NAME} AS subject_name,
        'its certification ended on ' || to_char(api_resources.certification_to AT TIME ZONE 'UTC', 'YYYY-MM-DD')
          || ': have it certified anew, or say that it is not' AS detail
      FROM ${certifiedApis(now)} AND api_resources.certification_to <= ${at(now)}`,
  },
  {
    kind: 'terms_lapsed',
    subjectKind: 'organisation',
    recordedAs: 'organisation.terms_lapsed',
    query: (now) => sql`
      SELECT DISTINCT organisations.authority_id, organisations.id AS organisation_id, organisations.id AS subject_id,
        organisations.legal_name AS subject_name,
        'was reminded and did not accept version ' || ${TERMS_VERSION} || ' of the terms' AS detail
      FROM outgoing_mails, contacts, ${OUTDATED_TERMS}
        AND contacts.organisation_id = organisations.id AND outgoing_mails.occasion = ${TERMS_REMINDER}
        AND outgoing_mails.sent_at + ${days(sql`authorities.lapse_grace_days`)} <= ${at(now)}`,
  },
  {
    kind: 'contact_missing',
    subjectKind: 'organisation',
    query: () => sql`
      SELECT organisations.authority_id, organisations.id AS organisation_id, organisations.id AS subject_id,
        organisations.legal_name AS subject_name,
        'it is active and nobody is on record as its contact, or not for ' ||
          coalesce(nullif(authorities.required_contact_types #>> '{}', '[]'), 'anything') AS detail
      FROM organisations JOIN authorities ON authorities.id = organisations.authority_id
      WHERE organisations.state = 'active' AND (
        NOT EXISTS (SELECT 1 FROM contacts WHERE organisation_id = organisations.id AND removed_at IS NULL)
        OR EXISTS (
          SELECT 1 FROM jsonb_array_elements_text(authorities.required_contact_types) AS required (type)
          WHERE NOT EXISTS (
            SELECT 1 FROM contacts
            WHERE organisation_id = organisations.id AND removed_at IS NULL AND contacts.type = required.type)))`,
  },
  {
    kind: 'owner_closed',
    subjectKind: 'entity',
    query: () => sql`
      SELECT entities.authority_id, organisations.id AS organisation_id, entities.id AS subject_id,
        entities.entity_identifier AS subject_name,
        'its own record is ' || entities.state || ', while its organisation is ' || organisations.state
          || ': nobody vouches for it; withdraw it, too' AS detail
      FROM entities JOIN organisations ON organisations.id = entities.organisation_id
      WHERE entities.state IN ('pending', 'active', 'suspended') AND organisations.state IN ${CLOSED}`,
  },
  {
    kind: 'owner_unreachable',
    subjectKind: 'entity',
    query: () => sql`
      SELECT entities.authority_id, organisations.id AS organisation_id, entities.id AS subject_id,
        entities.entity_identifier AS subject_name,
        'it is active, and ' || organisations.legal_name
          || ' has no contact that answers: give it one, or confirm one' AS detail
      FROM entities JOIN organisations ON organisations.id = entities.organisation_id
      WHERE entities.state = 'active' AND organisations.state = 'active' AND NOT EXISTS (
        SELECT 1 FROM contacts WHERE contacts.organisation_id = organisations.id AND contacts.removed_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM directory_findings AS stale
            WHERE stale.kind = 'contact_stale' AND stale.subject_id = contacts.id))`,
  },
  {
    kind: 'principal_inactive',
    subjectKind: 'entity',
    query: () => sql`
      SELECT entities.authority_id, entities.organisation_id, entities.id AS subject_id,
        entities.entity_identifier AS subject_name,
        'it acts on behalf of ' || organisations.legal_name || ', which is ' || organisations.state
          || ': the delegation does not stand, all else of it does' AS detail
      FROM entities JOIN organisations ON organisations.id = entities.on_behalf_of
      WHERE entities.state IN ('active', 'suspended') AND organisations.state <> 'active'`,
  },
  {
    kind: 'credential_orphaned',
    subjectKind: 'credential',
    query: (now) => sql`
      SELECT entities.authority_id, entities.organisation_id, ${credentials.id} AS subject_id,
        ${credentials.usage} || ' ' || coalesce(${credentials.subject}, ${credentials.kid}) AS subject_name,
        'it is valid by itself, while ' || entities.entity_identifier || ' is ' ||
          CASE WHEN entities.state IN ${CLOSED} THEN entities.state ELSE organisations.state END
          || ': nobody relies on it here; revoke it where it was issued' AS detail
      FROM ${credentials} JOIN entities ON entities.id = ${credentials.entityId}
        JOIN organisations ON organisations.id = entities.organisation_id
      WHERE ${isOpen(now)} AND (entities.state IN ${CLOSED} OR organisations.state IN ${CLOSED})`,
  },
  {
    kind: 'reinstatement_blocked',
    subjectKind: 'organisation',
    query: (now) => sql`
      SELECT authority_id, id AS organisation_id, id AS subject_id, legal_name AS subject_name,
        'its suspension was to end on ' || to_char(suspended_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')
          || ' and it may not become active: give it the contacts that it must have' AS detail
      FROM organisations
      WHERE state = 'suspended' AND suspended_until + interval '10 minutes' <= ${at(now)}`,
  },
];

/** Findings that one change raises or cures, so that it holds what others want to change for moments only. */
const BATCH = 2000;

/**
 * Makes the findings exactly those that the rules find now; what stands already keeps its beginning. In batches by the
 * ids of their subjects, a change each.
 * @returns how many were raised
 * @throws RegistryError role_missing
 */
export async function takeFindings(
  context: ChangeContext,
  { batch = BATCH, signal }: { batch?: number; signal?: AbortSignal | undefined } = {},
): Promise<number> {
  authorise(context.actor, ['admin'], null);
  let raisedCount = 0;
  for (const rule of RULES) {
    for (let after: string | null = null; ; ) {
      if (signal?.aborted === true) return raisedCount;
      const last: string | null = await lastOfBatch(context, rule, after, batch);
      raisedCount += await applyRecorded(context, rule, { after, last });
      if (last === null) break;
      after = last;
    }
  }
  return raisedCount;
}

/** Subjects with ids above `after`, up to `last`; null: without such a bound. */
interface Bounds {
  after: string | null;
  last: string | null;
}

/** Where a batch ends that begins above `after`; null: it is the last one. */
async function lastOfBatch(
  { db, now }: ChangeContext,
  { kind, query }: Rule,
  after: string | null,
  batch: number,
): Promise<string | null> {
  const { rows } = await db.execute<{ id: string }>(sql`
    SELECT subject_id AS id FROM (
      SELECT subject_id FROM (${query(now)}) AS found
      UNION SELECT subject_id FROM directory_findings WHERE kind = ${kind}) AS concerned
    WHERE ${isWithin(sql`subject_id`, { after, last: null })}
    ORDER BY subject_id OFFSET ${batch - 1} LIMIT 1`);
  return rows[0]?.id ?? null;
}

function isWithin(id: SQL, { after, last }: Bounds): SQL {
  const above = after === null ? sql`true` : sql`${id} > ${after}::uuid`;
  return last === null ? above : sql`${above} AND ${id} <= ${last}::uuid`;
}

/** @returns how many were raised */
async function applyRecorded(context: ChangeContext, rule: Rule, bounds: Bounds): Promise<number> {
  return await changeRegistry(context, async (tx, record) => {
    const raised = await applyRule(tx, rule, bounds, context.now);
    if (rule.recordedAs === undefined) return raised.length;
    for (const { authorityId, subjectId, detail } of raised) {
      record({
        action: rule.recordedAs,
        authorityId,
        subjectKind: rule.subjectKind,
        subjectId,
        after: { finding: rule.kind },
        reason: detail,
      });
    }
    return raised.length;
  });
}

interface Raised extends Record<string, unknown> {
  authorityId: string;
  subjectId: string;
  detail: string;
  isNew: boolean;
}

/** One statement: nothing travels but what is new. Of two nodes at once one raises each. */
async function applyRule(tx: Tx, { kind, subjectKind, query }: Rule, bounds: Bounds, now: Date): Promise<Raised[]> {
  const { rows } = await tx.execute<Raised>(sql`
    WITH found AS (
      SELECT * FROM (${query(now)}) AS everywhere WHERE ${isWithin(sql`everywhere.subject_id`, bounds)}),
    cured AS (
      DELETE FROM directory_findings AS standing WHERE standing.kind = ${kind}
        AND ${isWithin(sql`standing.subject_id`, bounds)}
        AND NOT EXISTS (SELECT 1 FROM found WHERE found.subject_id = standing.subject_id))
    INSERT INTO directory_findings AS standing
      (id, authority_id, organisation_id, subject_kind, subject_id, subject_name, kind, detail, since)
      SELECT gen_random_uuid(), authority_id, organisation_id, ${subjectKind}, subject_id, subject_name, ${kind}, detail,
        ${at(now)}
      FROM found ORDER BY subject_id
    ON CONFLICT (subject_id, kind) DO UPDATE SET detail = excluded.detail, subject_name = excluded.subject_name
      WHERE (standing.detail, standing.subject_name) IS DISTINCT FROM (excluded.detail, excluded.subject_name)
    RETURNING authority_id AS "authorityId", subject_id AS "subjectId", detail, xmax = 0 AS "isNew"`);
  return rows.filter(({ isNew }) => isNew);
}

/** What was said about a record, in one respect or in all, is no longer so: at once, not only when the rules look again. */
export async function cureFindings(tx: Tx, subjectId: string, kind?: DirectoryFindingKind): Promise<void> {
  const ofKind = kind && eq(directoryFindings.kind, kind);
  await tx.delete(directoryFindings).where(and(eq(directoryFindings.subjectId, subjectId), ofKind));
}
