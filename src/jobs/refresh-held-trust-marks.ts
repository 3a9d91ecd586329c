/** Keeps the Trust Marks fresh that our authorities show: asks their issuers before half of their life is over. */
import { FederationError } from '../federation/errors.ts';
import type { Clock } from '../federation/time.ts';
import type { ChangeContext } from '../registry/change.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { type HeldTrustMark, heldTrustMarksDue, noteRefreshProblem } from '../registry/trust-marks/held-trust-mark.ts';
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
  /** Asks the issuer at its Trust Mark endpoint. @throws FederationError */
  fetchTrustMark: (wanted: WantedTrustMark) => Promise<string>;
  verify: VerifyTrustMark;
  clock: Clock;
  /** Told of each mark of which no fresh one could be had. */
  onProblem: (mark: HeldTrustMark, error: unknown) => void;
}

/** After a failure it is tried again in an hour, or sooner where little is left. */
const RETRY_MS = { most: 3_600_000, least: 60_000 } as const;

/**
 * One round. An issuer that cannot be reached, or no longer gives the mark, costs nothing but the mark, once that has
 * expired. Two nodes that do this at once ask twice and record the same.
 */
export async function refreshHeldTrustMarks(
  options: RefreshHeldTrustMarksOptions,
  signal?: AbortSignal,
): Promise<void> {
  const due = await heldTrustMarksDue(options.db, new Date(options.clock.now() * 1000));
  for (const mark of due) {
    if (signal?.aborted) return;
    await refresh(mark, options);
  }
}

async function refresh(mark: HeldTrustMark, options: RefreshHeldTrustMarksOptions): Promise<void> {
  const { changeContext, identifierOf, fetchTrustMark, verify, onProblem, db, clock } = options;
  const bearer = identifierOf(mark.authorityId);
  if (bearer === undefined) return;
  try {
    const { issuer, trustMarkType } = mark;
    await holdTrustMark(
      changeContext(),
      mark.authorityId,
      await fetchTrustMark({ issuer, trustMarkType, bearer }),
      verify,
    );
  } catch (error) {
    onProblem(mark, error);
    const isTold = error instanceof FederationError || error instanceof RegistryError;
    const problem = isTold ? error.message : 'it failed here; the log says why';
    // One mark must not keep the others waiting; a database that is away fails here as well, and ends the round.
    await noteRefreshProblem(db, mark, problem, nextAttempt(mark, new Date(clock.now() * 1000)));
  }
}

function nextAttempt({ expiresAt }: HeldTrustMark, now: Date): Date {
  const leftMs = expiresAt === null ? RETRY_MS.most * 4 : expiresAt.getTime() - now.getTime();
  const pauseMs = leftMs <= 0 ? RETRY_MS.most : Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, leftMs / 4));
  return new Date(now.getTime() + pauseMs);
}
