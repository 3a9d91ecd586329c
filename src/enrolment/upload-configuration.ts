/** Takes the configuration that a hosted entity signed itself, as it would be taken from the entity's own server. */
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { verifySignature } from '../federation/signature.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import { validateEntityConfiguration } from '../federation/statement/validate-statement.ts';
import { ACCESS } from '../registry/access.ts';
import { authorise } from '../registry/actor.ts';
import { authorityOf } from '../registry/authorities/read-authority.ts';
import type { ChangeContext } from '../registry/change.ts';
import { LIFETIME_SECONDS } from '../registry/claims-input.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { liveKeysOf } from '../registry/entities/keys/keys-changeable.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { keepUploadedConfiguration } from '../registry/hosting/keep-uploaded-configuration.ts';
import { invalidField, RegistryError } from '../registry/registry-error.ts';
import { requireStorable } from './configuration-checks.ts';
import { refreshEntity } from './refresh-entity.ts';

/**
 * Serves it from now on, and follows what it says about keys.
 * @throws RegistryError not_found, role_missing, validation_failed, not_hosted, entity_not_active, key_not_ready
 */
export async function uploadConfiguration(context: ChangeContext, entityId: string, jwt: string): Promise<Entity> {
  const entity = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.uploadConfiguration.roles, entity.authorityId, entity.organisationId, entity.id);
  if (entity.enrolment !== 'hosted') {
    throw new RegistryError('not_hosted', `the configuration of ${entity.entityIdentifier} is not served here`);
  }
  const configuration = await validated(context, entity, jwt);
  const { entityIdentifier } = await authorityOf(context.db, entity);
  const { iat, exp, authority_hints: hints = [] } = configuration.claims;
  if (!(hints as readonly string[]).includes(entityIdentifier)) {
    throw invalidField('/configuration', `/authority_hints must name ${entityIdentifier}, spelt exactly so`);
  }
  if (exp - iat > LIFETIME_SECONDS.max) {
    throw invalidField('/configuration', `/exp is more than ${LIFETIME_SECONDS.max} s after iat`);
  }
  await keepUploadedConfiguration(context, entityId, { jwt, iat, kid: configuration.header.kid });
  await refreshEntity(context, entityId, async () => jwt);
  return await readEntity(context.db, context.actor, entityId);
}

async function validated(context: ChangeContext, entity: Entity, jwt: string): Promise<EntityStatement> {
  const { allowHttp, understoodClaims } = context;
  const now = Math.floor(context.now.getTime() / 1000);
  const identifier = entity.entityIdentifier as EntityIdentifier;
  try {
    const statement = await validateEntityConfiguration(jwt, identifier, { now, allowHttp, understoodClaims });
    requireStorable(statement);
    const keys = liveKeysOf(entity, context.now);
    const { kid } = statement.header;
    if (!keys.some((key) => key.kid === kid)) {
      const detail = `is signed with the key ${kid}, which is not registered; bring it first, or take the key kept here`;
      throw invalidField('/configuration', detail);
    }
    await verifySignature(statement, { keys });
    return statement;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw invalidField('/configuration', `${error.reason}: ${`${error.at} ${error.message}`.trim()}`);
  }
}
