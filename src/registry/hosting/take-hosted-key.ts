/** Hands the key of a hosted entity to the entity, once: from then on it signs its configurations itself. */
import { eq } from 'drizzle-orm';
import { FederationError } from '../../federation/errors.ts';
import type { JsonObject } from '../../federation/json.ts';
import { checkJwkSet, type Jwk } from '../../federation/jwk-set.ts';
import { decodeJwt } from '../../federation/signature.ts';
import { hostedEntities } from '../../storage/schema/hosted-entities.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { readEntity } from '../entities/read-entity.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import type { HostedKey } from './hosted-entity.ts';
import {
  dropAnnounced,
  dropUnregistered,
  hostedKeysOf,
  hostingChanged,
  keyIn,
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
}

const RECIPIENT_CURVES: ReadonlySet<unknown> = new Set(['P-256', 'P-384', 'P-521', 'X25519']);

/**
 * Destroys the private half here in the moment that it is handed out. What was announced beside it is given up.
 * @param recipient a public key of the entity to encrypt to
 * @throws RegistryError not_found, role_missing, validation_failed, not_hosted, entity_not_active, key_not_exportable
 */
export async function takeHostedKey(
  context: ChangeContext,
  entityId: string,
  { recipient, reason }: { recipient: unknown; reason: string },
  { exportKey, presentConfiguration }: TakeTools,
): Promise<TakenKey> {
  const { authorityId, entityIdentifier } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin'], authorityId);
  const to = inputRecipient(recipient);
  const configuration = await presentConfiguration(entityIdentifier);
  return await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    const { entity, hosted } = before;
    requireSignedHere(hosted, entity);
    await requireActive(tx, entity);
    const key = keyIn(await dropUnregistered(tx, before), 'active');
    const iat = configuration === undefined ? undefined : decodeJwt(configuration).claims['iat'];
    const isPresent = typeof iat === 'number' && decodeJwt(configuration ?? '').header['kid'] === key?.kid;
    if (key === undefined || configuration === undefined || !isPresent) {
      throw new RegistryError('key_not_exportable', 'its key changes in this moment; try again shortly');
    }
    if (key.sealedPrivateKey === null) {
      const message = 'its key is in a PKCS#11 token and does not leave it; have the entity bring a key of its own';
      throw new RegistryError('key_not_exportable', message, { kid: key.kid });
    }
    const jwe = await exportKey(key, entityIdentifier, to);
    await updateHostedKey(tx, { ...key, state: 'handed_over', sealedPrivateKey: null });
    await dropAnnounced(tx, { entity, keys: await hostedKeysOf(tx, entityId) }, context.now);
    await tx
      .update(hostedEntities)
      .set({ mode: 'uploaded', uploadedConfiguration: configuration, uploadedIat: iat })
      .where(eq(hostedEntities.entityId, entityId));
    const after = { takenKid: key.kid, recipient: to as JsonObject };
    record({ ...(await hostingChanged(tx, before, 'entity.take_hosted_key', { reason, after })) });
    return { kid: key.kid, jwe };
  });
}

/** @throws RegistryError validation_failed */
function inputRecipient(value: unknown): Jwk {
  try {
    const [key] = checkJwkSet({ keys: [value] }, '').keys;
    if (key !== undefined && RECIPIENT_CURVES.has(key.crv) && key.use !== 'sig') return key;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw invalidField('/recipient', error.message);
  }
  throw invalidField('/recipient', `is a public key to encrypt to, on ${[...RECIPIENT_CURVES].join(', ')}`);
}
