/** The wiring of webhooks: a client of their own, with a list of its own of where receivers may be. */
import packageJson from '../package.json' with { type: 'json' };
import { type Instruments, measuredSend } from './compose-measured.ts';
import { type Config, isLoopbackDeployment } from './config/config.ts';
import { EventDeliveries } from './jobs/deliver-events.ts';
import { sendWebhookMessage } from './jobs/webhook-message.ts';
import type { Log } from './observability/log.ts';
import { type AllowRules, literalObjection, parseOutboundAllow } from './outbound/address-rules.ts';
import { createMessagePost, type MessagePost } from './outbound/message-post.ts';
import type { ChangeContext } from './registry/change.ts';
import { RegistryError } from './registry/registry-error.ts';
import { activeWebhookIds, lastDeliveredAt } from './registry/webhooks/deliveries.ts';
import type { SendPing } from './registry/webhooks/ping-webhook.ts';
import { transitionWebhook } from './registry/webhooks/transition-webhook.ts';
import type { SealWebhookSecret } from './registry/webhooks/webhook.ts';
import type { MasterKey } from './signer/sealing.ts';
import { openWebhookSecret, sealWebhookSecret } from './signer/webhook-secrets.ts';
import type { Db } from './storage/connect.ts';

/** Name of the setting that lets receivers be at private addresses. */
export const WEBHOOK_ALLOW_SETTING = 'HOLDFAST_WEBHOOK_ALLOW';

export interface WebhookParts {
  config: Config;
  db: Db;
  log: Log;
  extraCas: readonly string[];
  masterKey: MasterKey;
  /** For changes that the service itself makes. */
  changeContext: () => ChangeContext;
  instruments: Instruments;
}

export interface ComposedWebhooks extends AsyncDisposable {
  deliveries: EventDeliveries;
  /** Webhooks that are to be delivered to. */
  activeIds: () => Promise<string[]>;
  /** When a receiver last took an event; null: none that is still on record. */
  lastDeliveredAt: () => Promise<Date | null>;
  sealSecret: SealWebhookSecret;
  sendPing: SendPing;
}

/** A deployment on localhost is somebody trying it out, with receivers on the same machine. */
function receiversAllowed(config: Config): AllowRules {
  const ownMachine = isLoopbackDeployment(config) ? ['localhost', '127.0.0.0/8', '::1'] : [];
  const allowed = [...ownMachine, config.webhookAllow].filter((entries) => entries.trim() !== '');
  return parseOutboundAllow(allowed.join(','), WEBHOOK_ALLOW_SETTING);
}

/** What is wrong with a URL whose host is an address that deliveries will never go to. */
export function webhookUrlObjections(config: Config): (url: string) => string | undefined {
  const allow = receiversAllowed(config);
  return (url) => {
    const objection = literalObjection(url, allow);
    return (
      objection && `is at an address that is ${objection}: nothing is delivered there unless ${allow.setting} allows it`
    );
  };
}

export function composeWebhooks(parts: WebhookParts): ComposedWebhooks {
  const { config, db, log, extraCas, masterKey, changeContext, instruments } = parts;
  const client = createMessagePost({
    allow: receiversAllowed(config),
    allowHttp: config.allowHttp,
    userAgent: `holdfast/${packageJson.version}`,
    extraCas,
  });
  const measured = measuredSend('webhooks', instruments);
  const post: MessagePost['post'] = (target, message, signal) =>
    measured('POST', () => client.post(target, message, signal));
  const messages = {
    post,
    openSecret: (sealed: Uint8Array, webhookId: string) => openWebhookSecret(masterKey, sealed, webhookId),
    now: () => new Date(),
  };
  return {
    deliveries: new EventDeliveries({
      ...messages,
      ...{ db, random: Math.random, onFailing: log.webhookFailing },
      pause: async (webhookId, reason) => {
        try {
          await transitionWebhook(changeContext(), webhookId, 'pause', reason);
        } catch (error) {
          // Somebody was faster.
          if (!(error instanceof RegistryError) || error.code !== 'illegal_transition') throw error;
        }
      },
    }),
    activeIds: () => activeWebhookIds(db),
    lastDeliveredAt: () => lastDeliveredAt(db),
    sealSecret: (secret, webhookId) => sealWebhookSecret(masterKey, secret, webhookId),
    sendPing: async (webhook, event) => {
      const attempt = await sendWebhookMessage(messages, webhook, event);
      return { status: attempt.status, failure: attempt.isDelivered ? null : attempt.failure };
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
