/** Walks the lists of Intermediates elsewhere, ahead of any question, for the Entity Collection. @see COLLECTION §2 */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import type { Clock } from '../federation/time.ts';
import { isPublishedKey } from '../registry/authorities/authority.ts';
import type { AuthorityDirectory, ServedAuthority } from '../registry/authorities/authority-directory.ts';
import { authoritiesBelow } from '../registry/collection/authorities-below.ts';
import { saveBranch } from '../registry/collection/save-branch.ts';
import {
  claimWalk,
  type DueWalk,
  mayVouch,
  planNextWalk,
  scheduleWalks,
  WALK_LEASE_SECONDS,
} from '../registry/collection/walks.ts';
import type { Db } from '../storage/connect.ts';
import { type BranchWalkOptions, walkBranch } from './walk-branch.ts';

export interface CollectionWalksOptions extends Omit<BranchWalkOptions, 'isOwn'> {
  db: Db;
  clock: Clock;
  directory: Pick<AuthorityDirectory, 'all'>;
  /** From one walk below an Intermediate to the next. */
  intervalSeconds: number;
  /** Uniform in [0, 1). */
  random: () => number;
  /** One branch's trouble does not hold up the others. */
  onError: (error: unknown, entityIdentifier: string) => void;
}

/** Towards all authorities together; well within the lease. */
const MAX_WALK_MS = (WALK_LEASE_SECONDS * 1000) / 2;
/** Whoever was trouble before does not keep the others waiting. */
const MAX_WALK_AFTER_TROUBLE_MS = 60_000;
/** A new Intermediate is walked within so long, spread by chance. */
const FIRST_WALK_WITHIN_SECONDS = 60;

/** One for each node: what one of them has claimed the others leave alone. */
export class CollectionWalks {
  readonly #options: CollectionWalksOptions;

  constructor(options: CollectionWalksOptions) {
    this.#options = options;
  }

  /** Walks all branches that are due, one after another, until none is or it is told to stop. */
  async run(signal?: AbortSignal): Promise<void> {
    const { db, directory } = this.#options;
    const own = directory.all.map(({ authority }) => authority.entityIdentifier);
    await scheduleWalks(db, own, FIRST_WALK_WITHIN_SECONDS);
    while (signal?.aborted !== true) {
      const due = await claimWalk(db);
      if (due === undefined) return;
      await this.#walk(due, signal);
    }
  }

  async #walk(due: DueWalk, signal: AbortSignal | undefined): Promise<void> {
    const { db, clock, onError } = this.#options;
    let hasTrouble = true;
    try {
      hasTrouble = await this.#walkTowardsAll(due, signal);
    } catch (error) {
      // What was not finished is for the node that claims it after the lease.
      if (signal?.aborted === true) return;
      onError(error, due.entityIdentifier);
    }
    await planNextWalk(db, due, hasTrouble, { ...this.#options, now: new Date(clock.now() * 1000) });
  }

  /** Towards each authority of ours that collects what is below the Intermediate. @returns whether there was trouble */
  async #walkTowardsAll(due: DueWalk, stop: AbortSignal | undefined): Promise<boolean> {
    const { db, clock, directory } = this.#options;
    const superior = directory.all.find(({ authority }) => authority.id === due.authorityId)?.authority;
    if (superior === undefined) return false;
    const ended = AbortSignal.timeout(due.failures > 0 ? MAX_WALK_AFTER_TROUBLE_MS : MAX_WALK_MS);
    const signal = stop === undefined ? ended : AbortSignal.any([stop, ended]);
    const own = new Set<string>(directory.all.map(({ authority }) => authority.entityIdentifier));
    const isOwn = (identifier: string) => own.has(identifier);
    let hasTrouble = false;
    for (const { authority, keys } of await this.#collecting(due)) {
      const jwks = { keys: keys.filter(isPublishedKey).map(({ publicJwk }) => publicJwk) } as JwkSet;
      const { found, gone, ...walk } = await walkBranch(
        { ...this.#options, isOwn },
        {
          branch: due.entityIdentifier as EntityIdentifier,
          superior: superior.entityIdentifier as EntityIdentifier,
          trustAnchors: new Map([[authority.entityIdentifier as EntityIdentifier, jwks]]),
          signal,
        },
      );
      stop?.throwIfAborted();
      // Suspended meanwhile, nothing of it resolves; but all of it is to be back when it is.
      if (!(await mayVouch(db, due.entityId))) return true;
      const branch = { authorityId: authority.id, branchId: due.entityId };
      await saveBranch(db, { ...branch, found, gone }, new Date(clock.now() * 1000));
      hasTrouble ||= walk.hasTrouble;
    }
    return hasTrouble;
  }

  async #collecting({ authorityId }: DueWalk): Promise<ServedAuthority[]> {
    const { db, directory } = this.#options;
    const all = directory.all.map(({ authority }) => authority);
    const collecting: ServedAuthority[] = [];
    for (const served of directory.all) {
      const below = await authoritiesBelow(db, served.authority, all);
      if (below.some(({ id }) => id === authorityId)) collecting.push(served);
    }
    return collecting;
  }
}
