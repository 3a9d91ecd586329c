/** Look-ups by whoever comes without a name: each costs a look at the records, and his address pays for it. */
import type { Context } from 'hono';
import { ANONYMOUS } from '../federation/callers.ts';
import { Exchange } from '../federation/exchange.ts';
import { TryAgainLater } from '../federation/try-again-later.ts';
import { HttpProblem } from '../problem.ts';
import type { ApiDependencies } from './api-dependencies.ts';
import type { ApiEnv } from './api-env.ts';

/** @throws HttpProblem too_many_requests */
export function chargeLookup(c: Context<ApiEnv>, { quotas }: Pick<ApiDependencies['tokenEndpoint'], 'quotas'>): void {
  const exchange = new Exchange(c.req.raw, c.env);
  try {
    quotas.charge(exchange, ANONYMOUS, 'lookup');
  } catch (error) {
    if (!(error instanceof TryAgainLater)) throw error;
    const headers = { ...exchange.headers, 'retry-after': String(error.retryAfterSeconds) };
    throw new HttpProblem('too_many_requests', 'this address has asked for too much; wait a while', headers);
  }
  for (const [name, value] of Object.entries(exchange.headers ?? {})) c.header(name, value);
}
