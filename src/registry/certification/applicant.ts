/** Whose certificate it is to be: an entity with its organisation, both of which have to be active. */
import { eq, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import type { CredentialUsage } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { type Actor, notFound } from '../actor.ts';
import { lockRecordsOf } from '../credentials/one-environment.ts';
import type { EntityRow } from '../entities/entity.ts';
import { lockEntity } from '../entities/lock-entity.ts';
import type { OrganisationRow } from '../organisations/organisation.ts';
import { RegistryError } from '../registry-error.ts';

export interface Applicant {
  entity: EntityRow;
  organisation: OrganisationRow;
}

/** @throws RegistryError not_found, not_active */
export async function readApplicant(db: Db | Tx, entityId: string): Promise<Applicant> {
  const [found] = await db
    .select({ entity: entities, organisation: organisations })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(eq(entities.id, entityId));
  if (found === undefined) throw notFound('entity', entityId);
  requireActive(found);
  return found;
}

/**
 * Takes hold of both until the transaction ends, and of the key, so that nobody else gets a certificate with it meanwhile.
 * To be taken before any other lock.
 * @throws RegistryError not_found, not_active
 */
export async function holdApplicant(
  tx: Tx,
  { entity: { id, entityIdentifier } }: Applicant,
  { usage, spkiSha256 }: { usage: CredentialUsage; spkiSha256: string },
): Promise<Applicant> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`certificate key ${spkiSha256}`}, 0))`);
  await lockRecordsOf(tx, entityIdentifier, { usage, possession: 'proven', spkiSha256 });
  const entity = await lockEntity(tx, id);
  const [organisation] = await tx
    .select()
    .from(organisations)
    .where(eq(organisations.id, entity.organisationId))
    .for('share');
  if (organisation === undefined) throw notFound('organisation', entity.organisationId);
  requireActive({ entity, organisation });
  return { entity, organisation };
}

/** @throws RegistryError not_active */
function requireActive({ entity, organisation }: Applicant): void {
  const [whose, state] =
    entity.state === 'active' ? ['its organisation', organisation.state] : ['this entity', entity.state];
  if (state === 'active') return;
  throw new RegistryError('not_active', `${whose} is ${state}; nobody gets a certificate who is not active`);
}

/** The entity itself, which showed a code or its certificate in place of a token. */
export function entityActor({ entity }: Applicant): Actor {
  const { id, authorityId, organisationId, entityIdentifier } = entity;
  return {
    kind: 'entity',
    id: entityIdentifier,
    name: entityIdentifier,
    roles: ['technical-contact'],
    authorities: new Set([authorityId]),
    organisations: new Set([organisationId]),
    entityId: id,
  };
}
