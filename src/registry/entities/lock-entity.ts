/** Takes hold of an entity's record until the transaction ends. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { notFound } from '../actor.ts';
import { RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import type { EntityRow } from './entity.ts';

/**
 * The same of a record that may still be changed.
 * @throws RegistryError not_found, illegal_transition when it is closed
 */
export async function lockOpenEntity(tx: Tx, entityId: string): Promise<EntityRow> {
  const entity = await lockEntity(tx, entityId);
  requireOpen(entity);
  return entity;
}

/** @throws RegistryError illegal_transition */
export function requireOpen({ state }: Pick<EntityRow, 'state'>): void {
  if (LIVE_STATES.includes(state)) return;
  const message = `this record is ${state} and stays as it is; enrol the entity anew`;
  throw new RegistryError('illegal_transition', message, { from: state, allowed: [] });
}

/** @throws RegistryError not_found */
export async function lockEntity(tx: Tx, entityId: string): Promise<EntityRow> {
  const [entity] = await tx.select().from(entities).where(eq(entities.id, entityId)).for('update');
  if (entity === undefined) throw notFound('entity', entityId);
  return entity;
}
