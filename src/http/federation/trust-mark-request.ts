/** Where an entity asks an issuer for a Trust Mark, proving who it is; an endpoint of ours beside those of the standard. */
import { subordinateActor } from '../../enrolment/subordinate-actor.ts';
import { FederationError, type Reason } from '../../federation/errors.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import { type RegistryCode, RegistryError } from '../../registry/registry-error.ts';
import { readMarkStanding } from '../../registry/trust-marks/read-issued-mark.ts';
import { requestTrustMark } from '../../registry/trust-marks/request-trust-mark.ts';
import type { TrustMark } from '../../registry/trust-marks/trust-mark.ts';
import { isIssued, type TrustMarkType } from '../../registry/trust-marks/trust-mark-type.ts';
import type { Db } from '../../storage/connect.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { immediateAnswer } from './immediate-answer.ts';
import { requiredParameter } from './parameters.ts';

/**
 * 202 while somebody has to decide, 200 for a mark that stands: then the Trust Mark endpoint gives it out. Asked again,
 * it says how the request fares.
 * @throws FederationError parameter_missing, parameter_repeated, trust_mark_type_unknown, trust_mark_not_eligible
 * @throws TryAgainLater rate_limited
 */
export async function answerTrustMarkRequest(
  { served, exchange, caller }: EndpointRequest,
  { resolve: { quotas, db }, subordinates, clock }: FederationDependencies,
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
    const asked = await requested(requestTrustMark(context, { typeId: type.id, subject: entityIdentifier }, 'entity'));
    if (asked.state === 'active') await requireStanding(db, asked, type, context.now);
    return asked;
  });
  const isActive = mark.state === 'active';
  const status = isActive ? 'active' : 'pending';
  const answer = immediateAnswer({ trust_mark_type: trustMarkType, sub: entityIdentifier, status }, clock.now());
  return isActive ? answer : { ...answer, status: 202 };
}

/** Granted to a record that was closed, or for a time that is over, it is no mark until somebody renews it. */
async function requireStanding(db: Db, { id }: TrustMark, type: TrustMarkType, now: Date): Promise<void> {
  const { stands = false, endsAt = null } = (await readMarkStanding(db, id)) ?? {};
  const isOver = endsAt !== null && endsAt <= now;
  if (stands && !isOver && isIssued(type, now)) return;
  const message = 'the mark that was granted does not stand any more; ask the issuer to renew it';
  throw new FederationError('trust_mark_not_eligible', message, 'trust_mark_type');
}

async function requested<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    const reason = error instanceof RegistryError ? REFUSALS[error.code] : undefined;
    if (!(error instanceof RegistryError) || reason === undefined) throw error;
    throw new FederationError(reason, error.message, 'trust_mark_type', { cause: error });
  }
}

/** What the entity hears of; anything else is not its doing. */
const REFUSALS: Partial<Record<RegistryCode, Reason>> = {
  not_eligible: 'trust_mark_not_eligible',
  validation_failed: 'trust_mark_not_eligible',
  trust_mark_type_retired: 'trust_mark_type_unknown',
};
