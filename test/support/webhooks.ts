/** Webhooks in tests, and what can be done with them. */
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { addWebhook, type NewWebhook, type WebhookWithSecret } from '../../src/registry/webhooks/add-webhook.ts';
import { listDeliveries } from '../../src/registry/webhooks/list-deliveries.ts';
import { pingWebhook } from '../../src/registry/webhooks/ping-webhook.ts';
import { listWebhooks, readWebhook } from '../../src/registry/webhooks/read-webhook.ts';
import { removeWebhook } from '../../src/registry/webhooks/remove-webhook.ts';
import { replayDeliveries } from '../../src/registry/webhooks/replay-deliveries.ts';
import { rotateWebhookSecret } from '../../src/registry/webhooks/rotate-webhook-secret.ts';
import { transitionWebhook } from '../../src/registry/webhooks/transition-webhook.ts';
import { updateWebhook } from '../../src/registry/webhooks/update-webhook.ts';
import type { SealWebhookSecret } from '../../src/registry/webhooks/webhook.ts';
import { sealWebhookSecret } from '../../src/signer/webhook-secrets.ts';
import { REASON, TEST_MASTER_KEY, type TestRegistry } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

export const sealTestWebhookSecret: SealWebhookSecret = (secret, webhookId) =>
  sealWebhookSecret(TEST_MASTER_KEY, secret, webhookId);

/** One of an authority, for all its events, unless told otherwise. */
export async function addTestWebhook(
  registry: Pick<TestRegistry, 'context'>,
  settings: Partial<NewWebhook> & Pick<NewWebhook, 'authorityId'>,
): Promise<WebhookWithSecret> {
  const input = { name: 'receiver', url: 'https://receiver.example/events', ...settings };
  return await addWebhook(registry.context(), input, sealTestWebhookSecret);
}

const ADMIN: Pick<Verb, 'roles' | 'scope'> = { roles: ['admin'], scope: 'authority' };

type Attempt = Awaited<ReturnType<Verb['prepare']>>;

function ofWebhook(
  name: string,
  audit: string[],
  attempt: (id: string, ...context: Parameters<Attempt>) => Promise<unknown>,
  prepare: (registry: TestRegistry, id: string) => Promise<unknown> = async () => undefined,
): Verb {
  return {
    ...{ name, ...ADMIN, audit },
    prepare: async (registry: TestRegistry, { id: authorityId }: Authority) => {
      const { webhook } = await addTestWebhook(registry, { authorityId });
      await prepare(registry, webhook.id);
      return (context) => attempt(webhook.id, context);
    },
  };
}

const pause = (registry: TestRegistry, id: string) => transitionWebhook(registry.context(), id, 'pause', REASON);

export const WEBHOOK_VERBS: Verb[] = [
  ofWebhook('readWebhook', [], (id, { db, actor }) => readWebhook(db, actor, id)),
  {
    ...{ name: 'listWebhooks', ...ADMIN, audit: [] },
    prepare:
      async (_registry, { id }) =>
      ({ db, actor }) =>
        listWebhooks(db, actor, { authorityId: id }, { limit: 10 }),
  },
  ofWebhook('listDeliveries', [], (id, { db, actor }) => listDeliveries(db, actor, id, {}, { limit: 10 })),
  ofWebhook('pingWebhook', [], (id, context) => pingWebhook(context, id, async () => ({ status: 204, failure: null }))),
  {
    ...{ name: 'addWebhook', ...ADMIN, audit: ['webhook.add'] },
    prepare:
      async (_registry, { id: authorityId }) =>
      (context) =>
        addWebhook(context, { authorityId, name: 'x', url: 'https://x.example' }, sealTestWebhookSecret),
  },
  ofWebhook('updateWebhook', ['webhook.update'], (id, context) => updateWebhook(context, id, { name: 'other' })),
  ofWebhook('rotateWebhookSecret', ['webhook.rotate_secret'], (id, context) =>
    rotateWebhookSecret(context, id, sealTestWebhookSecret),
  ),
  ofWebhook('transitionWebhook (pause)', ['webhook.pause'], (id, context) =>
    transitionWebhook(context, id, 'pause', REASON),
  ),
  ofWebhook(
    'transitionWebhook (resume)',
    ['webhook.resume'],
    (id, context) => transitionWebhook(context, id, 'resume', REASON),
    pause,
  ),
  ofWebhook('replayDeliveries', ['webhook.replay'], (id, context) => replayDeliveries(context, id, { what: 'dead' })),
  ofWebhook('removeWebhook', ['webhook.remove'], (id, context) => removeWebhook(context, id)),
];
