/** A hosted entity that leaves proves a key of its own, and it is announced beside the one that is kept here. */
import { authorise } from '../registry/actor.ts';
import { readAuthority } from '../registry/authorities/read-authority.ts';
import type { ChangeContext } from '../registry/change.ts';
import { inputJwkSet } from '../registry/claims-input.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { announceBroughtKey } from '../registry/hosting/announce-brought-key.ts';
import type { Hosting } from '../registry/hosting/hosted-entity.ts';
import { invalidField } from '../registry/registry-error.ts';
import type { HandedOverEnrolment } from './enrol-handed-over.ts';
import { spendChallenge } from './enrolment-challenge.ts';
import { checkKeyProofs } from './key-proof.ts';

export type BroughtKeys = Pick<HandedOverEnrolment, 'jwks' | 'challenge' | 'keyProofs' | 'outOfBandCheck'>;

/**
 * The entity may upload what it signs with the key once no statement is in use that does not list it.
 * @throws RegistryError not_found, role_missing, validation_failed, challenge_invalid, not_hosted, entity_not_active,
 *   key_roll_pending, kid_reused
 */
export async function bringHostedKey(
  context: ChangeContext,
  entityId: string,
  { jwks: given, challenge, keyProofs, outOfBandCheck }: BroughtKeys,
): Promise<Hosting> {
  const { authorityId, entityIdentifier } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['registrar'], authorityId);
  const jwks = inputJwkSet(given, '/jwks');
  const [jwk, ...more] = jwks.keys;
  if (jwk === undefined || more.length > 0) throw invalidField('/jwks', 'has one key: the one that signs from then on');
  if (jwk.exp !== undefined) throw invalidField('/jwks/keys/0/exp', 'is left out: the key signs until another follows');
  const authority = await readAuthority(context.db, context.actor, authorityId);
  await checkKeyProofs(keyProofs, jwks, {
    entityIdentifier,
    authorityIdentifier: authority.entityIdentifier,
    challenge,
  });
  return await announceBroughtKey(context, entityId, {
    jwk,
    evidence: { challenge, outOfBandCheck },
    alongside: (tx) => spendChallenge(tx, challenge, authorityId, entityIdentifier, context.now),
  });
}
