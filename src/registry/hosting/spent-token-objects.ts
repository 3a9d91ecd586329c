/** Keys of hosted entities that are over and whose private half is in a token still: there to be destroyed. */
import { and, eq, isNotNull } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { hostedKeys } from '../../storage/schema/hosted-entities.ts';
import type { TokenObjectPlace } from '../authorities/keys/token-objects-in-making.ts';

export async function spentHostedObjects(db: Db): Promise<TokenObjectPlace[]> {
  const { purpose, tokenObject } = hostedKeys;
  const rows = await db
    .select({ owner: entities.entityIdentifier, purpose, tokenObject })
    .from(hostedKeys)
    .innerJoin(entities, eq(entities.id, hostedKeys.entityId))
    .where(and(isNotNull(tokenObject), eq(hostedKeys.state, 'removed')));
  return rows.flatMap(({ tokenObject: object, ...key }) => (object === null ? [] : [{ ...key, tokenObject: object }]));
}

/** The token has it no more. */
export async function forgetHostedObject(db: Db, { tokenObject }: TokenObjectPlace): Promise<void> {
  await db.update(hostedKeys).set({ tokenObject: null }).where(eq(hostedKeys.tokenObject, tokenObject));
}
