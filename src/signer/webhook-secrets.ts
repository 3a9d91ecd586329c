/** Secrets of webhooks: sealed at rest, each opens for one webhook alone; and the signatures that they make. */
import { createHmac } from 'node:crypto';
import type { MasterKey, SealContext } from './sealing.ts';

export function sealWebhookSecret(masterKey: MasterKey, secret: string, webhookId: string): Uint8Array {
  return masterKey.seal(Buffer.from(secret), contextOf(webhookId));
}

/** @throws UnsealError */
export function openWebhookSecret(masterKey: MasterKey, sealed: Uint8Array, webhookId: string): string {
  return Buffer.from(masterKey.unseal(sealed, contextOf(webhookId))).toString();
}

function contextOf(webhookId: string): SealContext {
  return { owner: webhookId, kid: 'secret', purpose: 'webhook' };
}

/** A message as it is signed. */
export interface WebhookMessage {
  id: string;
  /** Of the attempt, in seconds. */
  timestamp: number;
  /** The very bytes that are sent. */
  body: string;
}

const PREFIX = 'whsec_';

/**
 * The `webhook-signature` by all of the secrets: who knows one of them can verify it.
 * @see Standard Webhooks, Signature scheme
 */
export function signWebhookMessage(secrets: readonly string[], { id, timestamp, body }: WebhookMessage): string {
  const content = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  });
  return signatures.join(' ');
}
