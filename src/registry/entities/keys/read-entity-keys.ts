/** All keys that an entity ever had in this record, and those that its configuration proposes. */
import { asc, eq } from 'drizzle-orm';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entityKeys } from '../../../storage/schema/entities.ts';
import type { Actor } from '../../actor.ts';
import { readEntity } from '../read-entity.ts';
import { type KeyProposal, proposalsOf } from './key-proposals.ts';

export type EntityKeyRecord = typeof entityKeys.$inferSelect;

export type EntityKeyState = 'registered' | 'expired' | 'removed' | 'compromised';

export function entityKeyState({ expiresAt, removedAt, compromisedAt }: EntityKeyRecord, now: Date): EntityKeyState {
  if (compromisedAt !== null) return 'compromised';
  if (removedAt !== null) return 'removed';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'registered';
}

export interface EntityKeys {
  /** In the order in which they were added. */
  keys: EntityKeyRecord[];
  proposals: KeyProposal[];
}

/** @throws RegistryError not_found, role_missing */
export async function readEntityKeys(db: Db | Tx, actor: Actor, entityId: string): Promise<EntityKeys> {
  const { id } = await readEntity(db, actor, entityId);
  const keys = await db
    .select()
    .from(entityKeys)
    .where(eq(entityKeys.entityId, id))
    .orderBy(asc(entityKeys.addedAt), asc(entityKeys.position));
  return { keys, proposals: await proposalsOf(db, id) };
}
