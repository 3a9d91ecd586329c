/** Where subordinates push the keys that they have from now on, signed with one that is registered. @see OIDFED §5.2.1, §11.2 */
import { subordinateActor } from '../../enrolment/subordinate-actor.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import { parsePushedKeySet } from '../../federation/pushed-key-set.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import { pushKeys } from '../../registry/entities/keys/push-keys.ts';
import { ANONYMOUS } from './callers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { readBody } from './form-body.ts';
import { immediateAnswer } from './immediate-answer.ts';

/** A set of fifty large keys takes less. */
const MAX_KEY_SET_BYTES = 64 * 1024;

/**
 * Replaces the registered keys of whoever signed. Each try counts against the quota of the address that it comes from, and
 * each new set against the entity's own.
 * @throws FederationError request_body_invalid, request_too_large, key_set_invalid, key_set_not_authorised,
 *   key_set_not_newer
 * @throws TryAgainLater rate_limited
 */
export async function answerSubordinateKeys(
  { served: { authority }, exchange }: EndpointRequest,
  { subordinates, resolve, clock }: FederationDependencies,
): Promise<ReadyAnswer> {
  exchange.once('lookup', () => resolve.quotas.charge(exchange, ANONYMOUS, 'lookup'));
  // What was taken in once would be refused as a replay the next time.
  const answer = await exchange.once('push', async () => {
    const jwt = await readBody(exchange.request, MEDIA_TYPE.jwkSet, MAX_KEY_SET_BYTES);
    const audience = authority.entityIdentifier;
    const pushed = parsePushedKeySet(jwt.trim(), { audience, now: clock.now(), ...resolve.identifiers });
    const context = subordinates.changeContext(subordinateActor(authority.id, pushed.subject));
    const admit = () => resolve.quotas.chargeOwnKeys(exchange, pushed.subject);
    return { sub: pushed.subject, ...(await pushKeys(context, authority.id, pushed, admit)) };
  });
  return immediateAnswer(answer, clock.now());
}
