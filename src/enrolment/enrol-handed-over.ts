/** Enrols an entity that cannot publish: its keys are handed over, proven, and compared out of band. */
import type { JwkSet } from '../federation/jwk-set.ts';
import { authorise } from '../registry/actor.ts';
import { readAuthority } from '../registry/authorities/read-authority.ts';
import { type ChangeContext, type Idempotency, madeBefore } from '../registry/change.ts';
import { inputJwkSet, inputSubordinate } from '../registry/claims-input.ts';
import { addEntity } from '../registry/entities/add-entity.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { readOrganisation } from '../registry/organisations/read-organisation.ts';
import { invalidField } from '../registry/registry-error.ts';
import type { Enrolment } from './enrol-entity.ts';
import { spendChallenge } from './enrolment-challenge.ts';
import { beginningOfEnrolment } from './flow/begin-with-entity.ts';
import { checkKeyProofs } from './key-proof.ts';

export interface HandedOverEnrolment extends Enrolment {
  jwks: unknown;
  challenge: string;
  /** One JWT a key, see checkKeyProofs. */
  keyProofs: string[];
  /** How a person made sure that the keys are the partner's, such as a call back to a known number. */
  outOfBandCheck: string;
}

/** @throws RegistryError not_found, role_missing, validation_failed, challenge_invalid, entity_exists, policy_conflict */
export async function enrolHandedOver(
  context: ChangeContext,
  input: HandedOverEnrolment,
  idempotency?: Idempotency,
): Promise<Entity> {
  const { authorityId } = await readOrganisation(context.db, context.actor, input.organisationId);
  authorise(context.actor, ['registrar'], authorityId);
  const earlier = idempotency && (await madeBefore(context.db, context.actor, idempotency));
  if (earlier !== undefined) return readEntity(context.db, context.actor, earlier);
  const { entityIdentifier, challenge, keyProofs, outOfBandCheck, ...settings } = input;
  const authority = await readAuthority(context.db, context.actor, authorityId);
  inputSubordinate(entityIdentifier, authority.entityIdentifier, context);
  const jwks = inputJwkSet(input.jwks, '/jwks');
  requireUnexpired(jwks, context.now);
  await checkKeyProofs(keyProofs, jwks, {
    entityIdentifier,
    authorityIdentifier: authority.entityIdentifier,
    challenge,
  });
  const at = context.now.toISOString();
  const beginEnrolment = beginningOfEnrolment(context, authority, input);
  return addEntity(
    context,
    {
      ...settings,
      entityIdentifier,
      jwks,
      enrolment: 'handed_over',
      isIntermediate: false,
      checks: [
        { check: 'key_proof', outcome: 'passed', detail: `every key signed the challenge ${challenge}`, at },
        { check: 'out_of_band', outcome: 'passed', detail: outOfBandCheck, at },
      ],
      evidence: { challenge, keyProofs, outOfBandCheck },
      verifiedEntityTypes: null,
      verifiedIntermediate: null,
      alongside: async (tx, record, entityId) => {
        await spendChallenge(tx, challenge, authorityId, entityIdentifier, context.now);
        await beginEnrolment?.(tx, record, entityId);
      },
    },
    idempotency,
  );
}

function requireUnexpired(jwks: JwkSet, now: Date): void {
  const expired = jwks.keys.findIndex(({ exp }) => exp !== undefined && exp * 1000 <= now.getTime());
  if (expired !== -1) throw invalidField(`/jwks/keys/${expired}/exp`, 'has passed; hand over a key that still counts');
}
