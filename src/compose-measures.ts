/** What `/metrics` shows, and where each number is read: the parts count, nobody counts for the metrics alone. */
import { readiness } from './compose-following.ts';
import type { HotAnswers } from './http/federation/hot-answers.ts';
import type { ReadyAnswers } from './issuance/ready-answers.ts';
import type { JobQueue } from './jobs/job-queue.ts';
import type { Durations } from './observability/durations.ts';
import type { Measure, Sample } from './observability/metrics.ts';
import type { Tallies } from './observability/tallies.ts';
import { Deadline } from './outbound/deadline.ts';
import { type RegistryMeasures, readMeasures } from './registry/measures/read-measures.ts';
import { type Answered, type Surface, saveServiceMinute } from './registry/slo/save-service-hours.ts';
import type { ResolutionCache } from './resolver/resolution-cache.ts';
import type { ChangeFeed } from './storage/change-feed.ts';
import type { Database } from './storage/connect.ts';
import type { CanaryOutcome } from './storage/schema/canary-trials.ts';

export interface MeasuredParts {
  tallies: Tallies;
  database: Database;
  feed: ChangeFeed;
  hot: HotAnswers;
  answers: ReadyAnswers;
  resolutionCache: ResolutionCache;
  jobQueue: Pick<JobQueue, 'list'>;
  version: string;
}

export interface ComposedMeasures {
  measures: readonly Measure[];
  /** Reads what is in the database, unless that was done a moment ago. Rejects when it takes too long. */
  refresh: () => Promise<void>;
}

/** However often somebody scrapes, the database is asked no more often. */
const REFRESH_EVERY_MS = 30_000;
const REFRESH_TIMEOUT_MS = 2_000;

type JobReports = Awaited<ReturnType<JobQueue['list']>>;

/** What was read from the database last; undefined: nothing yet, or the last attempt failed. */
interface Read {
  registry: RegistryMeasures;
  jobs: JobReports;
}

export function composeMeasures(parts: MeasuredParts): ComposedMeasures {
  let read: Read | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  const readAll = async () => {
    // Whoever reads numbers that are old takes them for new.
    read = undefined;
    const [registry, jobs] = [await readMeasures(parts.database.db), await parts.jobQueue.list()];
    read = { registry, jobs };
    readAtMs = performance.now();
  };
  const refresh = async () => {
    if (performance.now() - readAtMs < REFRESH_EVERY_MS) return;
    reading ??= readAll().finally(() => {
      reading = undefined;
    });
    const expired = () => new Error(`the database gave no numbers within ${REFRESH_TIMEOUT_MS} ms`);
    using deadline = new Deadline({ timeoutMs: REFRESH_TIMEOUT_MS, expired });
    await deadline.race(reading);
  };
  const measures = [
    ...requestMeasures(parts.tallies),
    ...stateMeasures(parts),
    ...registryMeasures(() => read?.registry),
    ...jobMeasures(() => read?.jobs),
  ];
  return { measures, refresh };
}

function requestMeasures({ requests, signatures, resolutions, admissions, outbound }: Tallies): Measure[] {
  return [
    {
      name: 'holdfast_requests_total',
      help: 'Requests answered, by door, template of the route, method and class of the status.',
      type: 'counter',
      labels: ['door', 'route', 'method', 'status'],
      *read() {
        for (const { labels, counter } of requests.all) {
          for (const [digit, value] of counter.classes.entries()) {
            if (value > 0) yield { labels: { ...labels, status: `${digit}xx` }, value };
          }
        }
      },
    },
    {
      name: 'holdfast_request_faults_total',
      help: 'Requests that failed through us, and not for others that cannot be reached or a limit.',
      type: 'counter',
      labels: ['door', 'route', 'method'],
      *read() {
        for (const { labels, counter } of requests.all) yield { labels, value: counter.faults };
      },
    },
    {
      name: 'holdfast_request_duration_seconds',
      help: 'How long requests took until their answer began.',
      type: 'histogram',
      labels: ['door', 'route', 'method'],
      *read() {
        for (const { labels, counter } of requests.all) yield { labels, durations: counter.durations };
      },
    },
    histogram('holdfast_signature_duration_seconds', 'Signatures made, by kind, and how long they took.', signatures),
    histogram('holdfast_resolution_duration_seconds', 'Evaluations of Trust Chains, by verdict.', resolutions),
    {
      name: 'holdfast_admission_decisions_total',
      help: 'Decisions on admission; denials by their first reason.',
      type: 'counter',
      labels: ['outcome', 'reason'],
      *read() {
        for (const { labels, counter } of admissions.all) yield { labels, value: counter.value };
      },
    },
    histogram(
      'holdfast_outbound_request_duration_seconds',
      'Requests sent to others, by purpose and outcome: the class of the status, or why there was none.',
      outbound,
    ),
  ];
}

function histogram(
  name: string,
  help: string,
  counted: { all: Iterable<{ labels: Readonly<Record<string, string>>; counter: Durations }> },
): Measure {
  return {
    ...{ name, help, type: 'histogram' },
    *read() {
      for (const { labels, counter } of counted.all) yield { labels, durations: counter };
    },
  };
}

function stateMeasures({ database, feed, hot, answers, resolutionCache, version }: MeasuredParts): Measure[] {
  const caches = { hot_answers: hot.reads, statements: answers.reads, resolutions: resolutionCache.reads };
  return [
    {
      name: 'holdfast_cache_reads_total',
      help: 'What was asked of caches in memory, and whether it was there.',
      type: 'counter',
      labels: ['cache', 'result'],
      *read() {
        for (const [cache, { hits, misses }] of Object.entries(caches)) {
          yield { labels: { cache, result: 'hit' }, value: hits };
          yield { labels: { cache, result: 'miss' }, value: misses };
        }
      },
    },
    gauge('holdfast_registry_seq', 'The last change of the registry that this node shows.', () => feed.seq),
    gauge(
      'holdfast_change_feed_age_seconds',
      'Since the database last confirmed that nothing is newer; above 1 this node vouches for nobody.',
      () => feed.ageMs / 1000,
    ),
    gauge('holdfast_ready', 'Whether this node is ready: 1 or 0.', () => (feed.isCurrent() ? 1 : 0)),
    {
      ...{ name: 'holdfast_database_connections', type: 'gauge', labels: ['state'] },
      help: 'Connections to PostgreSQL: busy, idle, at most; and who waits for one.',
      *read() {
        const load = database.connections?.();
        for (const [state, value] of Object.entries(load ?? {})) yield { labels: { state }, value };
      },
    },
    {
      ...{ name: 'holdfast_build_info', help: 'Which version runs.', type: 'gauge', labels: ['version'] },
      read: () => [{ labels: { version }, value: 1 }],
    },
  ];
}

function gauge(name: string, help: string, read: () => number | undefined): Measure {
  return {
    ...{ name, help, type: 'gauge' },
    *read() {
      const value = read();
      if (value !== undefined) yield { value };
    },
  };
}

const CANARY_OUTCOMES: readonly CanaryOutcome[] = ['refused', 'admitted', 'unclear'];

function registryMeasures(read: () => RegistryMeasures | undefined): Measure[] {
  const each = (
    name: string,
    help: string,
    labels: readonly string[],
    samples: (measures: RegistryMeasures) => Iterable<Sample>,
  ): Measure => {
    const readSamples = () => {
      const measures = read();
      return measures === undefined ? [] : samples(measures);
    };
    return { name, help, type: 'gauge', labels, read: readSamples };
  };
  return [
    gauge('holdfast_database_seq', 'The last change of the registry that the database has.', () => read()?.seq),
    each('holdfast_entities', 'Entities by their own state.', ['state'], ({ entities }) =>
      entities.map(({ state, count }) => ({ labels: { state }, value: count })),
    ),
    each(
      'holdfast_credential_not_after_seconds',
      'When the next active credential ends, by authority, kind and usage, in seconds since the epoch.',
      ['authority', 'kind', 'usage'],
      ({ credentials }) => credentials.map(({ notAfter: value, ...labels }) => ({ labels, value })),
    ),
    each(
      'holdfast_certification_not_after_seconds',
      'When what a certification authority rests on ends: its certificate, its list of revocations, its OCSP signer.',
      ['authority', 'name', 'what'],
      ({ certification }) => certification.map(({ notAfter: value, ...labels }) => ({ labels, value })),
    ),
    each(
      'holdfast_statement_not_after_seconds',
      'When what an authority last signed about itself ends, by authority and kind; it is renewed when it is asked for.',
      ['authority', 'kind'],
      ({ statements }) => statements.map(({ notAfter: value, ...labels }) => ({ labels, value })),
    ),
    each('holdfast_authority_keys', 'Federation Entity Keys of authorities, by state.', ['authority', 'state'], (all) =>
      all.keys.map(({ authority, state, count }) => ({ labels: { authority, state }, value: count })),
    ),
    each(
      'holdfast_authority_key_active_since_seconds',
      'Since when the key signs that an authority signs with, in seconds since the epoch.',
      ['authority'],
      ({ keys }) =>
        keys.flatMap(({ authority, activatedAt }) =>
          activatedAt === null ? [] : [{ labels: { authority }, value: activatedAt }],
        ),
    ),
    each('holdfast_event_deliveries', 'Deliveries of events that wait, or were given up.', ['state'], (all) => [
      { labels: { state: 'waiting' }, value: all.deliveries.waiting },
      { labels: { state: 'dead' }, value: all.deliveries.dead },
    ]),
    gauge(
      'holdfast_event_oldest_waiting_seconds',
      'Age of the oldest event that some webhook was not told yet; 0: none waits.',
      () => read()?.deliveries.oldestWaitingSeconds,
    ),
    gauge(
      'holdfast_event_unplanned_changes',
      'Changes whose deliveries are not made yet for the webhook that is furthest behind.',
      () => read()?.unplannedChanges,
    ),
    each(
      'holdfast_canary_outcome',
      'What the canary, a member that is always suspended, last met at an enforcement point: 1 for that outcome, else 0.',
      ['authority', 'enforcement_point', 'outcome'],
      ({ canary }) =>
        canary.flatMap(({ authority, name, outcome: met }) =>
          CANARY_OUTCOMES.map((outcome) => ({
            labels: { authority, enforcement_point: name, outcome },
            value: outcome === met ? 1 : 0,
          })),
        ),
    ),
    each(
      'holdfast_propagation_lag_seconds',
      'How long an enforcement point took to act on the last change; via none: has not, although it was heard of since.',
      ['authority', 'enforcement_point', 'via'],
      ({ propagation }) =>
        propagation.map(({ authority, name, via, lagSeconds: value }) => ({
          labels: { authority, enforcement_point: name, via },
          value,
        })),
    ),
  ];
}

function jobMeasures(read: () => JobReports | undefined): Measure[] {
  const each = (name: string, help: string, numberOf: (job: JobReports[number]) => number | undefined): Measure => ({
    ...{ name, help, type: 'gauge', labels: ['job'] },
    *read() {
      for (const job of read() ?? []) {
        const value = numberOf(job);
        if (value !== undefined) yield { labels: { job: job.name }, value };
      }
    },
  });
  const sinceSeconds = (moment: Date | null) =>
    moment === null ? undefined : Math.max(0, (Date.now() - moment.getTime()) / 1000);
  return [
    each(
      'holdfast_job_last_success_age_seconds',
      'Since a job, or a part of what goes on all the time, last went well, on whichever node.',
      (job) => sinceSeconds(job.lastSucceededAt),
    ),
    each('holdfast_job_interval_seconds', 'How often a job is to run.', (job) => job.everySeconds ?? undefined),
    each('holdfast_job_failures', 'How many times in a row a job failed, until now.', (job) => job.failures),
    each('holdfast_job_held', 'Turns of a job that are under way at this node.', (job) => job.held),
    each('holdfast_job_overdue_seconds', 'How long a job should have begun by now; 0: it is not late.', (job) =>
      job.held > 0 ? 0 : sinceSeconds(job.nextRunAt),
    ),
  ];
}

const SURFACES: Readonly<Record<string, Surface>> = {
  plain: 'federation',
  federation: 'federation',
  hosted: 'federation',
  admission: 'admission',
  api: 'api',
};

/**
 * Hands on what was answered since the last time: to be run again and again, and at the stop. What could not be saved is
 * handed on the next time.
 */
export function serviceMinutes(
  { tallies, database, feed }: Pick<MeasuredParts, 'tallies' | 'database' | 'feed'>,
  now: () => Date,
): () => Promise<void> {
  let saved = answeredSoFar(tallies);
  return async () => {
    const present = answeredSoFar(tallies);
    const since = (surface: Surface): Answered => ({
      requests: present[surface].requests - saved[surface].requests,
      failures: present[surface].failures - saved[surface].failures,
    });
    const answered = { federation: since('federation'), admission: since('admission'), api: since('api') };
    const { ready: isReady } = await readiness(feed);
    await saveServiceMinute(database.db, { at: now(), isReady, answered });
    saved = present;
  };
}

function answeredSoFar({ requests }: Tallies): Record<Surface, Answered> {
  const none = (): Answered => ({ requests: 0, failures: 0 });
  const sums = { federation: none(), admission: none(), api: none() };
  for (const { labels, counter } of requests.all) {
    const surface = SURFACES[labels.door];
    if (surface === undefined) continue;
    sums[surface].requests += counter.durations.count;
    sums[surface].failures += counter.faults;
  }
  return sums;
}
