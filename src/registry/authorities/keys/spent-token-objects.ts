/** Keys that sign no more and whose private half is in a token still: there to be destroyed. */
import { and, eq, isNotNull, lt, or } from 'drizzle-orm';
import type { Db } from '../../../storage/connect.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { after } from './key-times.ts';

export interface SpentTokenObject {
  id: string;
  authorityId: string;
  kid: string;
  purpose: 'federation';
  tokenObject: string;
}

/** A node that has not heard yet that a key retired may be signing with it; a revoked one signs for nobody. */
const GRACE_SECONDS = 600;

export async function spentTokenObjects(db: Db, now: Date): Promise<SpentTokenObject[]> {
  const { id, authorityId, kid, purpose, tokenObject, state, retiredAt } = authorityKeys;
  const isOver = or(eq(state, 'revoked'), lt(retiredAt, after(now, -GRACE_SECONDS)));
  const rows = await db
    .select({ id, authorityId, kid, purpose, tokenObject })
    .from(authorityKeys)
    .where(and(isNotNull(tokenObject), isOver));
  return rows.flatMap(({ tokenObject: object, ...key }) => (object === null ? [] : [{ ...key, tokenObject: object }]));
}

/** The token has it no more. */
export async function forgetTokenObject(db: Db, { id, tokenObject }: SpentTokenObject): Promise<void> {
  await db
    .update(authorityKeys)
    .set({ tokenObject: null })
    .where(and(eq(authorityKeys.id, id), eq(authorityKeys.tokenObject, tokenObject)));
}
