/** Host names on which hosted entities are, in memory as of the registry's seq: every request to a page asks for it. */
import { eq, isNull, sql } from 'drizzle-orm';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { hostedEntities } from '../../storage/schema/hosted-entities.ts';
import { type HostingSites, hostnameOf } from './hosting-place.ts';

/**
 * Our own, one of a partner's, or one that nobody approved an entity on yet: whoever enrols alone must not take a host
 * away from what is there otherwise.
 */
export type HostKind = 'ours' | 'partner' | 'awaited';

/** What begins or ends hosting. */
const CONCERNED: ReadonlySet<string> = new Set([
  'entity.add',
  'entity.approve',
  'entity.reject',
  'entity.withdraw',
  'entity.revoke',
  'entity.stop_hosting',
]);

export class HostingHosts {
  readonly #db: Db;
  readonly #ours: string | undefined;
  #partners: ReadonlyMap<string, HostKind> = new Map();

  constructor(db: Db, { hostedBaseUrl }: Pick<HostingSites, 'hostedBaseUrl'>) {
    this.#db = db;
    this.#ours = hostedBaseUrl && hostnameOf(hostedBaseUrl);
  }

  async reload(): Promise<void> {
    const rows = await this.#db
      .select({ hostname: hostedEntities.hostname, isAwaited: sql<boolean>`bool_and(${entities.state} = 'pending')` })
      .from(hostedEntities)
      .innerJoin(entities, eq(entities.id, hostedEntities.entityId))
      .where(isNull(hostedEntities.endedAt))
      .groupBy(hostedEntities.hostname);
    this.#partners = new Map(rows.map(({ hostname, isAwaited }) => [hostname, isAwaited ? 'awaited' : 'partner']));
  }

  async follow(changes: readonly RegistryChange[]): Promise<void> {
    if (changes.some(({ action }) => CONCERNED.has(action))) await this.reload();
  }

  /** @param hostname lower case, without port and final dot */
  kindOf(hostname: string): HostKind | undefined {
    return hostname === this.#ours ? 'ours' : this.#partners.get(hostname);
  }
}
