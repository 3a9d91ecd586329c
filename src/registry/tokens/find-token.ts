/** Finds who presents a token, and whether there is an admin at all. */
import { and, eq, gt, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import { composedOnce } from '../../storage/composed-once.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { Actor } from '../actor.ts';
import { LIVE_STATES } from '../states.ts';
import { actorOf, hashToken } from './api-token.ts';
import { findEntityTokenActor, isEntityToken, type ShownCertificate } from './entity-token.ts';

/**
 * The actor that a presented secret stands for; undefined when it is unknown, expired or revoked. The lookup is by
 * SHA-256, so its timing says nothing about secrets that exist. A member's token reaches those of its organisations whose
 * records are open, those that are suspended marked as such: nothing of one that was withdrawn or revoked.
 * @throws RegistryError token_bound when it is bound to another certificate than is shown
 */
export async function findTokenActor(
  db: Db,
  secret: string,
  now: Date,
  shown?: ShownCertificate,
): Promise<Actor | undefined> {
  const hash = hashToken(secret);
  if (isEntityToken(secret)) return await findEntityTokenActor(db, hash, now, shown);
  const [token] = await tokenQuery(db).execute({ hash, now });
  if (token === undefined) return undefined;
  const isReplaced = Buffer.compare(token.tokenHash, hash) !== 0 && { isReplaced: true };
  if (token.organisationIds === null) return { ...actorOf(token), ...isReplaced };
  const open = await openOrganisations(db, token.organisationIds);
  if (open.length === 0) return undefined;
  const suspended = open.filter(({ state }) => state === 'suspended').map(({ id }) => id);
  const mark = suspended.length > 0 && { suspended: new Set(suspended) };
  const ids = open.map(({ id }) => id);
  return { ...actorOf(token, ids), ...mark, ...isReplaced };
}

const tokenQuery = composedOnce((db) => {
  const [hash, now] = [sql.placeholder('hash'), sql.placeholder('now')];
  const isPrevious = and(eq(apiTokens.previousHash, hash), gt(apiTokens.previousExpiresAt, now));
  return db
    .select()
    .from(apiTokens)
    .where(
      and(or(eq(apiTokens.tokenHash, hash), isPrevious), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now)),
    )
    .prepare('find_token');
});

async function openOrganisations(
  db: Db,
  ids: readonly string[],
): Promise<Pick<typeof organisations.$inferSelect, 'id' | 'state'>[]> {
  return await db
    .select({ id: organisations.id, state: organisations.state })
    .from(organisations)
    .where(and(inArray(organisations.id, [...ids]), inArray(organisations.state, [...LIVE_STATES])));
}

/** Whether some named token can administer everything at this time. */
export async function adminTokenExists(db: Db | Tx, now: Date): Promise<boolean> {
  return await someAdminToken(db, and(isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now)));
}

/** Whether some named token could administer everything at some time, even if it has expired or was revoked since. */
export async function adminTokenEverExisted(db: Db): Promise<boolean> {
  return await someAdminToken(db);
}

async function someAdminToken(db: Db | Tx, condition?: SQL): Promise<boolean> {
  const [token] = await db
    .select({ id: apiTokens.id })
    .from(apiTokens)
    .where(and(sql`${apiTokens.roles} @> '["admin"]'::jsonb`, isNull(apiTokens.authorityIds), condition))
    .limit(1);
  return token !== undefined;
}
