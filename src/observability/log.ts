/** Structured logs, one JSON object a line on standard output; one function a business event. */
import { type Logger, pino, stdSerializers } from 'pino';

export interface Log {
  serviceStarted(details: { url: string; database: string; authorities: number }): void;
  serviceStopping(signal: string): void;
  registryChanged(change: { seq: number; actions: string[] }): void;
  requestFailed(error: unknown, requestId: string): void;
  /** Whether every request is told of, refused or not. */
  readonly tellsRequests: boolean;
  /** A line a request; who has a token and asked for what he may not, and whatever failed here, is told at any level. */
  requestAnswered(request: AnsweredLine): void;
  /** Our own records would make a statement that readers refuse; what shows it beside others does without. */
  statementUnfit(error: unknown): void;
  stateStale(error: unknown): void;
  /** Told of the first of several failures in a row. */
  jobFailed(error: unknown, job: string): void;
  /** Whoever was at work at it was not heard of for too long. */
  jobTakenOver(job: string): void;
  /** They did not end in time when the service stopped. */
  jobsGivenUp(jobs: readonly string[]): void;
  /** What is to happen by itself does not for the moment; told once, and once when it is over. */
  jobsStalled(error: unknown): void;
  jobsResumed(): void;
  /** The cache of retrieved statements goes on in memory. */
  statementStoreFailed(error: unknown): void;
  /** A new key of an authority cannot sign yet although its time has come. */
  authorityKeyWaits(event: { authority: string; kid: string; waits: { superior?: string; detail: string }[] }): void;
  keyRollFailed(error: unknown, authority: string): void;
  refreshFailed(error: unknown, entityId: string): void;
  walkFailed(error: unknown, intermediate: string): void;
  /** Something that should have happened by itself did not. */
  upkeepFailed(error: unknown, recordId: string): void;
  mailFailed(error: unknown, mailId: string): void;
  /** The token that keys are in went away, or is here again. */
  tokenChanged(event: { isHere: boolean; detail: string }): void;
  /** No fresh Trust Mark could be had for an authority; the present one is shown until it expires. */
  heldTrustMarkStale(mark: { issuer: string; trustMarkType: string; expiresAt: Date | null }, error: unknown): void;
  clockLeapt(leapSeconds: number): void;
  /** Positive when the clock of this node is ahead of that of the database. */
  clockApart(apartSeconds: number): void;
  /** Nothing is lost while this node runs; it is tried again. */
  trustAnchorKeysUnrecorded(error: unknown): void;
  trustAnchorKeys(event: { trustAnchor: string; kind: 'learned' | 'mismatch'; kids: string[] }): void;
  /** Nothing is lost while this node runs; it is tried again, and too many are summed up. */
  decisionsUnsaved(error: unknown): void;
  /** Nobody but the owner of the tables can delete them. */
  decisionsTooOld(details: { retentionDays: number; chains: number }): void;
  acknowledgementsUnsaved(error: unknown): void;
  /** What was answered is added the next time; whether this node was ready then is lost. */
  serviceMinuteUnsaved(error: unknown): void;
  /** Somebody who is suspended came in. */
  canaryAdmitted(trial: { enforcementPoint: string; enforcementPointId: string; url: string; detail: string }): void;
  /** Whether somebody who is suspended would come in is not known. */
  canaryUnclear(trial: { enforcementPoint: string; enforcementPointId: string; url: string; detail: string }): void;
  /** A receiver of events has taken none for at least an hour. */
  webhookFailing(report: { webhookId: string; webhook: string; waitingSince: Date; failure: string }): void;
  warning(message: string): void;
}

/** What is said of a request that was answered: never its query, body or header fields. */
export interface AnsweredLine {
  door: string;
  /** A template, not the path. */
  route: string;
  method: string;
  status: number;
  durationMs: number;
  requestId?: string | undefined;
  actor?: { kind: string; id: string } | undefined;
}

/**
 * Errors are logged with their stack and causes, never with requests, tokens, statements or query parameters.
 * @param traceIds of the trace that a line belongs to
 */
export function createLog(level: string, traceIds: () => object | undefined = () => undefined): Log {
  const logger: Logger = pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    mixin: () => traceIds() ?? {},
  });
  return {
    serviceStarted: (details) => logger.info(details, 'service started'),
    serviceStopping: (signal) => logger.info({ signal }, 'service stopping'),
    registryChanged: (change) => logger.info(change, 'registry changed'),
    requestFailed: (err, requestId) => logger.error({ err, requestId }, 'request failed'),
    tellsRequests: logger.isLevelEnabled('debug'),
    requestAnswered: (request) => {
      const level = levelOf(request);
      if (!logger.isLevelEnabled(level)) return;
      const { durationMs, ...line } = request;
      logger[level]({ ...line, durationMs: Math.round(durationMs * 1000) / 1000 }, 'request answered');
    },
    statementUnfit: (err) => logger.error({ err }, 'a statement cannot be signed; mend the record that it is about'),
    stateStale: (err) =>
      logger.error({ err }, 'the database does not confirm our state; vouching for nobody meanwhile'),
    jobFailed: (err, job) => logger.error({ err, job }, 'a job failed; it is tried again: holdfast jobs'),
    jobTakenOver: (job) => logger.warn({ job }, 'a job is taken over: its worker was not heard of for too long'),
    jobsGivenUp: (jobs) =>
      logger.warn({ jobs }, 'jobs did not end in time; they are taken over, or go on at the next start'),
    jobsStalled: (err) => logger.error({ err }, 'jobs do not run for the moment; it is tried again'),
    jobsResumed: () => logger.info('jobs run again'),
    statementStoreFailed: (err) => logger.warn({ err }, 'retrieved statements are not shared for the moment'),
    authorityKeyWaits: (event) =>
      logger.warn(event, 'a new key waits for superiors; see that they list it: holdfast authority keys list'),
    keyRollFailed: (err, authority) =>
      logger.error({ err, authority }, 'the keys of an authority could not be moved along; it is tried again'),
    refreshFailed: (err, entityId) =>
      logger.error({ err, entityId }, 'the configuration of an entity could not be taken in; it is tried again'),
    walkFailed: (err, intermediate) =>
      logger.error({ err, intermediate }, 'what is below an Intermediate could not be looked at; it is tried again'),
    mailFailed: (err, mailId) =>
      logger.warn({ err, mailId }, 'a mail could not be sent; it is tried again unless the relay refused it'),
    upkeepFailed: (err, recordId) =>
      logger.error({ err, recordId }, 'a record could not be moved along at its date; it is tried again'),
    tokenChanged: ({ isHere, detail }) =>
      isHere
        ? logger.info({ detail }, 'keys in the token sign again')
        : logger.error({ detail }, 'keys in the token cannot sign for the moment'),
    heldTrustMarkStale: ({ issuer, trustMarkType, expiresAt }, err) =>
      logger.warn({ issuer, trustMarkType, expiresAt, err }, 'a Trust Mark that we show could not be refreshed'),
    clockLeapt: (leapSeconds) =>
      logger.error({ leapSeconds }, 'the clock leapt; keys stay as they are until it has gone evenly for ten minutes'),
    clockApart: (apartSeconds) =>
      logger.error(
        { apartSeconds },
        'the clock differs from that of the database; this node leaves keys as they are until it is set right',
      ),
    trustAnchorKeysUnrecorded: (err) =>
      logger.warn({ err }, "what was learned of a Trust Anchor's keys is not recorded yet; it is tried again"),
    trustAnchorKeys: ({ kind, ...event }) =>
      kind === 'learned'
        ? logger.warn(event, 'a Trust Anchor rolled over its keys; pin the new ones: holdfast anchor replace-keys')
        : logger.error(event, 'a Trust Anchor publishes keys that are not pinned; compare them with it out of band'),
    decisionsUnsaved: (err) => logger.error({ err }, 'decisions of admission are not saved yet; it is tried again'),
    decisionsTooOld: (details) =>
      logger.warn(
        details,
        'decisions of admission are older than HOLDFAST_DECISION_RETENTION_DAYS, and the log grows without end: run holdfast decisions prune as the owner of the tables, in a timer',
      ),
    serviceMinuteUnsaved: (err) => logger.warn({ err }, 'what was answered is not added up yet; it is tried again'),
    acknowledgementsUnsaved: (err) =>
      logger.warn({ err }, 'what enforcement points act on is not saved yet; it is tried again'),
    canaryAdmitted: (trial) =>
      logger.error(trial, 'ALARM: a gateway lets in a member that is suspended; look at its configuration at once'),
    canaryUnclear: (trial) => logger.warn(trial, 'whether a gateway lets in who is suspended is not known'),
    webhookFailing: (report) =>
      logger.warn(report, 'the receiver of a webhook fails for long; `holdfast webhook show` has how many events wait'),
    warning: (message) => logger.warn(message),
  };
}

/** Who sends no valid token could have as much written as he likes, and so could an outage: that is for debugging. */
function levelOf({ status, actor }: AnsweredLine): 'debug' | 'info' | 'warn' {
  if (status === 500) return 'warn';
  return actor !== undefined && (status === 403 || status === 409) ? 'info' : 'debug';
}

/**
 * Type, message, stack and code. A failed query says its parameters behind `params:`; drivers add details such as the
 * row that was refused; neither is logged, nor what looks like a key or certificate.
 */
export function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error;
  const { type, message, stack } = stdSerializers.err(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { type, code, message: withoutParameters(message), stack: withoutParameters(stack) };
}

const PARAMETERS = /\nparams:[\s\S]*?(?=\n\s+at |\ncaused by: |$)/g;

/** What may be a key or certificate, whoever put it into a message. */
const PEM = /-----BEGIN [\s\S]*?(?:-----END [^-]*-----|$)/g;

function withoutParameters(text: string): string {
  return text.replaceAll(PARAMETERS, '').replaceAll(PEM, '[PEM]');
}
