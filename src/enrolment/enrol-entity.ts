/** Enrols an entity that publishes its Entity Configuration: fetch it, check it, record it as pending. */
import { authorise } from '../registry/actor.ts';
import { readAuthority } from '../registry/authorities/read-authority.ts';
import { type ChangeContext, type Idempotency, madeBefore } from '../registry/change.ts';
import { inputSubordinate } from '../registry/claims-input.ts';
import { addEntity } from '../registry/entities/add-entity.ts';
import type { Entity, SubordinateSettings } from '../registry/entities/entity.ts';
import type { EntityAttributes } from '../registry/entities/entity-attributes.ts';
import { keyHistory } from '../registry/entities/keys/key-history.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { inputSubordinateSettings } from '../registry/entities/subordinate-settings.ts';
import { readOrganisation } from '../registry/organisations/read-organisation.ts';
import { checkConfiguration, type RetrieveConfiguration } from './configuration-checks.ts';
import { beginningOfEnrolment } from './flow/begin-with-entity.ts';

export interface Enrolment extends SubordinateSettings, Partial<EntityAttributes> {
  organisationId: string;
  entityIdentifier: string;
  /** Entity Types that the entity is meant to play; empty: those that it declares. */
  entityTypes: string[];
}

/**
 * A configuration that fails its checks is recorded as well, with what to mend; it cannot be approved until a later
 * round of checks passes. Where the authority has a flow its enrolment begins, and that alone lets it in.
 * @throws RegistryError not_found, role_missing, validation_failed, policy_conflict, entity_exists
 */
export async function enrolEntity(
  context: ChangeContext,
  input: Enrolment,
  retrieve: RetrieveConfiguration,
  idempotency?: Idempotency,
): Promise<Entity> {
  const organisation = await readOrganisation(context.db, context.actor, input.organisationId);
  authorise(context.actor, ['admin', 'registrar'], organisation.authorityId);
  const earlier = idempotency && (await madeBefore(context.db, context.actor, idempotency));
  if (earlier !== undefined) return readEntity(context.db, context.actor, earlier);
  const authority = await readAuthority(context.db, context.actor, organisation.authorityId);
  const entityIdentifier = inputSubordinate(input.entityIdentifier, authority.entityIdentifier, context);
  const { entityTypes } = input;
  const settings = inputSubordinateSettings(input, entityIdentifier, context);
  const record = { authorityId: authority.id, entityIdentifier, state: 'pending' } as const;
  const history = await keyHistory(context.db, record);
  const asked = { entityIdentifier, authority, settings, entityTypes };
  const subject = { ...asked, keyHistory: history, approved: null };
  const now = Math.floor(context.now.getTime() / 1000);
  const found = await checkConfiguration(subject, retrieve, now, context);
  return addEntity(
    context,
    {
      ...input,
      ...found,
      enrolment: 'published',
      entityTypes: entityTypes.length > 0 ? entityTypes : (found.verifiedEntityTypes ?? []),
      isIntermediate: found.verifiedIntermediate ?? false,
      alongside: beginningOfEnrolment(context, authority, input),
    },
    idempotency,
  );
}
