/** Keys that sign no more and whose private half is in a token still: there to be destroyed. */
import { and, eq, inArray, isNotNull } from 'drizzle-orm';
import type { Db } from '../../../storage/connect.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';

export interface SpentTokenObject {
  id: string;
  authorityId: string;
  kid: string;
  purpose: 'federation';
  tokenObject: string;
}

/** Historical or revoked: what nobody may bring back, whatever clock a node had when it let a key retire. */
export async function spentTokenObjects(db: Db): Promise<SpentTokenObject[]> {
  const { id, authorityId, kid, purpose, tokenObject, state } = authorityKeys;
  const isOver = inArray(state, ['historical', 'revoked']);
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
