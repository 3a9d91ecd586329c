/** Sends one message to the receiver of a webhook, signed as Standard Webhooks has it. */
import { FederationError } from '../federation/errors.ts';
import type { MessagePost } from '../outbound/message-post.ts';
import type { EventBody } from '../registry/events/event-body.ts';
import type { WebhookRow } from '../registry/webhooks/webhook.ts';
import { signWebhookMessage } from '../signer/webhook-secrets.ts';

export interface WebhookMessages {
  post: MessagePost['post'];
  /** The secret that was sealed for a webhook. */
  openSecret: (sealed: Uint8Array, webhookId: string) => string;
  now: () => Date;
}

/** What is known of an attempt. */
export type Attempt =
  | { isDelivered: true; status: number }
  | {
      isDelivered: false;
      /** null: there was no answer. */
      status: number | null;
      failure: string;
      /** For how long the receiver wants to be left alone. */
      askedSeconds: number | undefined;
    };

/** Statuses whose `Retry-After` is heeded. @see Standard Webhooks, Deliverability */
const ASKS_TO_WAIT: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * The body is written out anew each time, to the same bytes; the time is that of the attempt.
 * @throws the reason of `signal` once that is aborted
 */
export async function sendWebhookMessage(
  { post, openSecret, now }: WebhookMessages,
  webhook: WebhookRow,
  event: EventBody,
  signal?: AbortSignal,
): Promise<Attempt> {
  const body = JSON.stringify(event);
  const at = now();
  const timestamp = Math.floor(at.getTime() / 1000);
  const secrets = secretsAt(webhook, at).map((sealed) => openSecret(sealed, webhook.id));
  const headers = {
    'webhook-id': event.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signWebhookMessage(secrets, { id: event.id, timestamp, body }),
  };
  try {
    const answer = await post(webhook.url, { contentType: 'application/json', headers, body }, signal);
    const { status, retryAfterSeconds } = answer;
    if (status >= 200 && status <= 299) return { isDelivered: true, status };
    const askedSeconds = ASKS_TO_WAIT.has(status) ? retryAfterSeconds : undefined;
    return { isDelivered: false, status, failure: failureOf(status), askedSeconds };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof FederationError)) throw error;
    const failure = `${error.reason}: ${error.message}`.slice(0, 500);
    return { isDelivered: false, status: null, failure, askedSeconds: undefined };
  }
}

/** The present one, and for a day the one before. */
function secretsAt({ sealedSecret, previousSealedSecret, previousSecretUntil }: WebhookRow, at: Date): Uint8Array[] {
  const isPreviousGood = previousSealedSecret !== null && previousSecretUntil !== null && at < previousSecretUntil;
  return isPreviousGood ? [sealedSecret, previousSealedSecret] : [sealedSecret];
}

function failureOf(status: number): string {
  if (status >= 300 && status <= 399) return `it answered ${status}, a redirect; redirects are not followed`;
  return `it answered ${status}`;
}
