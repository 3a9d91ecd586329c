/** Enrols an entity without a web server: its configuration is published here, signed with a key kept for it. */
import type { JsonObject } from '../federation/json.ts';
import { authorise } from '../registry/actor.ts';
import { readAuthority } from '../registry/authorities/read-authority.ts';
import { type ChangeContext, type Idempotency, madeBefore } from '../registry/change.ts';
import { inputSubordinate } from '../registry/claims-input.ts';
import { addEntity } from '../registry/entities/add-entity.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { keyHistory } from '../registry/entities/keys/key-history.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { inputSubordinateSettings } from '../registry/entities/subordinate-settings.ts';
import {
  DEFAULT_CONFIGURATION_LIFETIME_SECONDS,
  type GenerateHostedKey,
  type HostedPreview,
} from '../registry/hosting/hosted-entity.ts';
import { inputHosting } from '../registry/hosting/hosting-input.ts';
import { isOnOurHost } from '../registry/hosting/hosting-place.ts';
import { readOrganisation } from '../registry/organisations/read-organisation.ts';
import { checkConfiguration } from './configuration-checks.ts';
import type { Enrolment } from './enrol-entity.ts';
import { beginningOfEnrolment } from './flow/begin-with-entity.ts';
import { notPointedHere } from './host-control.ts';

export interface HostedEnrolment extends Enrolment {
  hosting: {
    /** `metadata` of its configuration, by Entity Type. */
    metadata: JsonObject;
    configurationLifetimeSeconds?: number | undefined;
  };
}

export interface HostedEnrolmentTools {
  generateKey: GenerateHostedKey;
  /** Signs what would be published; filled by whoever publishes. */
  preview: (draft: HostedPreview) => Promise<string>;
}

/**
 * Nothing is published before it is approved; the checks look at what would be. On a host of its own they fail until
 * that points here, which only a record can show that is there already: they are run again then.
 * @throws RegistryError not_found, role_missing, validation_failed, policy_conflict, entity_exists
 */
export async function enrolHosted(
  context: ChangeContext,
  input: HostedEnrolment,
  { generateKey, preview }: HostedEnrolmentTools,
  idempotency?: Idempotency,
): Promise<Entity> {
  const { authorityId } = await readOrganisation(context.db, context.actor, input.organisationId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  const earlier = idempotency && (await madeBefore(context.db, context.actor, idempotency));
  if (earlier !== undefined) return readEntity(context.db, context.actor, earlier);
  const authority = await readAuthority(context.db, context.actor, authorityId);
  const entityIdentifier = inputSubordinate(input.entityIdentifier, authority.entityIdentifier, context);
  const { metadata, configurationLifetimeSeconds = DEFAULT_CONFIGURATION_LIFETIME_SECONDS } = input.hosting;
  const hosting = inputHosting({ metadata, configurationLifetimeSeconds }, entityIdentifier, context, '/hosting');
  const settings = inputSubordinateSettings(input, entityIdentifier, context);
  const entityTypes = input.entityTypes.length > 0 ? input.entityTypes : Object.keys(metadata);
  const key = await generateKey(entityIdentifier);
  const publish = async () => {
    if (!isOnOurHost(entityIdentifier, context.hostingSites)) throw notPointedHere(entityIdentifier);
    return await preview({ entityIdentifier, superior: authority.entityIdentifier, ...hosting, key });
  };
  const found = await checkConfiguration(
    {
      ...{ entityIdentifier, authority, settings, entityTypes, approved: null },
      keyHistory: await keyHistory(context.db, { authorityId, entityIdentifier, state: 'pending' }),
    },
    publish,
    Math.floor(context.now.getTime() / 1000),
    context,
  );
  return addEntity(
    context,
    {
      ...input,
      ...found,
      ...{ enrolment: 'hosted', entityTypes, isIntermediate: false },
      jwks: { keys: [key.publicJwk] },
      hosting: { ...hosting, key },
      alongside: beginningOfEnrolment(context, authority, { ...input, entityTypes }),
    },
    idempotency,
  );
}
