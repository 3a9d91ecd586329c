/** Removes a webhook: nobody is told any more, and its secrets and deliveries are deleted. */
import { eq } from 'drizzle-orm';
import { webhookDeliveries, webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { readWebhook } from './read-webhook.ts';
import { auditedWebhook, lockWebhook, webhookSnapshot } from './webhook.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is removed already */
export async function removeWebhook(
  context: ChangeContext,
  webhookId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId } = await readWebhook(context.db, context.actor, webhookId);
  authorise(context.actor, ACCESS.removeWebhook.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockWebhook(tx, webhookId);
    requireVersion(before, expectedVersion);
    const withoutSecrets = {
      ...{ sealedSecret: new Uint8Array(), previousSealedSecret: null, previousSecretUntil: null },
    };
    const state = { state: 'removed', stateReason: null, stateChangedAt: context.now } as const;
    await tx
      .update(webhooks)
      .set({ ...withoutSecrets, ...state, version: before.version + 1 })
      .where(eq(webhooks.id, webhookId));
    await tx.delete(webhookDeliveries).where(eq(webhookDeliveries.webhookId, webhookId));
    record({ action: 'webhook.remove', ...auditedWebhook(before), before: webhookSnapshot(before) });
  });
}
