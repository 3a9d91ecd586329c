/** Starts every periodic round of the service. */
import type { Composition } from './compose.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './federation/time.ts';
import { clearToken } from './jobs/clear-token.ts';
import { endOldDecisions } from './jobs/end-old-decisions.ts';
import type { Canary } from './jobs/knock-as-canary.ts';
import { makeDueAuditCheckpoint } from './jobs/make-audit-checkpoints.ts';
import { startPeriodic } from './jobs/periodic.ts';
import { sendMails } from './jobs/send-mails.ts';
import { createSteadyClockCheck } from './jobs/steady-clock.ts';
import type { Log } from './observability/log.ts';
import type { MailSender } from './outbound/mail-sender.ts';
import { SYSTEM } from './registry/prepare-deployment.ts';
import { pruneExpired } from './registry/prune-expired.ts';
import type { Pkcs11Custody } from './signer/custody/pkcs11/token-custody.ts';
import type { Database } from './storage/connect.ts';
import { databaseSeconds } from './storage/database-clock.ts';

/** What the rounds work on. */
export interface JobMaterials {
  config: Config;
  database: Database;
  composition: Composition;
  /** The PKCS#11 token, if one is set up. */
  token: Pkcs11Custody | undefined;
  /** Undefined where no mail is sent. */
  mailSender: MailSender | undefined;
  clock: Clock;
  log: Log;
}

/** Disposing of them waits for rounds under way. */
export function startJobs(materials: JobMaterials): AsyncDisposable {
  const { config, database, composition, token, mailSender, clock, log } = materials;
  const { keyRolls, rollHostedKeys } = composition;
  const jobs = new AsyncDisposableStack();
  jobs.use(startEvidence(composition, log));
  jobs.use(startPruning(database, log));
  if (config.decisionRetentionDays > 0) jobs.use(startDecisionPruning(database, config, log));
  const isSteady = steadyClock(database, clock, log);
  jobs.use(startKeyRolls((signal) => keyRolls.run(signal), isSteady, log));
  jobs.use(startKeyRolls(rollHostedKeys, isSteady, log));
  if (token !== undefined) jobs.use(startTokenClearing(database, token, log));
  jobs.use(startTrustMarkRefresh(composition, log));
  if (config.refreshIntervalSeconds > 0) {
    jobs.use(startRefreshes(composition, log));
    jobs.use(startCollectionWalks(composition, log));
  }
  if (config.auditCheckpointIntervalSeconds > 0) jobs.use(startAuditCheckpoints(composition, config, log));
  const { canary } = composition;
  if (canary !== undefined) jobs.use(startCanary(canary, log));
  jobs.use(startDates(composition, log));
  jobs.use(startPathJudging(composition, log));
  jobs.use(startEnrolments(composition, log));
  jobs.use(startDirectoryUpkeep(composition, log));
  if (mailSender !== undefined) jobs.use(startMails(database, mailSender, log));
  return jobs;
}

const EVIDENCE_EVERY_MS = 1_000;

/** What is noted until the stop is saved when the composition is disposed of, after the last answer. */
function startEvidence({ evidence }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: EVIDENCE_EVERY_MS, jitter: 0, run: evidence.save, onError: log.decisionsUnsaved });
}

const TRUST_MARK_REFRESH_EVERY_MS = 60_000;

function startTrustMarkRefresh({ refreshTrustMarks }: Composition, log: Log): AsyncDisposable {
  const onError = (error: unknown) => log.requestFailed(error, 'refresh of Trust Marks');
  return startPeriodic({ everyMs: TRUST_MARK_REFRESH_EVERY_MS, run: refreshTrustMarks, onError });
}

const PRUNING_EVERY_MS = 3_600_000;

function startPruning({ db }: Database, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: PRUNING_EVERY_MS,
    run: (signal) => pruneExpired(db, new Date(), signal),
    onError: log.pruningFailed,
  });
}

function startDecisionPruning(database: Database, { decisionRetentionDays }: Config, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: PRUNING_EVERY_MS,
    run: (signal) => endOldDecisions({ database, retentionDays: decisionRetentionDays, now: new Date(), log }, signal),
    onError: log.pruningFailed,
  });
}

const KEY_ROLLS_EVERY_MS = 60_000;

/** A key that was rolled too early cannot be taken back: a clock that leapt, or that only we have, is not believed. */
function steadyClock({ kind, db }: Database, clock: Clock, log: Log): () => Promise<boolean> {
  return createSteadyClockCheck({
    clock,
    monotonicMs: () => performance.now(),
    ...(kind === 'postgresql' && { sharedSeconds: () => databaseSeconds(db) }),
    onLeap: log.clockLeapt,
    onApart: log.clockApart,
  });
}

function startKeyRolls(
  roll: (signal: AbortSignal) => Promise<void>,
  isSteady: () => Promise<boolean>,
  log: Log,
): AsyncDisposable {
  return startPeriodic({
    everyMs: KEY_ROLLS_EVERY_MS,
    run: async (signal) => {
      if (await isSteady()) await roll(signal);
    },
    onError: (error) => log.keyRollFailed(error, 'all'),
  });
}

const REFRESHES_EVERY_MS = 10_000;

function startRefreshes({ configurationRefreshes }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: REFRESHES_EVERY_MS,
    run: (signal) => configurationRefreshes.run(signal),
    onError: (error) => log.refreshFailed(error, 'all'),
  });
}

const AUDIT_CHECKPOINTS_EVERY_MS = 300_000;

function startAuditCheckpoints(composition: Composition, config: Config, log: Log): AsyncDisposable {
  const { directory, changeContext, signAuditCheckpoint: sign } = composition;
  const { auditCheckpointIntervalSeconds: intervalSeconds } = config;
  return startPeriodic({
    everyMs: AUDIT_CHECKPOINTS_EVERY_MS,
    run: () =>
      makeDueAuditCheckpoint({ changeContext: () => changeContext(SYSTEM, null), directory, sign, intervalSeconds }),
    onError: log.auditCheckpointFailed,
  });
}

const ENROLMENTS_EVERY_MS = 60_000;

function startEnrolments({ runEnrolments: run }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: ENROLMENTS_EVERY_MS, run, onError: (error) => log.upkeepFailed(error, 'all') });
}

/** Who is due is known by the database. */
const CANARY_EVERY_MS = 5_000;

function startCanary(canary: Canary, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: CANARY_EVERY_MS, run: (signal) => canary.run(signal), onError: log.canaryFailed });
}

const DATES_EVERY_MS = 60_000;

function startDates({ keepDates: run }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: DATES_EVERY_MS, run, onError: (error) => log.upkeepFailed(error, 'all') });
}

const PATHS_EVERY_MS = 30_000;

function startPathJudging({ judgePaths: run }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: PATHS_EVERY_MS, run, onError: (error) => log.upkeepFailed(error, 'all') });
}

const DIRECTORY_UPKEEP_EVERY_MS = 3_600_000;

function startDirectoryUpkeep({ directoryUpkeep }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: DIRECTORY_UPKEEP_EVERY_MS,
    run: (signal) => directoryUpkeep.run(signal),
    onError: (error) => log.upkeepFailed(error, 'all'),
  });
}

const MAILS_EVERY_MS = 30_000;

function startMails({ db }: Database, sender: MailSender, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: MAILS_EVERY_MS,
    run: (signal) => sendMails({ db, now: () => new Date(), sender, onFailure: log.mailFailed }, signal),
    onError: (error) => log.mailFailed(error, 'all'),
  });
}

const COLLECTION_WALKS_EVERY_MS = 60_000;

function startCollectionWalks({ collectionWalks }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: COLLECTION_WALKS_EVERY_MS,
    run: (signal) => collectionWalks.run(signal),
    onError: (error) => log.walkFailed(error, 'all'),
  });
}

const TOKEN_CLEARING_EVERY_MS = 600_000;

function startTokenClearing({ db }: Database, token: Pkcs11Custody, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: TOKEN_CLEARING_EVERY_MS,
    run: () => clearToken({ db, token }),
    onError: log.tokenClearingFailed,
  });
}
