/** A member that is always suspended knocks at every gateway: one that lets it in lets in anybody. */
import { FederationError } from '../federation/errors.ts';
import type { ProbeAnswer } from '../outbound/status-probe.ts';
import { type CanaryTrial, claimTrials, type DueTrial, saveTrial } from '../registry/canary/canary-trials.ts';
import type { Db } from '../storage/connect.ts';

/** What a log is told of a trial. */
export interface CanaryReport {
  enforcementPoint: string;
  enforcementPointId: string;
  url: string;
  detail: string;
}

export interface CanaryOptions {
  db: Db;
  intervalSeconds: number;
  /** Shows the certificate there. @throws FederationError */
  knock: (url: string, signal?: AbortSignal) => Promise<ProbeAnswer>;
  /** Why a trial in an authority would tell nothing: nobody there who is suspended has the certificate. */
  objection: (authorityId: string) => string | undefined;
  onAdmitted: (report: CanaryReport) => void;
  /** Told when that is new, or other than before. */
  onUnclear: (report: CanaryReport) => void;
}

type Outcome = Omit<CanaryTrial, 'triedAt'>;

const AT_A_TIME = 8;

const MAX_REASON_LENGTH = 200;

/** One for each node: what one of them has claimed the others leave alone. */
export class Canary {
  readonly #options: CanaryOptions;
  /** What was unclear of an enforcement point the last time. */
  readonly #unclear = new Map<string, string>();

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Knocks wherever it is time. */
  async run(signal?: AbortSignal): Promise<void> {
    const { db, intervalSeconds } = this.#options;
    const due = await claimTrials(db, intervalSeconds);
    while (due.length > 0 && signal?.aborted !== true) {
      // Whoever waits for the round waits for all of it, also when one part fails.
      const tried = await Promise.allSettled(due.splice(0, AT_A_TIME).map((trial) => this.#try(trial, signal)));
      const failed = tried.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  async #try(trial: DueTrial, signal: AbortSignal | undefined): Promise<void> {
    const { db, onAdmitted, onUnclear } = this.#options;
    const { enforcementPointId, name, canaryUrl } = trial;
    const outcome = await this.#outcomeOf(trial, signal);
    if (signal?.aborted === true) return;
    const { detail } = outcome;
    const report = { enforcementPoint: name, enforcementPointId, url: canaryUrl, detail };
    if (outcome.outcome === 'admitted') onAdmitted(report);
    if (outcome.outcome !== 'unclear') this.#unclear.delete(enforcementPointId);
    else if (this.#unclear.get(enforcementPointId) !== detail) {
      this.#unclear.set(enforcementPointId, detail);
      onUnclear(report);
    }
    await saveTrial(db, enforcementPointId, outcome);
  }

  async #outcomeOf({ authorityId, canaryUrl }: DueTrial, signal: AbortSignal | undefined): Promise<Outcome> {
    const objection = this.#options.objection(authorityId);
    if (objection !== undefined) return { outcome: 'unclear', status: null, detail: `not tried: ${objection}` };
    try {
      return judge(await this.#options.knock(canaryUrl, signal));
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      return { outcome: 'unclear', status: null, detail: error.message };
    }
  }
}

/** A refusal for any other reason, as of a gateway that asks nobody for a certificate, would meet those in good standing too. */
function judge({ status, reason }: ProbeAnswer): Outcome {
  if (status === 401 || status === 403) {
    if (reason.split(/[\s,]+/).includes('suspended'))
      return { outcome: 'refused', status, detail: `refused with ${status}` };
    const seen = reason === '' ? 'nothing' : reason.replaceAll(/[^ -~]/g, '?').slice(0, MAX_REASON_LENGTH);
    const detail = `refused with ${status}, but Holdfast-Reason does not say suspended: ${seen}`;
    return { outcome: 'unclear', status, detail };
  }
  if (status < 400) return { outcome: 'admitted', status, detail: `let in: it was answered with ${status}` };
  return { outcome: 'unclear', status, detail: `answered with ${status}, which is neither yes nor no` };
}
