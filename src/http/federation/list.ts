/** The list endpoint: identifiers of all Immediate Subordinates that this authority vouches for. @see OIDFED §8.2 */
import { NOBODY, type ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { booleanParameter, optionalParameter } from './parameters.ts';

/**
 * Several `entity_type` parameters name entities of any of them. No authority here has issued Trust Marks, so the
 * filters about these leave nobody.
 * @throws FederationError parameter_invalid, parameter_repeated
 */
export function answerList(
  { served, exchange }: EndpointRequest,
  { answers }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const { query } = exchange;
  const isMarked = booleanParameter(query, 'trust_marked');
  const markType = optionalParameter(query, 'trust_mark_type');
  const intermediate = booleanParameter(query, 'intermediate');
  if (isMarked || markType !== undefined) return NOBODY;
  return answers.list(served, { intermediate, entityTypes: query.getAll('entity_type') });
}
