/** The history of an Entity Identifier under an authority, from the audit: from its registration on. @see EVENTS §2.3.3 */
import { and, asc, eq, inArray, or, sql } from 'drizzle-orm';
import type { NumericDate } from '../../federation/time.ts';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { entities } from '../../storage/schema/entities.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { effectiveState, TRANSITIONS } from '../states.ts';

/** Those that the draft names, and two of our own: what ends a suspension, and leaving without fault. */
export type RegistrationEventName =
  | 'registration'
  | 'suspension'
  | 'reinstatement'
  | 'withdrawal'
  | 'revocation'
  | 'jwks_update'
  | 'metadata_update'
  | 'metadata_policy_update';

export interface RegistrationEvent {
  event: RegistrationEventName;
  at: NumericDate;
  /** Why, in the words of who decided; null for registrations, whose reasons speak of evidence. */
  reason: string | null;
}

/** @returns the events in their order; none for an identifier that was never registered, whoever asked for it */
export async function readRegistrationEvents(
  db: Db,
  authorityId: string,
  entityIdentifier: string,
): Promise<RegistrationEvent[]> {
  const records = await db
    .select({ id: entities.id, organisationId: entities.organisationId })
    .from(entities)
    .where(and(eq(entities.entityIdentifier, entityIdentifier), eq(entities.authorityId, authorityId)))
    .orderBy(asc(entities.id));
  if (records.length === 0) return [];
  const changes = await readChanges(db, authorityId, records);
  const events = records.flatMap((record) => eventsOf(record, authorityId, changes));
  const registrations = new Set(events.filter(({ event }) => event === 'registration').map(({ at }) => at));
  return events.filter(({ event, at }) => !(UPDATES.has(event) && registrations.has(at)));
}

type RecordIds = Pick<typeof entities.$inferSelect, 'id' | 'organisationId'>;
type RecordedChange = Awaited<ReturnType<typeof readChanges>>[number];

/** Snapshots are large: of each only whether it differs from the one before is read. */
async function readChanges(db: Db, authorityId: string, records: readonly RecordIds[]) {
  const differs = (member: string) =>
    sql<boolean>`coalesce(${audit.before} is not null
      and ${audit.before}->${member} is distinct from ${audit.after}->${member}, false)`;
  const idsOf = (member: keyof RecordIds) => [...new Set(records.map((record) => record[member]))];
  return await db
    .select({
      action: audit.action,
      subjectId: audit.subjectId,
      at: audit.at,
      reason: audit.reason,
      hasOtherKeys: differs('keys'),
      hasOtherMetadata: differs('metadata'),
      hasOtherPolicy: sql<boolean>`${differs('metadataPolicy')} or ${differs('defaultMetadataPolicy')}`,
    })
    .from(audit)
    .where(
      or(
        and(eq(audit.subjectKind, 'entity'), inArray(audit.subjectId, idsOf('id'))),
        and(eq(audit.subjectKind, 'organisation'), inArray(audit.subjectId, idsOf('organisationId'))),
        and(
          eq(audit.subjectKind, 'authority'),
          eq(audit.subjectId, authorityId),
          eq(audit.action, 'authority.update'),
          differs('defaultMetadataPolicy'),
        ),
      ),
    )
    .orderBy(asc(audit.seq), asc(audit.ordinal));
}

/** What became of one record: the state that counts is the stricter of its own and its organisation's. */
function eventsOf({ id, organisationId }: RecordIds, authorityId: string, changes: readonly RecordedChange[]) {
  const events: RegistrationEvent[] = [];
  const states: Record<string, ParticipantState> = { [id]: 'pending', [organisationId]: 'pending' };
  let standing: ParticipantState = 'pending';
  for (const change of changes) {
    const { action, subjectId } = change;
    if (subjectId !== id && subjectId !== organisationId && subjectId !== authorityId) continue;
    const to = targetOf(action);
    if (to !== undefined) states[subjectId] = to;
    const now = effectiveState(states[id] ?? 'pending', states[organisationId] ?? 'pending');
    const isRegistered = events.length > 0;
    const at = Math.floor(change.at.getTime() / 1000);
    if (now !== standing) {
      const event = isRegistered ? MOVED[now] : now === 'active' ? 'registration' : undefined;
      if (event !== undefined) events.push({ event, at, reason: isRegistered ? change.reason : null });
    } else if (isRegistered && !CLOSED.has(now)) {
      // An organisation has none of these, and its name is not part of a statement.
      if (subjectId !== organisationId) events.push(...updatesIn(change, at));
    }
    standing = now;
  }
  return events;
}

const MOVED: Partial<Record<ParticipantState, RegistrationEventName>> = {
  active: 'reinstatement',
  suspended: 'suspension',
  withdrawn: 'withdrawal',
  revoked: 'revocation',
};

/** Not told for the moment of a registration, which sets these up. */
const UPDATES: ReadonlySet<RegistrationEventName> = new Set([
  'jwks_update',
  'metadata_update',
  'metadata_policy_update',
]);

/** Nothing is said about these any more, whatever changes around them. */
const CLOSED: ReadonlySet<ParticipantState> = new Set(['rejected', 'withdrawn', 'revoked']);

function targetOf(action: string): ParticipantState | undefined {
  const verb = action.replace(/^(?:entity|organisation)\./, '');
  return Object.entries(TRANSITIONS).find(([name]) => name === verb)?.[1].to;
}

function updatesIn(change: RecordedChange, at: NumericDate): RegistrationEvent[] {
  const { hasOtherKeys, hasOtherMetadata, hasOtherPolicy, reason } = change;
  const names: RegistrationEventName[] = [
    ...(hasOtherKeys ? ['jwks_update' as const] : []),
    ...(hasOtherMetadata ? ['metadata_update' as const] : []),
    ...(hasOtherPolicy ? ['metadata_policy_update' as const] : []),
  ];
  return names.map((event) => ({ event, at, reason }));
}
