/** Changes what a webhook tells of, and where. What is planned already is delivered, to the new place. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { readWebhook } from './read-webhook.ts';
import {
  auditedWebhook,
  lockWebhook,
  requireReachableUrl,
  requireRolesOf,
  requireValidWebhook,
  type Webhook,
  type WebhookFields,
  webhookSnapshot,
} from './webhook.ts';

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch, illegal_transition when it is removed
 */
export async function updateWebhook(
  context: ChangeContext,
  webhookId: string,
  changes: Partial<WebhookFields>,
  expectedVersion?: number,
): Promise<Webhook> {
  const { authorityId } = await readWebhook(context.db, context.actor, webhookId);
  authorise(context.actor, ACCESS.updateWebhook.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockWebhook(tx, webhookId);
    requireVersion(before, expectedVersion);
    const after = { ...withChanges(before, changes), version: before.version + 1 };
    requireValidWebhook(after, context);
    if (after.url !== before.url) requireReachableUrl(after.url, context);
    if (changes.roleIds !== undefined) await requireRolesOf(tx, authorityId, changes.roleIds);
    const isSame = before.url === after.url && jsonEquals(webhookSnapshot(before), webhookSnapshot(after));
    if (isSame) return;
    const { name, url, types, roleIds, version } = after;
    await tx.update(webhooks).set({ name, url, types, roleIds, version }).where(eq(webhooks.id, webhookId));
    record({
      action: 'webhook.update',
      ...auditedWebhook(after),
      before: webhookSnapshot(before),
      after: webhookSnapshot(after),
    });
  });
  return readWebhook(context.db, context.actor, webhookId);
}
