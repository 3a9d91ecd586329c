/** All that happens by itself: the jobs that nodes share, and what each does for itself. */
import type { Composition } from './compose.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './federation/time.ts';
import { clearToken } from './jobs/clear-token.ts';
import { endOldDecisions } from './jobs/end-old-decisions.ts';
import type { KeyedJob, PeriodicJob } from './jobs/job-queue.ts';
import { makeDueAuditCheckpoint } from './jobs/make-audit-checkpoints.ts';
import { startPeriodic } from './jobs/periodic.ts';
import { sendMails } from './jobs/send-mails.ts';
import { createSteadyClockCheck } from './jobs/steady-clock.ts';
import type { Log } from './observability/log.ts';
import type { MailSender } from './outbound/mail-sender.ts';
import { pruneEvents } from './registry/events/prune-events.ts';
import { SYSTEM } from './registry/prepare-deployment.ts';
import { pruneExpired } from './registry/prune-expired.ts';
import type { Pkcs11Custody } from './signer/custody/pkcs11/token-custody.ts';
import type { Database } from './storage/connect.ts';
import { databaseSeconds } from './storage/database-clock.ts';

/** What the jobs work on. */
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

/** Disposing of them waits for work under way. */
export function startJobs(materials: JobMaterials): AsyncDisposable {
  const { composition, log } = materials;
  const jobs = new AsyncDisposableStack();
  jobs.use(startEvidence(composition, log));
  jobs.use(startParticipants(composition, log));
  jobs.use(startServiceMinutes(composition, log));
  const { jobQueue } = composition;
  const { tracing } = composition.instruments;
  const traced = (job: PeriodicJob): PeriodicJob => ({
    ...job,
    run: (signal) => tracing.span(`job ${job.name}`, {}, () => job.run(signal)),
  });
  jobQueue.define({ periodic: periodicJobs(materials).map(traced), keyed: keyedJobs(materials) });
  jobQueue.start();
  jobs.use(jobQueue);
  return jobs;
}

const EVIDENCE_EVERY_MS = 1_000;

/**
 * Not in the queue: it saves what this node alone has in memory, each second, and no other can do so for it.
 * What is noted until the stop is saved when the composition is disposed of, after the last answer.
 */
function startEvidence({ evidence }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: EVIDENCE_EVERY_MS, jitter: 0, run: evidence.save, onError: log.decisionsUnsaved });
}

const PARTICIPANTS_EVERY_MS = 1_000;

/** Not in the queue: each node has its own document, made anew after each change, and here when a date has come. */
function startParticipants({ participantsDocument }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: PARTICIPANTS_EVERY_MS,
    jitter: 0,
    run: () => participantsDocument.keepUp(),
    onError: (error) => log.requestFailed(error, 'participants'),
  });
}

/** More often than every minute, so that none goes by unsaid. */
const SERVICE_MINUTES_EVERY_MS = 25_000;

/** Not in the queue either: each node adds what it answered itself. */
function startServiceMinutes({ saveServiceMinute: run }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: SERVICE_MINUTES_EVERY_MS, jitter: 0, run, onError: log.serviceMinuteUnsaved });
}

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** Those that this deployment is set up for; nodes with other settings do what they know. */
function periodicJobs(materials: JobMaterials): PeriodicJob[] {
  const { config, database, token, mailSender, log } = materials;
  const jobs = [...ofKeys(materials), ...ofMembers(materials), ...ofRecords(materials)];
  if (config.refreshIntervalSeconds > 0) jobs.push(...ofRemoteEntities(materials));
  if (token !== undefined) {
    jobs.push({
      name: 'clear_token',
      everySeconds: 10 * MINUTE,
      summary: 'destroys keys in the PKCS#11 token that sign no more',
      run: () => clearToken({ db: database.db, token }),
    });
  }
  if (mailSender !== undefined) {
    jobs.push({
      name: 'send_mails',
      everySeconds: 30,
      summary: 'sends mails that wait',
      run: (signal) =>
        sendMails({ db: database.db, now: () => new Date(), sender: mailSender, onFailure: log.mailFailed }, signal),
    });
  }
  return jobs;
}

/** Goes on for each of their keys, at one node at a time. */
function keyedJobs({ composition: { webhooks } }: JobMaterials): KeyedJob[] {
  return [
    {
      name: 'deliver_events',
      summary: 'tells the receivers of webhooks of events',
      keys: webhooks.activeIds,
      run: (webhookId, signal) => webhooks.deliveries.run(webhookId, signal),
      lastSucceededAt: webhooks.lastDeliveredAt,
    },
  ];
}

function ofKeys(materials: JobMaterials): PeriodicJob[] {
  const { certification, keyRolls, rollHostedKeys, signHostedConfigurations } = materials.composition;
  const isSteady = steadyClock(materials);
  const ifSteady = (roll: (signal: AbortSignal) => Promise<void>) => async (signal: AbortSignal) => {
    if (await isSteady()) await roll(signal);
  };
  return [
    {
      name: 'roll_authority_keys',
      everySeconds: MINUTE,
      summary: 'announces, activates and archives keys of authorities',
      run: ifSteady((signal) => keyRolls.run(signal)),
    },
    {
      name: 'roll_hosted_keys',
      everySeconds: MINUTE,
      summary: 'moves keys of hosted entities along',
      run: ifSteady(rollHostedKeys),
    },
    {
      name: 'renew_ocsp_signers',
      everySeconds: 10 * MINUTE,
      summary: 'gives OCSP responders their next key and certificate, and drops those that ended',
      run: ifSteady((signal) => certification.ocspSigners.renew(signal)),
    },
    {
      name: 'publish_revocation_lists',
      // A list that says all there is to say costs nothing.
      everySeconds: 2,
      summary: 'makes lists of revocations after changes, and before the last ones grow old',
      run: (signal) => certification.revocationLists.publish(signal),
    },
    {
      name: 'sign_hosted_configurations',
      everySeconds: MINUTE,
      summary: 'signs configurations of hosted entities anew before half of their life',
      run: signHostedConfigurations,
    },
  ];
}

/**
 * A key that was rolled too early cannot be taken back: a clock that leapt, or that only we have, is not believed. What
 * is seen of it is of this node, at its own turns; a node whose clock is off leaves keys alone until another has the turn.
 */
function steadyClock({ database: { kind, db }, clock, log }: JobMaterials): () => Promise<boolean> {
  return createSteadyClockCheck({
    clock,
    monotonicMs: () => performance.now(),
    ...(kind === 'postgresql' && { sharedSeconds: () => databaseSeconds(db) }),
    onLeap: log.clockLeapt,
    onApart: log.clockApart,
  });
}

function ofMembers({ composition }: JobMaterials): PeriodicJob[] {
  const { canary } = composition;
  const jobs: PeriodicJob[] = [
    {
      name: 'keep_dates',
      everySeconds: MINUTE,
      summary: 'ends suspensions at their date, and writes down other dates that came',
      run: composition.keepDates,
    },
    {
      name: 'judge_paths',
      everySeconds: 30,
      summary: 'looks for the paths of certificates anew after a change of a trust list',
      run: composition.judgePaths,
    },
    {
      name: 'run_enrolments',
      everySeconds: MINUTE,
      summary: 'looks at enrolments that came without a token, and lets old ones lapse',
      run: composition.runEnrolments,
    },
    {
      name: 'keep_members_alive',
      everySeconds: HOUR,
      summary: 'reminds members of what they have to confirm, takes findings, and suspends what lapsed',
      run: composition.keepMembersAlive,
    },
    {
      name: 'review_configurations',
      everySeconds: DAY,
      // A service that just started has other things to do.
      firstAfterSeconds: HOUR / 2,
      summary: 'compares configurations that were taken in with what is said of their entities',
      run: composition.reviewConfigurations,
    },
  ];
  if (canary !== undefined) {
    jobs.push({
      name: 'knock_as_canary',
      // Who is due is known by the database.
      everySeconds: 5,
      summary: 'knocks at gateways as a member that is suspended',
      run: (signal) => canary.run(signal),
    });
  }
  return jobs;
}

function ofRecords({ config, database, composition, log }: JobMaterials): PeriodicJob[] {
  const { directory, changeContext, signAuditCheckpoint: sign, refreshTrustMarks } = composition;
  const { auditCheckpointIntervalSeconds: intervalSeconds, decisionRetentionDays: retentionDays } = config;
  const jobs: PeriodicJob[] = [
    {
      name: 'prune_expired',
      everySeconds: HOUR,
      summary: 'deletes what has expired: challenges, proofs, retrieved statements and the like',
      run: (signal) => pruneExpired(database.db, new Date(), signal),
    },
    {
      name: 'refresh_trust_marks',
      everySeconds: MINUTE,
      summary: 'asks for fresh Trust Marks that authorities show',
      run: refreshTrustMarks,
    },
  ];
  if (config.eventRetentionDays > 0) {
    jobs.push({
      name: 'prune_events',
      everySeconds: HOUR,
      summary: 'deletes events that are too old, and that every receiver was told of',
      run: async (signal) => {
        await pruneEvents(database.db, new Date(Date.now() - config.eventRetentionDays * DAY * 1000), signal);
      },
    });
  }
  if (retentionDays > 0) {
    jobs.push({
      name: 'end_old_decisions',
      everySeconds: HOUR,
      summary: 'deletes old decisions of admission from an embedded database, warns of them in another',
      run: (signal) => endOldDecisions({ database, retentionDays, now: new Date(), log }, signal),
    });
  }
  if (intervalSeconds > 0) {
    jobs.push({
      name: 'make_audit_checkpoints',
      everySeconds: 5 * MINUTE,
      summary: 'has checkpoints of the audit signed',
      run: () =>
        makeDueAuditCheckpoint({ changeContext: () => changeContext(SYSTEM, null), directory, sign, intervalSeconds }),
    });
  }
  return jobs;
}

function ofRemoteEntities({ composition }: JobMaterials): PeriodicJob[] {
  const { configurationRefreshes, collectionWalks } = composition;
  return [
    {
      name: 'refresh_configurations',
      everySeconds: 10,
      summary: 'fetches configurations of entities that are due',
      run: (signal) => configurationRefreshes.run(signal),
    },
    {
      name: 'walk_collections',
      everySeconds: MINUTE,
      summary: 'looks for entities below Intermediates elsewhere',
      run: (signal) => collectionWalks.run(signal),
    },
  ];
}
