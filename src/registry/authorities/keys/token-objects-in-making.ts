/** Keys that a token makes for us, from before they are made until a record of ours has them. */
import { and, eq, lt, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../../storage/connect.ts';
import { tokenObjectsInMaking } from '../../../storage/schema/token-objects-in-making.ts';
import { RegistryError } from '../../registry-error.ts';

/** What a key in the token is found by. */
export interface TokenObjectPlace {
  owner: string;
  purpose: 'federation' | 'hosted-entity' | 'certification-authority' | 'ocsp-responder';
  tokenObject: string;
}

/** Nobody takes that long between the making of a key and the record that has it. */
const GIVEN_UP_AFTER = sql`interval '1 hour'`;

/** So long a token that is slow may still make what was given up: until then it is destroyed again and again. */
const FORGOTTEN_AFTER = sql`interval '1 day'`;

/** Belongs before the making; not into a transaction, which would take it back with itself. */
export async function noteTokenObject(db: Db, { owner, purpose, tokenObject }: TokenObjectPlace): Promise<void> {
  await db.insert(tokenObjectsInMaking).values({ owner, purpose, tokenObject });
}

/**
 * The key arrives: belongs into the transaction that makes its record.
 * @throws RegistryError key_not_ready when it was given up meanwhile
 */
export async function claimTokenObject(tx: Tx, tokenObject: string): Promise<void> {
  const table = tokenObjectsInMaking;
  const claimed = await tx
    .delete(table)
    .where(and(eq(table.tokenObject, tokenObject), eq(table.isGivenUp, false)))
    .returning({ tokenObject: table.tokenObject });
  if (claimed.length > 0) return;
  throw new RegistryError('key_not_ready', 'the key took too long to get here and was given up; make another one');
}

/** Gives up, once and for all, what never arrived. @returns all that is to be destroyed in the token */
export async function giveUpTokenObjects(db: Db): Promise<TokenObjectPlace[]> {
  const table = tokenObjectsInMaking;
  await db
    .update(table)
    .set({ isGivenUp: true })
    .where(lt(table.madeAt, sql`now() - ${GIVEN_UP_AFTER}`));
  const { owner, purpose, tokenObject } = table;
  return await db.select({ owner, purpose, tokenObject }).from(table).where(eq(table.isGivenUp, true));
}

/** The token has it no more; it is forgotten once it cannot come about any more. */
export async function forgetGivenUp(db: Db, { tokenObject }: TokenObjectPlace): Promise<void> {
  const table = tokenObjectsInMaking;
  const isPast = lt(table.madeAt, sql`now() - ${FORGOTTEN_AFTER}`);
  await db.delete(table).where(and(eq(table.tokenObject, tokenObject), eq(table.isGivenUp, true), isPast));
}
