/** Where an entity asks an issuer for a Trust Mark, proving who it is; an endpoint of ours beside those of the standard. */
import { subordinateActor } from '../../enrolment/subordinate-actor.ts';
import { FederationError } from '../../federation/errors.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import { requestTrustMark } from '../../registry/trust-marks/request-trust-mark.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { immediateAnswer } from './immediate-answer.ts';
import { requiredParameter } from './parameters.ts';

/**
 * 202 while somebody has to decide, 200 for a mark that is active: then the Trust Mark endpoint gives it out. Asked
 * again, it says how the request fares.
 * @throws FederationError parameter_missing, parameter_repeated, trust_mark_type_unknown, trust_mark_not_eligible
 * @throws TryAgainLater rate_limited
 */
export async function answerTrustMarkRequest(
  { served, exchange, caller }: EndpointRequest,
  { resolve: { quotas }, subordinates, clock }: FederationDependencies,
): Promise<ReadyAnswer> {
  const trustMarkType = requiredParameter(exchange.parameters, 'trust_mark_type');
  if (caller.kind !== 'entity') throw new FederationError('client_unknown', 'the caller is not known here');
  exchange.once('evaluation', () => quotas.charge(exchange, caller, 'evaluation'));
  const type = served.trustMarkTypes.find((candidate) => candidate.trustMarkType === trustMarkType);
  if (type === undefined || type.state !== 'active') {
    throw new FederationError('trust_mark_type_unknown', 'no marks of this type are issued here', 'trust_mark_type');
  }
  const { entityIdentifier } = caller;
  const mark = await exchange.once('request', async () => {
    const context = subordinates.changeContext(subordinateActor(served.authority.id, entityIdentifier));
    return await requested(requestTrustMark(context, { typeId: type.id, subject: entityIdentifier }, 'entity'));
  });
  const isActive = mark.state === 'active';
  const status = isActive ? 'active' : 'pending';
  const answer = immediateAnswer({ trust_mark_type: trustMarkType, sub: entityIdentifier, status }, clock.now());
  return isActive ? answer : { ...answer, status: 202 };
}

async function requested<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new FederationError('trust_mark_not_eligible', error.message, 'trust_mark_type', { cause: error });
  }
}
