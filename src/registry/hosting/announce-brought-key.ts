/** A hosted entity that leaves brings a key of its own: it is listed like one of ours before it signs anything. */
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { readEntity } from '../entities/read-entity.ts';
import type { Hosting } from './hosted-entity.ts';
import {
  changeRegistered,
  dropAnnounced,
  hostedKeysOf,
  hostingChanged,
  insertHostedKey,
  knownEverywhere,
  lockHosting,
  newHostedKey,
  requireActive,
  requireNoneAnnounced,
} from './hosted-key.ts';
import { readHosting } from './read-hosting.ts';

export interface BroughtKey {
  jwk: Jwk;
  /** What showed that the entity holds it, for the audit. */
  evidence: { challenge: string; outOfBandCheck: string };
  /** Spends the challenge that proved it, in the same transaction. */
  alongside: (tx: Tx) => Promise<void>;
}

/**
 * For a key that was proven. One of ours that was to sign next is given up for it. An entity that uploads may bring one,
 * too: another one, or its first when the one that it took got lost.
 * @throws RegistryError not_found, role_missing, not_hosted, entity_not_active, key_roll_pending, kid_reused,
 *   validation_failed
 */
export async function announceBroughtKey(
  context: ChangeContext,
  entityId: string,
  { jwk, evidence, alongside }: BroughtKey,
): Promise<Hosting> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['registrar'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    const { entity } = before;
    await requireActive(tx, entity);
    await alongside(tx);
    await dropAnnounced(tx, before, context.now);
    requireNoneAnnounced(await hostedKeysOf(tx, entityId));
    const held = {
      kid: jwk.kid,
      alg: jwk.alg ?? '',
      publicJwk: jwk,
      sealedPrivateKey: null,
      custody: 'partner',
    } as const;
    const activateAfter = await knownEverywhere(tx, entity, context.now);
    await insertHostedKey(tx, { ...newHostedKey(context, entityId, held), activateAfter });
    await changeRegistered(tx, entity, { add: jwk }, context.now);
    record({ ...(await hostingChanged(tx, before, 'entity.bring_key', { after: { evidence } })) });
  });
  return readHosting(context.db, context.actor, entityId);
}
