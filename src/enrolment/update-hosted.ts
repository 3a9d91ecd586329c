/** Changes the configuration of a hosted entity and checks it as one that was published elsewhere. */
import type { ChangeContext } from '../registry/change.ts';
import type { Entity } from '../registry/entities/entity.ts';
import type { HostingSettings } from '../registry/hosting/hosted-entity.ts';
import { updateHosting } from '../registry/hosting/update-hosting.ts';
import type { RetrieveConfiguration } from './configuration-checks.ts';
import { recheckEntity } from './recheck-entity.ts';

/**
 * @throws RegistryError not_found, role_missing, validation_failed, not_hosted, version_mismatch, illegal_transition
 */
export async function updateHosted(
  context: ChangeContext,
  entityId: string,
  changes: Partial<HostingSettings>,
  expectedVersion: number | undefined,
  retrieve: RetrieveConfiguration,
): Promise<Entity> {
  await updateHosting(context, entityId, changes, expectedVersion);
  return await recheckEntity(context, entityId, retrieve);
}
