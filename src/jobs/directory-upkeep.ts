/** The upkeep of the directory: members reminded and judged, findings taken, and once a day every configuration reviewed. */
import type { ChangeContext } from '../registry/change.ts';
import { keepMembersAlive, type MemberUpkeep } from './keep-members-alive.ts';
import { type ConfigurationReview, reviewConfigurations } from './review-configurations.ts';

export interface DirectoryUpkeepOptions extends MemberUpkeep, Pick<ConfigurationReview, 'identifiers'> {
  changeContext: () => ChangeContext;
}

const REVIEW_EVERY_MS = 86_400_000;
const FIRST_REVIEW_AFTER_MS = 1_800_000;

/** One for each node. All of it may be done twice without harm; what others are told of is done by one. */
export class DirectoryUpkeep {
  readonly #options: DirectoryUpkeepOptions;
  #reviewedAtMs: number | undefined;

  constructor(options: DirectoryUpkeepOptions) {
    this.#options = options;
  }

  async run(signal?: AbortSignal): Promise<void> {
    const { changeContext, identifiers, onError } = this.#options;
    await keepMembersAlive(this.#options, signal);
    const { db, now } = changeContext();
    // A node that just started has other things to do.
    this.#reviewedAtMs ??= now.getTime() - REVIEW_EVERY_MS + FIRST_REVIEW_AFTER_MS;
    // Either way, so that a clock that goes back stops nothing.
    const isDue = Math.abs(now.getTime() - this.#reviewedAtMs) >= REVIEW_EVERY_MS;
    if (!isDue || signal?.aborted === true) return;
    await reviewConfigurations({ db, now: () => changeContext().now, identifiers, onError }, signal);
    this.#reviewedAtMs = now.getTime();
  }
}
