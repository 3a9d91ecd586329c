/** Adds a webhook: from then on its receiver is told of what happens. */
import { webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { requireStart, seqNow } from './kept-events.ts';
import { readWebhook } from './read-webhook.ts';
import {
  auditedWebhook,
  newWebhookSecret,
  requireReachableUrl,
  requireRolesOf,
  requireRoomForWebhook,
  requireValidWebhook,
  type SealWebhookSecret,
  type Webhook,
  type WebhookFields,
  type WebhookRow,
  webhookSnapshot,
} from './webhook.ts';

export interface NewWebhook extends Partial<WebhookFields> {
  name: string;
  url: string;
  /** null: events of all authorities, and of the deployment itself. */
  authorityId: string | null;
  /** Begins with the events after this seq; without it with what happens from now on. */
  afterSeq?: number;
}

export interface WebhookWithSecret {
  webhook: Webhook;
  /** Shown this once. */
  secret: string;
}

/** @throws RegistryError not_found, role_missing, validation_failed, limit_reached, resync_required */
export async function addWebhook(
  context: ChangeContext,
  { authorityId, name, url, types = [], roleIds = [], afterSeq }: NewWebhook,
  seal: SealWebhookSecret,
): Promise<WebhookWithSecret> {
  const { actor, db, now } = context;
  authorise(actor, ACCESS.addWebhook.roles, authorityId);
  if (authorityId !== null) await readAuthority(db, actor, authorityId);
  const fields = { name, url, types, roleIds };
  requireValidWebhook(fields, context);
  requireReachableUrl(url, context);
  const id = context.newId();
  const secret = newWebhookSecret();
  await changeRegistry(context, async (tx, record) => {
    await requireRoomForWebhook(tx);
    await requireRolesOf(tx, authorityId, roleIds);
    if (afterSeq !== undefined) await requireStart(tx, afterSeq, '/afterSeq');
    const row: WebhookRow = {
      ...{ id, authorityId, ...fields },
      sealedSecret: seal(secret, id),
      ...{ previousSealedSecret: null, previousSecretUntil: null },
      ...{ state: 'active', stateReason: null, stateChangedAt: now },
      plannedThroughSeq: afterSeq ?? (await seqNow(tx)),
      ...{ version: 1, createdAt: now },
    };
    await tx.insert(webhooks).values(row);
    record({ action: 'webhook.add', ...auditedWebhook(row), after: webhookSnapshot(row) });
  });
  return { webhook: await readWebhook(db, actor, id), secret };
}
