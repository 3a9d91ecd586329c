/** Finds who presents a token, and whether there is an admin at all. */
import { and, eq, gt, isNull, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import type { Actor } from '../actor.ts';
import { actorOf, hashToken } from './api-token.ts';

/**
 * The actor that a presented secret stands for; undefined when it is unknown, expired or revoked. The lookup is by
 * SHA-256, so its timing says nothing about secrets that exist.
 */
export async function findTokenActor(db: Db, secret: string, now: Date): Promise<Actor | undefined> {
  const [token] = await db
    .select()
    .from(apiTokens)
    .where(and(eq(apiTokens.tokenHash, hashToken(secret)), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now)));
  return token === undefined ? undefined : actorOf(token);
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
