/** The fetch endpoint: the Subordinate Statement about an Immediate Subordinate. @see OIDFED §8.1 */
import { FederationError } from '../../federation/errors.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { asIdentifier, requiredParameter } from './parameters.ts';

/**
 * A subject that is not active is unknown here, whatever its history.
 * @throws FederationError parameter_missing, parameter_repeated, subject_is_issuer, entity_identifier_invalid,
 *   subject_unknown
 */
export function answerFetch(
  { served, exchange }: EndpointRequest,
  { answers, resolve }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const subject = requiredParameter(exchange.parameters, 'sub');
  if (subject === served.authority.entityIdentifier) {
    const message = 'sub is this authority itself; its Entity Configuration is at its well-known URL';
    throw new FederationError('subject_is_issuer', message, 'sub');
  }
  const ready = answers.readyStatement(served, subject);
  if (ready !== undefined) return ready;
  const answer = answers.subordinateStatement(served, asIdentifier(subject, 'sub', resolve.identifiers));
  return answer instanceof Promise ? answer.then(known) : known(answer);
}

function known(answer: ReadyAnswer | undefined): ReadyAnswer {
  if (answer !== undefined) return answer;
  throw new FederationError('subject_unknown', 'this authority vouches for no entity with this identifier', 'sub');
}
