/** How a subject stands with an authority and with those of ours below or above it, for callers who gave no name. */
import { eq, sql } from 'drizzle-orm';
import { composedOnce } from '../../storage/composed-once.ts';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { effectiveState } from '../states.ts';

/**
 * `active`: vouched for, so it may be evaluated for anybody. `ended`: it, or an Intermediate of ours above it, is
 * suspended, withdrawn or revoked. `unknown`: never recorded, or pending or rejected, which must look the same.
 */
export type Standing = 'active' | 'ended' | 'unknown';

/** One of our authorities, as far as its place in the federation matters. */
export interface OwnAuthority {
  id: string;
  entityIdentifier: string;
}

/**
 * Looks at the records of those authorities that a chain to one of `roots` can pass: the roots themselves and all of
 * ours that are active below them. What other authorities know does not show.
 */
export async function readStanding(
  db: Db,
  subject: string,
  roots: readonly OwnAuthority[],
  own: readonly OwnAuthority[],
): Promise<Standing> {
  const entityIdentifiers = [subject, ...own.map((authority) => authority.entityIdentifier)];
  const records = await standingQuery(db).execute({ entityIdentifiers });
  const isUnder =
    (states: ReadonlySet<ParticipantState>) => (entityIdentifier: string, authorityIds: ReadonlySet<string>) =>
      records.some(
        (record) =>
          record.entityIdentifier === entityIdentifier &&
          authorityIds.has(record.authorityId) &&
          states.has(effectiveState(record.state, record.organisationState)),
      );
  for (const [standing, states] of [
    ['active', ACTIVE],
    ['ended', ACTIVE_OR_ENDED],
  ] as const) {
    if (isUnder(states)(subject, reachableFrom(roots, own, isUnder(states)))) return standing;
  }
  return 'unknown';
}

const standingQuery = composedOnce((db) =>
  db
    .select({
      authorityId: entities.authorityId,
      entityIdentifier: entities.entityIdentifier,
      state: entities.state,
      organisationState: organisations.state,
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(eq(entities.entityIdentifier, sql`any(${sql.placeholder('entityIdentifiers')})`))
    .prepare('read_standing'),
);

const ACTIVE: ReadonlySet<ParticipantState> = new Set(['active']);
/** What was vouched for at some time, and so is no secret. */
const ACTIVE_OR_ENDED: ReadonlySet<ParticipantState> = new Set(['active', 'suspended', 'withdrawn', 'revoked']);

function reachableFrom(
  roots: readonly OwnAuthority[],
  own: readonly OwnAuthority[],
  isUnder: (entityIdentifier: string, authorityIds: ReadonlySet<string>) => boolean,
): ReadonlySet<string> {
  const reachable = new Set(roots.map((authority) => authority.id));
  for (let before = -1; before !== reachable.size; ) {
    before = reachable.size;
    for (const { id, entityIdentifier } of own) {
      if (isUnder(entityIdentifier, reachable)) reachable.add(id);
    }
  }
  return reachable;
}
