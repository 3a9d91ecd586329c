/** The list endpoint: identifiers of all Immediate Subordinates that this authority vouches for. @see OIDFED §8.2 */
import { NOBODY, type ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import type { MarkFilter } from '../../registry/entities/list-subordinates.ts';
import { isIssued } from '../../registry/trust-marks/trust-mark-type.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { booleanParameter, optionalParameter } from './parameters.ts';

/**
 * Several `entity_type` parameters name entities of any of them. Only marks that this authority issued count.
 * @throws FederationError parameter_invalid, parameter_repeated
 */
export function answerList(
  { served, exchange }: EndpointRequest,
  { answers, clock }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const { parameters } = exchange;
  const isMarked = booleanParameter(parameters, 'trust_marked');
  const markType = optionalParameter(parameters, 'trust_mark_type');
  const intermediate = booleanParameter(parameters, 'intermediate');
  const filter = { intermediate, entityTypes: parameters.getAll('entity_type') };
  if (!isMarked && markType === undefined) return answers.list(served, filter);
  const markTypes = markType === undefined ? [] : [markType];
  const marks = markFilter(served, markTypes, new Date(clock.now() * 1000));
  return marks === undefined ? NOBODY : answers.list(served, { ...filter, marks });
}

/**
 * Marks of any of these types, or of all that this authority issues if none is given. Undefined when no mark could
 * pass.
 */
export function markFilter(
  { trustMarkTypes }: ServedAuthority,
  wanted: readonly string[],
  now: Date,
): MarkFilter | undefined {
  const types = trustMarkTypes.filter(
    (type) => isIssued(type, now) && (wanted.length === 0 || wanted.includes(type.trustMarkType)),
  );
  if (types.length === 0) return undefined;
  const ends = types.flatMap(({ delegationExpiresAt }) => delegationExpiresAt?.getTime() ?? []);
  return {
    typeIds: types.map(({ id }) => id),
    issuedUntil: ends.length === 0 ? null : new Date(Math.min(...ends)),
  };
}
