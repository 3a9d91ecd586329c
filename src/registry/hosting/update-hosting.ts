/** Changes what the configuration of a hosted entity says, and how long one lives. */
import { and, eq, lt } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { hostedEntities, hostedKeys } from '../../storage/schema/hosted-entities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { readEntity } from '../entities/read-entity.ts';
import { type HostingSettings, hostingSnapshot } from './hosted-entity.ts';
import { hostingChanged, lockHosting, requireSignedHere } from './hosted-key.ts';
import { inputHosting } from './hosting-input.ts';

/**
 * It is published at once, as what an entity publishes itself is. What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, not_hosted, version_mismatch, illegal_transition
 */
export async function updateHosting(
  context: ChangeContext,
  entityId: string,
  changes: Partial<HostingSettings>,
  expectedVersion: number | undefined,
): Promise<void> {
  const { authorityId, organisationId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.updateHosting.roles, authorityId, organisationId, entityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    const { entity, hosted, keys } = before;
    requireVersion(entity, expectedVersion);
    requireSignedHere(hosted, entity);
    const after = withChanges(hosted, changes);
    const { metadata, configurationLifetimeSeconds } = inputHosting(after, entity.entityIdentifier, context);
    if (jsonEquals(hostingSnapshot(after, keys), hostingSnapshot(hosted, keys))) return;
    await tx
      .update(hostedEntities)
      .set({ metadata, configurationLifetimeSeconds })
      .where(eq(hostedEntities.entityId, entityId));
    const isOutlived = lt(hostedKeys.longestLifetimeSeconds, configurationLifetimeSeconds);
    await tx
      .update(hostedKeys)
      .set({ longestLifetimeSeconds: configurationLifetimeSeconds })
      .where(and(eq(hostedKeys.entityId, entityId), eq(hostedKeys.state, 'active'), isOutlived));
    record({ ...(await hostingChanged(tx, before, 'entity.update_hosting')) });
  });
}
