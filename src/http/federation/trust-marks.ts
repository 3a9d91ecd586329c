/** Trust Marks and who bears them, at their issuer. @see OIDFED §8.5, §8.6 */
import { FederationError } from '../../federation/errors.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { asIdentifier, identifierParameter, optionalParameter, requiredParameter } from './parameters.ts';

/**
 * The listing endpoint: all who hold a valid mark of the type, subordinates or not. A type of which nothing is issued
 * here has no holders.
 * @throws FederationError parameter_missing, parameter_repeated, entity_identifier_invalid
 */
export function answerTrustMarkList(
  { served, exchange: { parameters } }: EndpointRequest,
  { trustMarks, resolve }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const type = requiredParameter(parameters, 'trust_mark_type');
  const subject = optionalParameter(parameters, 'sub');
  if (subject === undefined) return trustMarks.listing(served, type);
  return trustMarks.holder(served, type, asIdentifier(subject, 'sub', resolve.identifiers));
}

/**
 * The Trust Mark endpoint: the mark itself, fresh, for whoever asks.
 * @throws FederationError parameter_missing, parameter_repeated, entity_identifier_invalid, trust_mark_not_held
 */
export function answerTrustMark(
  { served, exchange: { parameters } }: EndpointRequest,
  { trustMarks, resolve }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const type = requiredParameter(parameters, 'trust_mark_type');
  const answer = trustMarks.mark(served, type, identifierParameter(parameters, 'sub', resolve.identifiers));
  return answer instanceof Promise ? answer.then(held) : held(answer);
}

function held(answer: ReadyAnswer | undefined): ReadyAnswer {
  if (answer !== undefined) return answer;
  throw new FederationError('trust_mark_not_held', 'the entity has no valid Trust Mark of this type from here', 'sub');
}
