/** The Trust Mark status endpoint: how a mark of this issuer fares right now, signed. @see OIDFED §8.4 */
import { FederationError } from '../../federation/errors.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { requiredParameter } from './parameters.ts';
import { RequestTooLarge } from './request-too-large.ts';

/** Longest mark that is looked at, in characters; those issued here are shorter. */
export const MAX_TRUST_MARK_LENGTH = 16 * 1024;

/** Of the whole body: the mark and some room for parameters that are ignored. */
const MAX_BODY_BYTES = MAX_TRUST_MARK_LENGTH + 1024;

/**
 * A mark that is not active is no error: 200 says so. One that memory does not know costs a look at the records, which
 * counts against the caller's quota.
 * @throws FederationError request_body_invalid, request_too_large, parameter_missing, parameter_repeated,
 *   parameter_invalid, trust_mark_unknown
 * @throws TryAgainLater rate_limited
 */
export async function answerTrustMarkStatus(
  { served, exchange, caller }: EndpointRequest,
  { trustMarks, resolve }: FederationDependencies,
): Promise<ReadyAnswer> {
  const form = await exchange.form(MAX_BODY_BYTES);
  const jwt = requiredParameter(form, 'trust_mark');
  if (jwt.length > MAX_TRUST_MARK_LENGTH) {
    throw new RequestTooLarge(`a Trust Mark has at most ${MAX_TRUST_MARK_LENGTH} characters`, 'trust_mark');
  }
  if (!JWT_ALPHABET.test(jwt)) {
    throw new FederationError('parameter_invalid', 'the trust_mark is no JWT in compact form', 'trust_mark');
  }
  return await trustMarks.statuses.answer(served, jwt, () =>
    exchange.once('lookup', () => resolve.quotas.charge(exchange, caller, 'lookup')),
  );
}

const JWT_ALPHABET = /^[A-Za-z0-9_.-]+$/;
