/** Webhooks as records: who is told of events, of which, and where. */
import { randomBytes } from 'node:crypto';
import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import { type IdentifierOptions, isEndpointUrl } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { roles } from '../../storage/schema/roles.ts';
import { type WebhookState, webhooks } from '../../storage/schema/webhooks.ts';
import { notFound } from '../actor.ts';
import type { AuditEntry, ChangeContext } from '../change.ts';
import { isEventTypeFilter } from '../events/event-types.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField, RegistryError } from '../registry-error.ts';

export type { WebhookState };

export type WebhookRow = typeof webhooks.$inferSelect;

/** How far it has come. */
export interface WebhookHealth {
  /** When the receiver last took an event, as far as that is still on record; null: never. */
  lastSuccessAt: Date | null;
  /** Deliveries that are to be made. */
  waiting: number;
  /** Deliveries given up, until they are replayed. */
  dead: number;
  /** The first of those that wait; null: none does. */
  oldestWaiting: {
    seq: number;
    /** Since when it waits. */
    since: Date;
    attempts: number;
    lastStatus: number | null;
    lastFailure: string | null;
  } | null;
}

/** One as it may be shown: without its secrets, sealed or not. */
export interface Webhook extends Omit<WebhookRow, 'sealedSecret' | 'previousSealedSecret'> {
  health: WebhookHealth;
}

/** What may be changed. */
export interface WebhookFields {
  name: string;
  url: string;
  /** Types of events, or all of a kind such as `organisation.*`; none: all. */
  types: string[];
  /** Roles of which the member has one; none: whatever roles it has. */
  roleIds: string[];
}

/** Seals a secret under the master key, for one webhook; filled by whoever holds that. */
export type SealWebhookSecret = (secret: string, webhookId: string) => Uint8Array;

export const WEBHOOK_STATES = ['active', 'paused', 'removed'] as const satisfies readonly WebhookState[];

/** Each active one has a job of its own. */
export const MAX_WEBHOOKS = 200;
export const MAX_WEBHOOK_FILTERS = 100;

/** How long the secret before the last rotation signs beside the new one. */
export const PREVIOUS_SECRET_SECONDS = 86_400;

const SECRET_BYTES = 32;

/** @see Standard Webhooks, Signature scheme */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** @throws RegistryError validation_failed */
export function requireValidWebhook({ url, types }: WebhookFields, options: IdentifierOptions): void {
  if (!isEndpointUrl(url, options)) throw invalidField('/url', 'is no https URL without user info and fragment');
  const unknown = types.findIndex((type) => !isEventTypeFilter(type));
  if (unknown === -1) return;
  throw invalidField(`/types/${unknown}`, 'is neither a type of events nor all of a kind, such as organisation.*');
}

/** What could never be delivered to is refused while somebody looks. @throws RegistryError validation_failed */
export function requireReachableUrl(
  url: string,
  { webhookUrlObjection }: Pick<ChangeContext, 'webhookUrlObjection'>,
): void {
  const objection = webhookUrlObjection?.(url);
  if (objection !== undefined) throw invalidField('/url', objection);
}

/** @throws RegistryError validation_failed when one is no role, or none of the authority */
export async function requireRolesOf(tx: Tx, authorityId: string | null, roleIds: readonly string[]): Promise<void> {
  if (roleIds.length === 0) return;
  const known = await tx
    .select({ id: roles.id })
    .from(roles)
    .where(
      and(
        inArray(roles.id, roleIds.filter(isRecordId)),
        authorityId === null ? undefined : eq(roles.authorityId, authorityId),
      ),
    );
  const knownIds = new Set(known.map(({ id }) => id));
  const missing = roleIds.findIndex((roleId) => !knownIds.has(roleId));
  if (missing !== -1) throw invalidField(`/roleIds/${missing}`, 'is no role of what the webhook tells about');
}

/** Takes hold of one until the transaction ends. @throws RegistryError not_found, illegal_transition when it is removed */
export async function lockWebhook(tx: Tx, id: string): Promise<WebhookRow> {
  const [webhook] = await tx.select().from(webhooks).where(eq(webhooks.id, id)).for('no key update');
  if (webhook === undefined) throw notFound('webhook', id);
  if (webhook.state !== 'removed') return webhook;
  throw new RegistryError('illegal_transition', 'it is removed; add another one', { from: 'removed', allowed: [] });
}

/** @throws RegistryError limit_reached */
export async function requireRoomForWebhook(tx: Tx): Promise<void> {
  const [found] = await tx
    .select({ count: sql<number>`count(*)::int` })
    .from(webhooks)
    .where(ne(webhooks.state, 'removed'));
  if ((found?.count ?? 0) < MAX_WEBHOOKS) return;
  throw new RegistryError('limit_reached', `there are ${MAX_WEBHOOKS} webhooks already; remove one first`);
}

/** The address without its query, where some receivers have a secret. */
export function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : `${url.slice(0, query)}?…`;
}

export function webhookSnapshot({ name, url, types, roleIds, state, stateReason }: WebhookRow): JsonObject {
  return { name, url: withoutQuery(url), types, roleIds, state, stateReason };
}

export function auditedWebhook({
  id,
  authorityId,
}: Pick<WebhookRow, 'id' | 'authorityId'>): Pick<AuditEntry, 'authorityId' | 'subjectKind' | 'subjectId'> {
  return { authorityId, subjectKind: 'webhook', subjectId: id };
}
