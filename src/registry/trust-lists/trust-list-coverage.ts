/** How many credentials would count no more if an authority believed only what is below its trust list. */
import { and, asc, count, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { TrustListPurpose } from '../../storage/schema/trust-list-entries.ts';
import { ACCESS } from '../access.ts';
import type { Actor } from '../actor.ts';
import { hasListedPath, isLiveItself } from '../credentials/credential-standing.ts';
import { inReach } from '../reach.ts';
import { TRUST_LIST_PURPOSES, type TrustListFilter } from './trust-list-entry.ts';

export interface TrustListCoverage {
  authorityId: string;
  purpose: TrustListPurpose;
  /** Whether the authority believes only what is below the list. */
  isListed: boolean;
  /** Credentials of the purpose that count, or would if they had a path. */
  live: number;
  /** Those of them without a path to an entry, bare keys among them. */
  withoutPath: number;
}

/** For each authority in reach and each purpose. @throws RegistryError not_found, role_missing */
export async function readTrustListCoverage(
  db: Db,
  actor: Actor,
  { authorityId, purpose }: TrustListFilter,
  now: Date,
): Promise<TrustListCoverage[]> {
  const { roles } = ACCESS.listTrustListEntries;
  const purposes = TRUST_LIST_PURPOSES.filter((one) => purpose === undefined || one === purpose);
  const counted = await db
    .select({
      authorityId: credentials.authorityId,
      usage: credentials.usage,
      live: count(),
      withPath: sql<number>`count(*) filter (where ${hasListedPath(now) satisfies SQL})`.mapWith(Number),
    })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        inReach(actor, roles, { authority: credentials.authorityId }, authorityId),
        inArray(credentials.usage, [...purposes]),
        isLiveItself(now),
      ),
    )
    .groupBy(credentials.authorityId, credentials.usage);
  const reached = await db
    .select({ id: authorities.id, listedPurposes: authorities.listedPurposes })
    .from(authorities)
    .where(inReach(actor, roles, { authority: authorities.id }, authorityId))
    .orderBy(asc(authorities.id));
  return reached.flatMap(({ id, listedPurposes }) =>
    purposes.map((one) => {
      const found = counted.find(({ authorityId, usage }) => authorityId === id && usage === one);
      const { live = 0, withPath = 0 } = found ?? {};
      const isListed = listedPurposes.includes(one);
      return { authorityId: id, purpose: one, isListed, live, withoutPath: live - withPath };
    }),
  );
}
