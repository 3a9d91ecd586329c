/** How a subject stands with an authority and with those of ours below or above it, for callers who gave no name. */
import { eq, inArray } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { effectiveState } from '../states.ts';

/**
 * `active`: vouched for, so it may be evaluated for anybody. `ended`: suspended, withdrawn or revoked. `unknown`:
 * never recorded, or pending or rejected, which must look the same.
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
  const records = await db
    .select({
      authorityId: entities.authorityId,
      entityIdentifier: entities.entityIdentifier,
      state: entities.state,
      organisationState: organisations.state,
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(inArray(entities.entityIdentifier, [subject, ...own.map((authority) => authority.entityIdentifier)]));
  const isActiveUnder = (entityIdentifier: string, authorityIds: ReadonlySet<string>) =>
    records.some(
      (record) =>
        record.entityIdentifier === entityIdentifier &&
        authorityIds.has(record.authorityId) &&
        effectiveState(record.state, record.organisationState) === 'active',
    );
  const reachable = reachableFrom(roots, own, isActiveUnder);
  if (isActiveUnder(subject, reachable)) return 'active';
  const ended = records.some(
    (record) =>
      record.entityIdentifier === subject &&
      reachable.has(record.authorityId) &&
      ENDED.has(effectiveState(record.state, record.organisationState)),
  );
  return ended ? 'ended' : 'unknown';
}

const ENDED: ReadonlySet<ParticipantState> = new Set(['suspended', 'withdrawn', 'revoked']);

function reachableFrom(
  roots: readonly OwnAuthority[],
  own: readonly OwnAuthority[],
  isActiveUnder: (entityIdentifier: string, authorityIds: ReadonlySet<string>) => boolean,
): ReadonlySet<string> {
  const reachable = new Set(roots.map((authority) => authority.id));
  for (let before = -1; before !== reachable.size; ) {
    before = reachable.size;
    for (const { id, entityIdentifier } of own) {
      if (isActiveUnder(entityIdentifier, reachable)) reachable.add(id);
    }
  }
  return reachable;
}
