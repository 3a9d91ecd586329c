/** Where subordinates ask their superior to fetch their Entity Configuration again, now. @see OIDFED §8.8, §11.1 */
import { type RefreshedEntity, refreshEntity } from '../../enrolment/refresh-entity.ts';
import { subordinateActor } from '../../enrolment/subordinate-actor.ts';
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import { readSubordinate } from '../../registry/entities/read-subordinate.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { immediateAnswer } from './immediate-answer.ts';

/**
 * Tells what came of it. It takes a request to the caller, and counts against the caller's quota for its own keys.
 * @throws FederationError subject_unknown
 * @throws TryAgainLater rate_limited
 */
export async function answerSubordinateRefresh(
  { served, exchange, caller }: EndpointRequest,
  { subordinates, resolve, clock }: FederationDependencies,
): Promise<ReadyAnswer> {
  if (caller.kind !== 'entity') throw notOurs();
  const { entityIdentifier } = caller;
  exchange.once('own keys', () => resolve.quotas.chargeOwnKeys(exchange, entityIdentifier));
  const refreshed = await exchange.once('refresh', () => refresh(entityIdentifier));
  return immediateAnswer({ sub: entityIdentifier, ...refreshed }, clock.now());

  async function refresh(subject: EntityIdentifier): Promise<RefreshedEntity> {
    const { authority } = served;
    const subordinate = await readSubordinate(resolve.db, authority.id, subject);
    if (subordinate === undefined) throw notOurs();
    const context = subordinates.changeContext(subordinateActor(authority.id, subject));
    try {
      return await refreshEntity(context, subordinate.entity.id, subordinates.retrieveConfiguration);
    } catch (error) {
      if (error instanceof RegistryError && REFUSED.has(error.code)) throw notOurs(error);
      throw error;
    }
  }
}

/** It was suspended or closed meanwhile, or has no configuration that could be fetched. */
const REFUSED: ReadonlySet<string> = new Set(['entity_not_active', 'illegal_transition', 'checks_failed']);

function notOurs(cause?: unknown): FederationError {
  const message = 'this authority has no active subordinate of this name whose configuration it could fetch';
  return new FederationError('subject_unknown', message, '', { cause });
}
