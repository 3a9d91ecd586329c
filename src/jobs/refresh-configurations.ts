/** Fetches the configurations of active entities again, now and then, spread over an interval. @see OIDFED §11.1 */
import type { RetrieveConfiguration } from '../enrolment/configuration-checks.ts';
import { refreshEntity } from '../enrolment/refresh-entity.ts';
import type { ChangeContext } from '../registry/change.ts';
import {
  claimDue,
  type DueRefresh,
  forgetRefreshes,
  planNext,
  scheduleNew,
} from '../registry/entities/keys/refreshes.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Db } from '../storage/connect.ts';

export interface ConfigurationRefreshesOptions {
  db: Db;
  /** Acts for the service itself, at the present moment. */
  changeContext: () => ChangeContext;
  retrieveConfiguration: RetrieveConfiguration;
  /** From one refresh of an entity to the next. */
  intervalSeconds: number;
  /** Configurations fetched at a time. */
  concurrency?: number;
  /** Uniform in [0, 1). */
  random: () => number;
  /** One entity's trouble does not hold up the others. */
  onError: (error: unknown, entityId: string) => void;
}

const DEFAULT_CONCURRENCY = 8;
/** Claimed at once by each of those that fetch; the lease covers them all, even if each takes its full time. */
const CLAIMED_AT_ONCE = 4;
/** Looking for entities that were not planned yet takes a look at all of them. */
const PLAN_EVERY_SECONDS = 60;

/** One for each node: what one of them has claimed the others leave alone. */
export class ConfigurationRefreshes {
  readonly #options: ConfigurationRefreshesOptions;
  #plannedAt: number | undefined;

  constructor(options: ConfigurationRefreshesOptions) {
    this.#options = options;
  }

  /** Refreshes all that is due, until nothing is or it is told to stop. */
  async run(signal?: AbortSignal): Promise<void> {
    const { concurrency = DEFAULT_CONCURRENCY } = this.#options;
    await this.#plan(signal);
    // Whoever waits for the round waits for all of it, also when one part fails.
    const parts = await Promise.allSettled(Array.from({ length: concurrency }, () => this.#work(signal)));
    const failed = parts.find((part) => part.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #plan(signal: AbortSignal | undefined): Promise<void> {
    const { db, changeContext, intervalSeconds } = this.#options;
    const { now } = changeContext();
    const seconds = now.getTime() / 1000;
    // Either way, so that a clock that goes back stops nothing.
    if (this.#plannedAt !== undefined && Math.abs(seconds - this.#plannedAt) < PLAN_EVERY_SECONDS) return;
    await scheduleNew(db, intervalSeconds, signal);
    this.#plannedAt = seconds;
  }

  async #work(signal: AbortSignal | undefined): Promise<void> {
    const { db } = this.#options;
    const isStopped = () => signal?.aborted === true;
    while (!isStopped()) {
      const due = await claimDue(db, CLAIMED_AT_ONCE);
      if (due.length === 0) return;
      for (const one of due) {
        // What was claimed and not begun is anybody's after the lease.
        if (!isStopped()) await this.#refresh(one);
      }
    }
  }

  async #refresh(due: DueRefresh): Promise<void> {
    const { db, changeContext, retrieveConfiguration, onError, intervalSeconds, random } = this.#options;
    let hasFailed = false;
    try {
      const { outcome } = await refreshEntity(changeContext(), due.entityId, retrieveConfiguration);
      hasFailed = FAILURES.has(outcome);
    } catch (error) {
      if (!(error instanceof RegistryError)) onError(error, due.entityId);
      // Closed for good, or enrolled in a way that leaves nothing to fetch.
      else if (error.code === 'illegal_transition' || error.code === 'checks_failed') {
        return await forgetRefreshes(db, [due.entityId]);
      }
      // While it is not active there is nothing to do; it is looked at again in its turn.
      else if (error.code !== 'entity_not_active') onError(error, due.entityId);
      hasFailed = !(error instanceof RegistryError);
    }
    await planNext(db, due, hasFailed, { intervalSeconds, random });
  }
}

const FAILURES: ReadonlySet<string> = new Set(['unavailable', 'invalid']);
