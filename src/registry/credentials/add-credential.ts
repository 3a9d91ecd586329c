/** Records a certificate or key of an entity, made by somebody else. */
import type { CredentialUsage } from '../../storage/schema/credentials.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { lockOpenEntity } from '../entities/lock-entity.ts';
import { readEntity } from '../entities/read-entity.ts';
import type { Credential } from './credential.ts';
import { type CredentialMaterial, readMaterial } from './credential-material.ts';
import { insertCredential } from './insert-credential.ts';
import { judgeCertificate } from './judge-certificate.ts';
import { lockRecordsOf, requireEnvironmentOf } from './one-environment.ts';
import { provePossession } from './possession-proof.ts';
import { readCredential } from './read-credential.ts';

export interface NewCredential {
  material: CredentialMaterial;
  usage: CredentialUsage;
  /** Where it is meant to be used; none but the entity's own will do. */
  environment?: string;
  /** That whoever hands it in has the private key; see possession-proof.ts. */
  proof?: string;
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed, illegal_transition when the entity's record is closed,
 *   chain_untrusted, subject_mismatch, wrong_environment, key_barred, credential_exists, credential_in_use, limit_reached, idempotency_key_reused
 */
export async function addCredential(
  context: ChangeContext,
  entityId: string,
  { material, usage, environment, proof }: NewCredential,
  idempotency?: Idempotency,
): Promise<Credential> {
  const owner = await readEntity(context.db, context.actor, entityId);
  const { authorityId, organisationId, entityIdentifier } = owner;
  authorise(context.actor, ACCESS.addCredential.roles, authorityId, organisationId, entityId);
  const columns = await readMaterial(material, usage, context.now);
  const path = await judgeCertificate(context.db, owner, usage, columns, context.now);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (credentialId) => {
      const possession = await provePossession(tx, { ...context, authorityId, entityIdentifier }, columns, proof);
      const plan = { ...columns, ...path, possession, id: credentialId, usage, supersedes: null };
      await lockRecordsOf(tx, entityIdentifier, plan);
      const entity = await lockOpenEntity(tx, entityId);
      requireEnvironmentOf(entity, environment);
      await insertCredential(tx, context, entity, plan, record);
    });
  });
  return readCredential(context.db, context.actor, id);
}
