/** The first start of a deployment: which master key its keys belong to, and its first authority. */
import { eq, sql } from 'drizzle-orm';
import type { Db } from '../storage/connect.ts';
import { authorities } from '../storage/schema/authorities.ts';
import { deployment } from '../storage/schema/deployment.ts';
import type { Actor } from './actor.ts';
import type { GenerateAuthorityKey } from './authorities/authority.ts';
import { createAuthority } from './authorities/create-authority.ts';
import type { ChangeContext } from './change.ts';
import { RegistryError } from './registry-error.ts';

/** Acts for the service itself. */
export const SYSTEM: Actor = {
  kind: 'system',
  id: 'holdfast',
  name: 'Holdfast',
  roles: ['admin'],
  authorities: 'all',
  organisations: 'all',
};

/** What tells the right master key of this database; undefined before the first start. */
export async function readMasterKeyCheck(db: Db): Promise<string | undefined> {
  const [row] = await db
    .select({ masterKeyCheck: deployment.masterKeyCheck })
    .from(deployment)
    .where(eq(deployment.id, 1));
  return row?.masterKeyCheck;
}

/** Binds the database to a master key unless it is bound already. @returns the check that counts from now on */
export async function bindMasterKey(db: Db, masterKeyCheck: string, now: Date): Promise<string> {
  await db.insert(deployment).values({ id: 1, masterKeyCheck, createdAt: now }).onConflictDoNothing();
  return (await readMasterKeyCheck(db)) ?? masterKeyCheck;
}

/** Makes the first authority, a Trust Anchor, if there is none; of two nodes that try at once, one does. */
export async function ensureFirstAuthority(
  context: ChangeContext,
  entityIdentifier: string,
  generateKey: GenerateAuthorityKey,
): Promise<boolean> {
  const [existing] = await context.db.select({ count: sql<number>`count(*)::int` }).from(authorities);
  if ((existing?.count ?? 0) > 0) return false;
  try {
    const name = `Trust Anchor at ${new URL(entityIdentifier).host}`;
    await createAuthority(context, { entityIdentifier, name }, generateKey);
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'authority_exists') return false;
    throw error;
  }
}
