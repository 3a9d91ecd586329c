/** Pins a Trust Anchor of others for an authority. */
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { inputIdentifier, inputJwkSet } from '../claims-input.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { type PinnedTrustAnchor, readTrustAnchor, trustAnchorSnapshot } from './trust-anchor.ts';

/** @throws RegistryError not_found, role_missing, validation_failed, trust_anchor_exists, idempotency_key_reused */
export async function pinTrustAnchor(
  context: ChangeContext,
  authorityId: string,
  input: { entityIdentifier: string; jwks: unknown },
  idempotency?: Idempotency,
): Promise<PinnedTrustAnchor> {
  authorise(context.actor, ['admin'], authorityId);
  await readAuthority(context.db, context.actor, authorityId);
  inputIdentifier(input.entityIdentifier, context, '/entityIdentifier');
  const jwks = inputJwkSet(input.jwks, '/jwks') as PinnedTrustAnchor['jwks'];
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (trustAnchorId) => {
      const { entityIdentifier } = input;
      const anchor = { id: trustAnchorId, authorityId, entityIdentifier, jwks, version: 1, createdAt: context.now };
      try {
        await tx.insert(trustAnchors).values(anchor);
      } catch (error) {
        if (!isUniqueViolation(error, 'trust_anchors_authority_id_entity_identifier_key')) throw error;
        const message = `${entityIdentifier} is pinned already; change its keys there`;
        throw new RegistryError('trust_anchor_exists', message, {}, { cause: error });
      }
      record({
        action: 'trust_anchor.pin',
        authorityId,
        subjectKind: 'trust_anchor',
        subjectId: trustAnchorId,
        after: trustAnchorSnapshot(anchor),
      });
    });
  });
  return readTrustAnchor(context.db, context.actor, id);
}
