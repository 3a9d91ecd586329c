/** Host names on which hosted entities are, in memory as of the registry's seq: every request to a page asks for it. */
import { and, eq, isNull, or, type SQL } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
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
  'organisation.reject',
  'organisation.withdraw',
  'organisation.revoke',
]);

interface HostedThere {
  entityId: string;
  organisationId: string;
  hostname: string;
  isAwaited: boolean;
}

export class HostingHosts {
  readonly #db: Db;
  readonly #ours: string | undefined;
  readonly #hosted = new Map<string, HostedThere>();
  /** By host name: how many entities are there, and how many of them wait for approval. */
  readonly #partners = new Map<string, { all: number; awaited: number }>();

  constructor(db: Db, { hostedBaseUrl }: Pick<HostingSites, 'hostedBaseUrl'>) {
    this.#db = db;
    this.#ours = hostedBaseUrl && hostnameOf(hostedBaseUrl);
  }

  async reload(): Promise<void> {
    const rows = await this.#read();
    this.#replace([...this.#hosted.keys()], rows);
  }

  /** Reads anew what changed, and nothing else. */
  async follow(changes: readonly RegistryChange[]): Promise<void> {
    const concerned = changes.filter(({ action }) => CONCERNED.has(action));
    if (concerned.length === 0) return;
    const idsOf = (kind: string) =>
      new Set(concerned.flatMap(({ subjectKind, subjectId }) => (subjectKind === kind ? [subjectId] : [])));
    const [entityIds, organisationIds] = [idsOf('entity'), idsOf('organisation')];
    const rows = await this.#read(
      or(isAnyOf(entities.id, [...entityIds]), isAnyOf(entities.organisationId, [...organisationIds])),
    );
    const known = [...this.#hosted.values()].filter(
      ({ entityId, organisationId }) => entityIds.has(entityId) || organisationIds.has(organisationId),
    );
    this.#replace(
      known.map(({ entityId }) => entityId),
      rows,
    );
  }

  /** @param hostname lower case, without port and final dot */
  kindOf(hostname: string): HostKind | undefined {
    if (hostname === this.#ours) return 'ours';
    const there = this.#partners.get(hostname);
    return there && (there.awaited === there.all ? 'awaited' : 'partner');
  }

  async #read(condition?: SQL): Promise<HostedThere[]> {
    const rows = await this.#db
      .select({
        entityId: entities.id,
        organisationId: entities.organisationId,
        hostname: hostedEntities.hostname,
        state: entities.state,
      })
      .from(hostedEntities)
      .innerJoin(entities, eq(entities.id, hostedEntities.entityId))
      .where(and(isNull(hostedEntities.endedAt), condition));
    return rows.map(({ state, ...row }) => ({ ...row, isAwaited: state === 'pending' }));
  }

  #replace(gone: readonly string[], rows: readonly HostedThere[]): void {
    for (const entityId of gone) {
      const there = this.#hosted.get(entityId);
      if (there !== undefined) this.#count(there, -1);
      this.#hosted.delete(entityId);
    }
    for (const row of rows) {
      this.#hosted.set(row.entityId, row);
      this.#count(row, 1);
    }
  }

  #count({ hostname, isAwaited }: HostedThere, by: 1 | -1): void {
    const { all, awaited } = this.#partners.get(hostname) ?? { all: 0, awaited: 0 };
    const counted = { all: all + by, awaited: awaited + (isAwaited ? by : 0) };
    if (counted.all === 0) this.#partners.delete(hostname);
    else this.#partners.set(hostname, counted);
  }
}
