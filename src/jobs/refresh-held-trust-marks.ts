/** Keeps the Trust Marks fresh that our authorities show: asks their issuers before half of their life is over. */
import { FederationError } from '../federation/errors.ts';
import type { Clock } from '../federation/time.ts';
import type { ChangeContext } from '../registry/change.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { dropHeldTrustMark } from '../registry/trust-marks/drop-held-trust-mark.ts';
import {
  claimHeldTrustMarks,
  type HeldTrustMark,
  noteRefreshProblem,
} from '../registry/trust-marks/held-trust-mark.ts';
import { holdTrustMark, type VerifyTrustMark } from '../registry/trust-marks/hold-trust-mark.ts';
import type { Db } from '../storage/connect.ts';

/** What is asked for. */
export type WantedTrustMark = Pick<HeldTrustMark, 'issuer' | 'trustMarkType'> & { bearer: string };

export interface RefreshHeldTrustMarksOptions {
  db: Db;
  /** Of the service itself. */
  changeContext: () => ChangeContext;
  /** Entity Identifier of an authority of ours. */
  identifierOf: (authorityId: string) => string | undefined;
  /** Asks the issuer at its Trust Mark endpoint. @throws FederationError trust_mark_not_held where it has none for the bearer */
  fetchTrustMark: (wanted: WantedTrustMark) => Promise<string>;
  verify: VerifyTrustMark;
  clock: Clock;
  /** Told of each mark of which no fresh one could be had. */
  onProblem: (mark: HeldTrustMark, error: unknown) => void;
}

/** After a failure it is tried again in an hour, or sooner where little is left. */
const RETRY_MS = { most: 3_600_000, least: 60_000 } as const;

/** Issuers asked at a time; each about one mark after the other. */
const CONCURRENCY = 8;
/** Claimed at once; the lease covers them even where all are of one issuer and each takes its full time. */
const CLAIMED_AT_ONCE = 16;
const LEASE_SECONDS = 600;

/**
 * Refreshes all that is due. An issuer that cannot be reached, or no longer gives the mark, costs nothing but the mark,
 * once that has expired; one without an end is dropped when its issuer has it no longer.
 */
export async function refreshHeldTrustMarks(
  options: RefreshHeldTrustMarksOptions,
  signal?: AbortSignal,
): Promise<void> {
  while (!signal?.aborted) {
    const due = await claimHeldTrustMarks(options.db, now(options), CLAIMED_AT_ONCE, LEASE_SECONDS);
    if (due.length === 0) return;
    const queue = Map.groupBy(due, ({ issuer }) => issuer).values();
    const work = async (): Promise<void> => {
      for (const marks of queue) for (const mark of marks) if (!signal?.aborted) await refresh(mark, options);
    };
    const ended = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work));
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  }
}

async function refresh(mark: HeldTrustMark, options: RefreshHeldTrustMarksOptions): Promise<void> {
  const { changeContext, identifierOf, fetchTrustMark, verify, onProblem, db } = options;
  const { id: heldId, authorityId, issuer, trustMarkType } = mark;
  const bearer = identifierOf(authorityId);
  if (bearer === undefined) return;
  try {
    const fresh = await fetchTrustMark({ issuer, trustMarkType, bearer });
    await holdTrustMark(changeContext(), authorityId, fresh, verify, { issuer, trustMarkType, heldId });
  } catch (error) {
    // Somebody dropped it meanwhile.
    if (error instanceof RegistryError && error.code === 'not_found') return;
    onProblem(mark, error);
    if (mark.expiresAt === null && isGone(error)) return await dropGone(mark, options);
    const isTold = error instanceof FederationError || error instanceof RegistryError;
    const problem = isTold ? error.message : 'it failed here; the log says why';
    // One mark must not keep the others waiting; a database that is away fails here as well, and ends the round.
    await noteRefreshProblem(db, mark, problem, nextAttempt(mark, now(options)));
  }
}

/** The issuer itself said that the bearer has no such mark; that it could not be asked is another matter. */
function isGone(error: unknown): boolean {
  return error instanceof FederationError && error.reason === 'trust_mark_not_held';
}

/** No end of its own would ever take it out of the configuration. */
async function dropGone(
  { id, version }: HeldTrustMark,
  { changeContext }: RefreshHeldTrustMarksOptions,
): Promise<void> {
  try {
    await dropHeldTrustMark(changeContext(), id, version, 'its issuer has it no longer');
  } catch (error) {
    // Dropped, or replaced by another, in this moment.
    if (!(error instanceof RegistryError)) throw error;
  }
}

function now({ clock }: RefreshHeldTrustMarksOptions): Date {
  return new Date(clock.now() * 1000);
}

function nextAttempt({ expiresAt }: HeldTrustMark, from: Date): Date {
  const leftMs = expiresAt === null ? RETRY_MS.most * 4 : expiresAt.getTime() - from.getTime();
  const pauseMs = leftMs <= 0 ? RETRY_MS.most : Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, leftMs / 4));
  return new Date(from.getTime() + pauseMs);
}
