/** What is signed once and served by all nodes until it says something else or ages: statements, documents, marks. */
import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../federation/json.ts';
import type { NumericDate } from '../federation/time.ts';
import { CustodyUnavailable } from '../signer/custody/key-custody.ts';

/** A signed answer as bytes that may be sent again and again. */
export interface IssuedStatement {
  jwt: string;
  /** When it expires and when a fresh one takes its place, seconds since the epoch; Infinity where it does not. */
  expiresAt: NumericDate;
  refreshAt: NumericDate;
}

/** The same as any node stored it. */
export interface StoredJwt {
  claimsHash: string;
  jwt: string;
  expiresAt: Date | null;
  refreshAt: Date | null;
}

export interface Issuing {
  /** As stored last, whatever it says. */
  stored: StoredJwt | undefined;
  /** Equal for what says the same, is signed with the same key, and may live as long. */
  claimsHash: string;
  now: NumericDate;
  sign: () => Promise<IssuedStatement>;
  /** Stores it for all nodes; gives what is to be served in its place if another node was quicker. */
  save: (signed: IssuedStatement) => Promise<IssuedStatement | undefined>;
}

/**
 * What is stored while it says what is to be said and is young; otherwise it is signed anew. While nobody can sign, what
 * is stored is good until it expires.
 */
export async function reuseOrIssue({ stored, claimsHash, now, sign, save }: Issuing): Promise<IssuedStatement> {
  const same = stored?.claimsHash === claimsHash ? issuedFrom(stored) : undefined;
  if (same !== undefined && same.refreshAt > now) return same;
  let signed: IssuedStatement;
  try {
    signed = await sign();
  } catch (error) {
    if (same === undefined || same.expiresAt <= now || !(error instanceof CustodyUnavailable)) throw error;
    return { ...same, refreshAt: Math.min(same.expiresAt, now + OUTAGE_REFRESH_SECONDS) };
  }
  return (await save(signed)) ?? signed;
}

/** How long what is due to be signed anew is served as it is before the token is tried again. */
export const OUTAGE_REFRESH_SECONDS = 10;

/** It is renewed between 40 % and 50 % of its life. */
const REFRESH = { earliest: 0.4, spread: 0.1 } as const;

/**
 * When something signed at `now` is due to be signed anew: not in the same second, however soon it expires.
 * @param random uniform in [0, 1): what was issued together is not renewed together
 */
export function refreshTime(now: NumericDate, expiresAt: NumericDate, random: () => number): NumericDate {
  const aged = now + Math.floor((expiresAt - now) * (REFRESH.earliest + REFRESH.spread * random()));
  return Math.max(aged, now + 1);
}

export function issuedFrom({ jwt, expiresAt, refreshAt }: StoredJwt): IssuedStatement {
  const seconds = (date: Date | null) => (date === null ? Number.POSITIVE_INFINITY : Math.floor(date.getTime() / 1000));
  return { jwt, expiresAt: seconds(expiresAt), refreshAt: seconds(refreshAt) };
}

/** What {@link Issuing} compares: claims without times, and what else makes it another document. */
export function claimsHashOf(basis: JsonObject): string {
  return createHash('sha256').update(canonicalJson(basis)).digest('base64url');
}
