/** Hands the key of a hosted entity to the entity: from then on it signs its configurations itself. */
import { eq } from 'drizzle-orm';
import { parseEncryptionKey } from '../../federation/encryption-key.ts';
import { FederationError } from '../../federation/errors.ts';
import { type JsonObject, jsonEquals } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import { decodeJwt } from '../../federation/signature.ts';
import { hostedEntities } from '../../storage/schema/hosted-entities.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { readEntity } from '../entities/read-entity.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { expiryOf, type HostedKey } from './hosted-entity.ts';
import {
  dropAnnounced,
  dropUnregistered,
  hostedKeysOf,
  hostingChanged,
  keyIn,
  type LockedHosting,
  lockHosting,
  requireActive,
  requireSignedHere,
  updateHostedKey,
} from './hosted-key.ts';

export interface TakeTools {
  /** The private half as a JWE for the recipient alone; filled by whoever has custody. */
  exportKey: (key: HostedKey, entityIdentifier: string, recipient: Jwk) => Promise<string>;
  /** What is published at present, a JWT: it goes on to be served until the entity uploads one of its own. */
  presentConfiguration: (entityIdentifier: string) => Promise<string | undefined>;
}

export interface TakenKey {
  kid: string;
  /** A private JWK (RFC 7517 §7) encrypted with ECDH-ES (RFC 7518 §4.6). */
  jwe: string;
  /** Of the announced key that was given up with it; null if there was none. */
  droppedKid: string | null;
  /** When what was signed here last expires; the entity uploads before. */
  servedUntil: Date;
}

/**
 * Destroys the private half here in the moment that it is handed out. What was announced beside it is given up. Whoever
 * asks again for the same recipient gets the same answer, which nobody else can open, until the first upload.
 * @param recipient a public key of the entity to encrypt to
 * @throws RegistryError not_found, role_missing, validation_failed, not_hosted, entity_not_active, key_not_exportable
 */
export async function takeHostedKey(
  context: ChangeContext,
  entityId: string,
  { recipient, reason }: { recipient: unknown; reason: string },
  { exportKey, presentConfiguration }: TakeTools,
): Promise<TakenKey> {
  const { authorityId, entityIdentifier, version } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin'], authorityId);
  const to = await inputRecipient(recipient);
  const configuration = await presentConfiguration(entityIdentifier);
  return await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    const { entity, hosted } = before;
    const earlier = handedOver(before, to);
    if (earlier !== undefined) {
      const after = { takenKid: earlier.kid, recipient: to as JsonObject, isRepeated: true };
      record({ ...(await hostingChanged(tx, before, 'entity.take_hosted_key', { reason, after })) });
      return { ...earlier, droppedKid: null, servedUntil: expiryOf(hosted.uploadedConfiguration ?? '') };
    }
    requireSignedHere(hosted, entity);
    await requireActive(tx, entity);
    const key = keyIn(await dropUnregistered(tx, before), 'active');
    const iat = configuration === undefined ? undefined : decodeJwt(configuration).claims['iat'];
    const isOurs = typeof iat === 'number' && decodeJwt(configuration ?? '').header['kid'] === key?.kid;
    // What was changed meanwhile would never be published.
    const isPresent = isOurs && entity.version === version;
    if (key === undefined || configuration === undefined || !isPresent) {
      throw new RegistryError('key_not_exportable', 'it changes in this moment; try again shortly');
    }
    if (key.sealedPrivateKey === null) {
      const message = 'its key is in a PKCS#11 token and does not leave it; have the entity bring a key of its own';
      throw new RegistryError('key_not_exportable', message, { kid: key.kid });
    }
    const jwe = await exportKey(key, entityIdentifier, to);
    const handed = { handedOverJwe: jwe, handedOverTo: to as JsonObject };
    await updateHostedKey(tx, { ...key, ...handed, state: 'handed_over', sealedPrivateKey: null });
    const dropped = await dropAnnounced(tx, { entity, keys: await hostedKeysOf(tx, entityId) }, context.now);
    await tx
      .update(hostedEntities)
      .set({ mode: 'uploaded', uploadedConfiguration: configuration, uploadedIat: iat })
      .where(eq(hostedEntities.entityId, entityId));
    const after = { takenKid: key.kid, recipient: to as JsonObject };
    record({ ...(await hostingChanged(tx, before, 'entity.take_hosted_key', { reason, after })) });
    return { kid: key.kid, jwe, droppedKid: dropped?.kid ?? null, servedUntil: expiryOf(configuration) };
  });
}

/** What was handed out to the same recipient before, while nothing shows that it arrived and the key still counts. */
function handedOver({ keys, registered }: LockedHosting, to: Jwk): Pick<TakenKey, 'kid' | 'jwe'> | undefined {
  for (const { kid, handedOverJwe: jwe, handedOverTo } of keys) {
    if (jwe === null || !jsonEquals(handedOverTo, to as JsonObject)) continue;
    if (registered.some(({ jwk }) => jwk.kid === kid)) return { kid, jwe };
  }
  return undefined;
}

/** @throws RegistryError validation_failed */
async function inputRecipient(value: unknown): Promise<Jwk> {
  try {
    return await parseEncryptionKey(value);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw invalidField('/recipient', error.message);
  }
}
