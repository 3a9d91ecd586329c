/** Takes hold of a credential until the transaction ends, and of its entity before it. */
import { and, asc, eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { notFound } from '../actor.ts';
import type { EntityRow } from '../entities/entity.ts';
import { lockEntity } from '../entities/lock-entity.ts';
import { RegistryError } from '../registry-error.ts';
import type { Credential, CredentialRow } from './credential.ts';
import { credentialState, isOpen, isOpenState } from './credential-standing.ts';

/** @throws RegistryError not_found */
export async function lockCredential(
  tx: Tx,
  { id, entityId }: Pick<Credential, 'id' | 'entityId'>,
): Promise<{ entity: EntityRow; credential: CredentialRow }> {
  const entity = await lockEntity(tx, entityId);
  const [credential] = await tx.select().from(credentials).where(eq(credentials.id, id)).for('update');
  if (credential === undefined) throw notFound('credential', id);
  return { entity, credential };
}

/** Other credentials of the entity with the same key that may count; the entity is held. */
export async function lockOthersOfKey(tx: Tx, credential: CredentialRow, now: Date): Promise<CredentialRow[]> {
  const { id, entityId, spkiSha256 } = credential;
  const found = await tx
    .select()
    .from(credentials)
    .where(and(eq(credentials.entityId, entityId), eq(credentials.spkiSha256, spkiSha256), isOpen(now)))
    .orderBy(asc(credentials.id))
    .for('update');
  return found.filter((other) => other.id !== id);
}

/** @throws RegistryError illegal_transition when it never counts again */
export function requireOpenCredential(credential: CredentialRow, verb: string, now: Date): void {
  const state = credentialState(credential, now);
  if (isOpenState(state)) return;
  const message = `cannot ${verb} a credential that is ${state}; that is final, add another one`;
  throw new RegistryError('illegal_transition', message, {
    from: state,
    allowed: state === 'revoked' ? [] : ['revoke'],
  });
}
