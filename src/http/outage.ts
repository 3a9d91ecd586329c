/** Tells an outage of what we rest upon, which passes, from a bug, which does not. */
import { TooManyLoads } from '../issuance/following-cache.ts';
import { NoSigningKey } from '../issuance/statement-issuer.ts';
import { StaleStateError } from '../storage/change-feed.ts';
import { DatabaseUnreachable } from '../storage/postgresql.ts';

/** SQLSTATE: connection exceptions, too many connections, shutdown, crash, start-up, and a query given up. */
const OUTAGE_STATES = /^(?:08...|53300|57P0[123]|57014)$/;
const OUTAGE_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // A token that keys are in.
  'CUSTODY_UNAVAILABLE',
]);
/** What the PostgreSQL client says without any code. */
const OUTAGE_MESSAGES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (?:has encountered a connection error|was closed) and is not queryable)/;

/** Whether the same request may succeed in a while: the database or a token is away, our knowledge stale, a key missing. */
export function isOutage(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof StaleStateError || cause instanceof DatabaseUnreachable) return true;
    if (cause instanceof TooManyLoads || cause instanceof NoSigningKey) return true;
    if (OUTAGE_MESSAGES.test(cause.message)) return true;
    if (!('code' in cause) || typeof cause.code !== 'string') continue;
    if (OUTAGE_CODES.has(cause.code) || OUTAGE_STATES.test(cause.code)) return true;
  }
  return false;
}
