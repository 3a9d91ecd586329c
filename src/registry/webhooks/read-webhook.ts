/** Reads webhooks with how far they have come; lists have what is removed if asked for it. */
import { and, asc, eq, getTableColumns, gt, ne, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { type Actor, isMember, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import type { Webhook, WebhookHealth, WebhookState } from './webhook.ts';

/** Also one that was removed. @throws RegistryError not_found (also when it is out of reach), role_missing */
export async function readWebhook(db: Db | Tx, actor: Actor, id: string): Promise<Webhook> {
  requireRole(actor, ACCESS.readWebhook.roles);
  const [webhook] = isRecordId(id) ? await select(db, eq(webhooks.id, id), 1) : [];
  if (webhook === undefined || !reachesWebhook(actor, webhook)) throw notFound('webhook', id);
  return webhook;
}

/** What tells of all authorities is there for those who reach them all. */
function reachesWebhook(actor: Actor, { authorityId }: Pick<Webhook, 'authorityId'>): boolean {
  return authorityId === null ? actor.authorities === 'all' && !isMember(actor) : reaches(actor, authorityId);
}

export interface WebhookFilter {
  authorityId?: string;
  name?: string;
  /** Without it all but those removed. */
  state?: WebhookState;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listWebhooks(
  db: Db,
  actor: Actor,
  { authorityId, name, state }: WebhookFilter,
  request: PageRequest,
): Promise<Page<Webhook>> {
  const reached = inReach(actor, ACCESS.listWebhooks.roles, { authority: webhooks.authorityId }, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      reached,
      name === undefined ? undefined : eq(webhooks.name, name),
      state === undefined ? ne(webhooks.state, 'removed') : eq(webhooks.state, state),
      after === undefined ? undefined : gt(webhooks.id, after),
    ),
    request.limit + 1,
  );
  return pageOf(found, request);
}

const { sealedSecret: _, previousSealedSecret: __, ...SHOWN } = getTableColumns(webhooks);

/** Each by an index of its own: what was delivered is never counted. */
const HEALTH = {
  lastSuccessAt: sql<string | null>`(SELECT to_json(max(delivered_at)) #>> '{}' FROM webhook_deliveries
    WHERE webhook_id = webhooks.id AND state = 'delivered')`,
  waiting: sql<number>`(SELECT count(*)::int FROM webhook_deliveries
    WHERE webhook_id = webhooks.id AND state = 'waiting')`,
  dead: sql<number>`(SELECT count(*)::int FROM webhook_deliveries
    WHERE webhook_id = webhooks.id AND state = 'dead')`,
  oldestWaiting: sql<OldestWaiting | null>`(SELECT json_build_object('seq', seq, 'since', planned_at,
    'attempts', attempts, 'lastStatus', last_status, 'lastFailure', last_failure) FROM webhook_deliveries
    WHERE webhook_id = webhooks.id AND state = 'waiting' ORDER BY seq, ordinal LIMIT 1)`,
};

/** As JSON has it. */
type OldestWaiting = Omit<NonNullable<WebhookHealth['oldestWaiting']>, 'since'> & { since: string };

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<Webhook[]> {
  const rows = await db
    .select({ ...SHOWN, ...HEALTH })
    .from(webhooks)
    .where(where)
    .orderBy(asc(webhooks.id))
    .limit(limit);
  return rows.map(({ lastSuccessAt, waiting, dead, oldestWaiting, ...webhook }) => ({
    ...webhook,
    health: {
      lastSuccessAt: lastSuccessAt === null ? null : new Date(lastSuccessAt),
      waiting,
      dead,
      oldestWaiting: oldestWaiting && { ...oldestWaiting, since: new Date(oldestWaiting.since) },
    },
  }));
}
