/** Gives a webhook a new secret; the one before signs beside it for a day. */
import { eq } from 'drizzle-orm';
import { webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import type { WebhookWithSecret } from './add-webhook.ts';
import { readWebhook } from './read-webhook.ts';
import {
  auditedWebhook,
  lockWebhook,
  newWebhookSecret,
  PREVIOUS_SECRET_SECONDS,
  type SealWebhookSecret,
  webhookSnapshot,
} from './webhook.ts';

export interface RotationOptions {
  /** The secret before ends at once, as after a leak. */
  isPreviousEnded?: boolean | undefined;
}

/** @throws RegistryError not_found, role_missing, illegal_transition when it is removed */
export async function rotateWebhookSecret(
  context: ChangeContext,
  webhookId: string,
  seal: SealWebhookSecret,
  { isPreviousEnded = false }: RotationOptions = {},
): Promise<WebhookWithSecret> {
  const { authorityId } = await readWebhook(context.db, context.actor, webhookId);
  authorise(context.actor, ACCESS.rotateWebhookSecret.roles, authorityId);
  const secret = newWebhookSecret();
  await changeRegistry(context, async (tx, record) => {
    const before = await lockWebhook(tx, webhookId);
    const until = new Date(context.now.getTime() + PREVIOUS_SECRET_SECONDS * 1000);
    const after = {
      ...before,
      sealedSecret: seal(secret, webhookId),
      previousSealedSecret: isPreviousEnded ? null : before.sealedSecret,
      previousSecretUntil: isPreviousEnded ? null : until,
      version: before.version + 1,
    };
    await tx.update(webhooks).set(after).where(eq(webhooks.id, webhookId));
    const previousSecretUntil = after.previousSecretUntil?.toISOString() ?? null;
    record({
      action: 'webhook.rotate_secret',
      ...auditedWebhook(after),
      before: webhookSnapshot(before),
      after: { ...webhookSnapshot(after), previousSecretUntil },
    });
  });
  return { webhook: await readWebhook(context.db, context.actor, webhookId), secret };
}
