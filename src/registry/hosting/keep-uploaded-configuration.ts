/** Serves a configuration that the entity signed itself; with the first one the key that is kept here retires. */
import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { hostedEntities, hostedKeys } from '../../storage/schema/hosted-entities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { isLive } from '../entities/keys/keys-changeable.ts';
import { readEntity } from '../entities/read-entity.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { isKeptHere } from './hosted-entity.ts';
import {
  dropAnnounced,
  hostedKeysOf,
  hostingChanged,
  type LockedHosting,
  lockHosting,
  requireActive,
  retired,
  updateHostedKey,
} from './hosted-key.ts';

/** A configuration that is valid in itself, for our clock and this entity. */
export interface UploadedConfiguration {
  jwt: string;
  iat: number;
  /** Of the key that signed it. */
  kid: string;
}

const FIELD = '/configuration';

/**
 * One that is served already is left as it is: its upload is repeated for what follows it.
 * @throws RegistryError not_found, role_missing, not_hosted, entity_not_active, validation_failed, key_not_ready while
 *   Subordinate Statements are in use that do not list the key
 */
export async function keepUploadedConfiguration(
  context: ChangeContext,
  entityId: string,
  { jwt, iat, kid }: UploadedConfiguration,
): Promise<void> {
  const { authorityId, organisationId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.uploadConfiguration.roles, authorityId, organisationId, entityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    const { entity, hosted } = before;
    await requireActive(tx, entity);
    if (!before.registered.some(({ jwk }) => jwk.kid === kid && isLive(jwk, context.now)))
      throw invalidField(FIELD, `is signed by ${kid}, not registered`);
    requireReady(before, kid, context.now);
    if (hosted.uploadedConfiguration === jwt) return;
    if (hosted.uploadedIat !== null && iat <= hosted.uploadedIat) {
      throw invalidField(FIELD, `must be issued later than the one before it; its iat is ${iat}`);
    }
    const present = before.keys.find((key) => key.state === 'active');
    if (present !== undefined) await updateHostedKey(tx, retired(present, context.now));
    const brought = before.keys.find((key) => key.kid === kid && key.state === 'announced');
    if (brought !== undefined) await updateHostedKey(tx, { ...brought, state: 'handed_over', activateAfter: null });
    await dropAnnounced(tx, { entity, keys: await hostedKeysOf(tx, entityId) }, context.now);
    await tx
      .update(hostedEntities)
      .set({ mode: 'uploaded', uploadedConfiguration: jwt, uploadedIat: iat })
      .where(eq(hostedEntities.entityId, entityId));
    await tx
      .update(hostedKeys)
      .set({ handedOverJwe: null, handedOverTo: null })
      .where(eq(hostedKeys.entityId, entityId));
    const after = { iat, signedBy: kid, digest: createHash('sha256').update(jwt).digest('base64url') };
    record({ ...(await hostingChanged(tx, before, 'entity.upload_configuration', { after })) });
  });
}

/** @throws RegistryError validation_failed, key_not_ready */
function requireReady({ keys }: LockedHosting, kid: string, now: Date): void {
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) return;
  if (isKeptHere(key)) throw invalidField(FIELD, 'is signed with the key that is kept here; bring or take a key first');
  if (key.activateAfter === null || key.activateAfter <= now) return;
  const until = key.activateAfter.toISOString();
  const message = `the key ${kid} may sign from ${until} on: statements that do not list it are in use until then`;
  throw new RegistryError('key_not_ready', message, { until });
}
