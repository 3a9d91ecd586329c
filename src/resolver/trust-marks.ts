/** Decides which Trust Marks of a resolved entity count, and why the others do not. @see OIDFED §7.3, §8.3, §17.5 */
import { FederationError, pointer, type Reason } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { EntityStatement, TrustMarkEntry } from '../federation/statement/entity-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import { attemptOf } from '../federation/trust-chain/attempt.ts';
import type { JudgingTime } from '../federation/trust-mark/claim-checks.ts';
import { type TrustMarkOptions, verifyTrustMarkSignature } from '../federation/trust-mark/trust-mark.ts';
import { type JudgedTrustMark, judgeUnverifiedTrustMark } from '../federation/trust-mark/validate-trust-mark.ts';
import type { TrustMarkStatusClient } from './trust-mark-status.ts';
import { untilAborted } from './until-aborted.ts';

export interface AcceptedTrustMark {
  trust_mark_type: string;
  /** The compact JWT exactly as received. */
  trust_mark: string;
  issuer: EntityIdentifier;
  /** The smallest `exp` of the mark, its delegation and its issuer's Trust Chain, seconds since the epoch. */
  expiresAt: NumericDate;
  /** Until when its issuer's word that it is active is believed, where that was asked. */
  activeUntil?: NumericDate;
}

/** A mark that is left out. The entity is none the worse for it. */
export interface RefusedTrustMark {
  trust_mark_type: string;
  reason: Reason;
  /** Section of OpenID Federation 1.0 that demands the refusal. */
  section: string;
  /** `/trust_marks/0/trust_mark` in the entity's configuration, followed by the place within the mark: ` /exp`. */
  at: string;
  message: string;
  /** The network or a server failed: the same mark may count later (§10.5). */
  retryable?: true;
}

export interface VerifiedTrustMarks {
  /** In the order of the Entity Configuration. */
  accepted: AcceptedTrustMark[];
  refused: RefusedTrustMark[];
}

/** A Trust Mark issuer with a valid Trust Chain to the Trust Anchor in question. */
export interface ResolvedIssuer {
  /** Its own Entity Configuration, ES[0] of the chain; its keys verify the marks. */
  configuration: EntityStatement;
  /** The smallest `exp` of its chain, seconds since the epoch. */
  expiresAt: NumericDate;
}

/** Limits for the marks of one entity. */
export interface TrustMarkBudget {
  /** Marks looked at, in their order. */
  maxMarks: number;
  /** Different issuers resolved; each may cost a discovery. */
  maxIssuers: number;
  /** Marks under way at a time. Where it is less than `maxMarks`, issuers that keep silent keep other marks waiting. */
  maxConcurrent: number;
}

export const DEFAULT_TRUST_MARK_BUDGET: Readonly<TrustMarkBudget> = { maxMarks: 32, maxIssuers: 16, maxConcurrent: 32 };

export interface VerifyTrustMarksOptions {
  /** The Entity Configuration of the entity that shows the marks: ES[0] of a valid chain to `trustAnchor`. */
  subject: EntityStatement;
  /** The Entity Configuration of the Trust Anchor that the chain ends at, validated. */
  trustAnchor: EntityStatement;
  /**
   * Finds the issuer a valid chain to the same Trust Anchor; called once an issuer, and only for marks that hold in all
   * else. Neither the Trust Anchor nor the subject is asked for: theirs is there already.
   * @returns the error, or throws it, where there is no chain
   */
  resolveIssuer(issuer: EntityIdentifier, signal: AbortSignal | undefined): Promise<ResolvedIssuer | FederationError>;
  /** Asks issuers for the status of marks. To be `never` when judging by another moment than the present one. */
  status: Pick<TrustMarkStatusClient, 'confirm'> | 'never';
  /** The moment to judge by, how strictly, and the values of `typ` that are accepted. */
  validation: JudgingTime & TrustMarkOptions;
  /** What stands here replaces the default. */
  budget?: Partial<TrustMarkBudget>;
  /** Ends everything: marks not decided yet are refused. */
  signal?: AbortSignal | undefined;
}

/**
 * Verifies the Trust Marks of an entity side by side. Whatever is wrong with a mark, with its issuer or on the way to
 * it costs that mark only. What can be told from mark and Trust Anchor alone is judged first, so that nobody makes us
 * send requests with marks that could not count, and so that limits strike the same marks every time.
 * @throws only what `resolveIssuer` fails with that is no FederationError: an outage of our own is no verdict
 * @see OIDFED §7.3, §8.3.2, §17.5
 */
export async function verifyTrustMarks(options: VerifyTrustMarksOptions): Promise<VerifiedTrustMarks> {
  const budget = { ...DEFAULT_TRUST_MARK_BUDGET, ...options.budget };
  const entries = options.subject.claims.trust_marks ?? [];
  const judged = await Promise.all(entries.map((entry, index) => judge(entry, index, budget, options)));
  const issuers = new Issuers(judged, budget, options);
  const verdicts = await mapConcurrently(judged, budget.maxConcurrent, (mark) => verdictOn(mark, issuers, options));
  return {
    accepted: verdicts.filter((verdict) => 'issuer' in verdict),
    refused: verdicts.filter((verdict) => 'reason' in verdict),
  };
}

/** A mark that holds as far as can be told without its issuer. */
interface Candidate extends JudgedTrustMark {
  entry: TrustMarkEntry;
  /** Its place in the Entity Configuration. */
  at: string;
}

async function judge(
  entry: TrustMarkEntry,
  index: number,
  { maxMarks }: TrustMarkBudget,
  { subject, trustAnchor, validation }: VerifyTrustMarksOptions,
): Promise<Candidate | RefusedTrustMark> {
  const at = pointer('trust_marks', index);
  if (index >= maxMarks) {
    const message = `more than ${maxMarks} Trust Marks; this one was not looked at`;
    return refusal(entry, new FederationError('budget_exhausted', message, at));
  }
  const place = `${at}/trust_mark`;
  try {
    const context = { ...validation, bearer: subject.claims.sub, trustAnchor };
    return { ...(await judgeUnverifiedTrustMark(entry, context)), entry, at: place };
  } catch (error) {
    if (error instanceof FederationError) return refusal(entry, error.within(place));
    throw error;
  }
}

async function verdictOn(
  candidate: Candidate | RefusedTrustMark,
  issuers: Issuers,
  options: VerifyTrustMarksOptions,
): Promise<AcceptedTrustMark | RefusedTrustMark> {
  if ('reason' in candidate) return candidate;
  const { entry, at } = candidate;
  try {
    options.signal?.throwIfAborted();
    return await untilAborted(options.signal, accepted(candidate, issuers, options));
  } catch (error) {
    if (error instanceof UnresolvedIssuer) return refusal(entry, error.within(at), error.isRetryable);
    if (error instanceof FederationError) return refusal(entry, error.within(at));
    if (!options.signal?.aborted) throw error;
    const message = 'the resolution ended before this Trust Mark was verified';
    return refusal(entry, new FederationError('timed_out', message, at, { cause: error }));
  }
}

async function accepted(
  { mark, entry, expiresAt = Number.POSITIVE_INFINITY }: Candidate,
  issuers: Issuers,
  { status, validation, signal }: VerifyTrustMarksOptions,
): Promise<AcceptedTrustMark> {
  checkLasting(expiresAt, validation, mark.claims.exp === expiresAt ? '/exp' : '/delegation /exp');
  const issuer = await issuers.get(mark.claims.iss);
  checkLasting(issuer.expiresAt, validation, '/iss');
  await verifyTrustMarkSignature(mark, issuer.configuration.claims.jwks);
  const activeUntil =
    status === 'never' ? undefined : await status.confirm({ mark, issuer: issuer.configuration, signal });
  return {
    trust_mark_type: entry.trust_mark_type,
    trust_mark: entry.trust_mark,
    issuer: mark.claims.iss,
    expiresAt: Math.min(expiresAt, issuer.expiresAt),
    ...(activeUntil === undefined ? {} : { activeUntil }),
  };
}

/** What rests on a mark ends with it: one that only the leeway lets pass would end a resolution before it began. */
function checkLasting(expiresAt: NumericDate, { now }: JudgingTime, at: string): void {
  if (expiresAt > now) return;
  const what = at === '/iss' ? 'a statement of the chain of its issuer' : 'the Trust Mark or its delegation';
  const message = `${what} expired ${Math.floor(now - expiresAt)} s ago; a fresh one must be given out`;
  throw new FederationError('trust_mark_expired', message, at);
}

function refusal(entry: TrustMarkEntry, error: FederationError, isRetryable?: boolean): RefusedTrustMark {
  const { reason, section, at, message, retryable } = attemptOf([], error);
  const refused: RefusedTrustMark = { trust_mark_type: entry.trust_mark_type, reason, section, at, message };
  return (isRetryable ?? retryable) ? { ...refused, retryable: true } : refused;
}

/** The issuer of a mark has no valid Trust Chain, for all that we know. */
class UnresolvedIssuer extends FederationError {
  /** A chain may be found later. */
  readonly isRetryable: boolean;

  constructor(issuer: EntityIdentifier, trustAnchor: EntityIdentifier, cause: FederationError) {
    const message = `no valid chain from ${issuer} to ${trustAnchor}: ${cause.reason}, ${cause.message}`;
    super('trust_mark_issuer_unresolved', message, '/iss', { cause });
    this.isRetryable = attemptOf([], cause).retryable === true;
  }
}

/** The issuers of one entity's marks, each resolved at most once, the first ones only. */
class Issuers {
  readonly #options: VerifyTrustMarksOptions;
  readonly #budget: TrustMarkBudget;
  readonly #permitted: ReadonlySet<EntityIdentifier>;
  readonly #known = new Map<EntityIdentifier, Promise<ResolvedIssuer>>();

  constructor(
    judged: readonly (Candidate | RefusedTrustMark)[],
    budget: TrustMarkBudget,
    options: VerifyTrustMarksOptions,
  ) {
    this.#options = options;
    this.#budget = budget;
    for (const configuration of [options.trustAnchor, options.subject]) {
      const { sub, exp } = configuration.claims;
      this.#known.set(sub, Promise.resolve({ configuration, expiresAt: exp }));
    }
    const strangers = judged.flatMap((it) => ('mark' in it ? [it.mark.claims.iss] : []));
    const toResolve = [...new Set(strangers)].filter((issuer) => !this.#known.has(issuer));
    this.#permitted = new Set(toResolve.slice(0, budget.maxIssuers));
  }

  /** @throws FederationError trust_mark_issuer_unresolved, budget_exhausted */
  get(issuer: EntityIdentifier): Promise<ResolvedIssuer> {
    const known = this.#known.get(issuer);
    if (known !== undefined) return known;
    const resolved = this.#resolve(issuer);
    this.#known.set(issuer, resolved);
    return resolved;
  }

  async #resolve(issuer: EntityIdentifier): Promise<ResolvedIssuer> {
    if (!this.#permitted.has(issuer)) {
      const message = `more than ${this.#budget.maxIssuers} different issuers; ${issuer} was not looked at`;
      throw new FederationError('budget_exhausted', message, '/iss');
    }
    const outcome = await this.#outcomeOf(issuer);
    if (!(outcome instanceof FederationError)) return outcome;
    throw new UnresolvedIssuer(issuer, this.#options.trustAnchor.claims.sub, outcome);
  }

  async #outcomeOf(issuer: EntityIdentifier): Promise<ResolvedIssuer | FederationError> {
    try {
      return await this.#options.resolveIssuer(issuer, this.#options.signal);
    } catch (error) {
      if (error instanceof FederationError) return error;
      throw error;
    }
  }
}

/** Maps items in their order, at most `limit` at a time. The first rejection is that of the whole. */
async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
