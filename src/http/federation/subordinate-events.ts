/** The subordinate events endpoint: what became of an entity since its registration. @see EVENTS §2.2, §2.3 */
import { FederationError } from '../../federation/errors.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { identifierParameter } from './parameters.ts';

/**
 * Those who left or were revoked have a history too; who was never registered is unknown here.
 * @throws FederationError parameter_missing, parameter_repeated, entity_identifier_invalid, subject_unknown
 */
export function answerSubordinateEvents(
  { served, exchange: { parameters: query } }: EndpointRequest,
  { subordinateEvents, resolve }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const history = subordinateEvents.history(served, identifierParameter(query, 'sub', resolve.identifiers));
  return history instanceof Promise ? history.then(known) : known(history);
}

function known(history: ReadyAnswer | undefined): ReadyAnswer {
  if (history !== undefined) return history;
  throw new FederationError('subject_unknown', 'no entity with this identifier was ever registered here', 'sub');
}
