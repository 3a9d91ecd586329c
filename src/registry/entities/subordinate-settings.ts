/** Checks of what a superior wants to say about a subordinate, before it is saved. */
import { eq } from 'drizzle-orm';
import type { StatementOptions } from '../../federation/statement/entity-statement.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { notFound } from '../actor.ts';
import {
  inputAdditionalClaims,
  inputConstraints,
  inputLifetime,
  inputPolicy,
  inputSuperiorMetadata,
  mergedPolicy,
  type StatementPolicies,
} from '../claims-input.ts';
import type { SubordinateSettings } from './entity.ts';

/** The settings of the statement about `subject` as they will be kept. @throws RegistryError validation_failed */
export function inputSubordinateSettings(
  settings: SubordinateSettings,
  subject: string,
  options: StatementOptions,
): SubordinateSettings {
  const { metadata, metadataPolicy, constraints, additionalClaims, crit, statementLifetimeSeconds } = settings;
  inputAdditionalClaims(additionalClaims, crit, options);
  if (statementLifetimeSeconds !== null) inputLifetime(statementLifetimeSeconds, '/statementLifetimeSeconds');
  return {
    metadata: inputSuperiorMetadata(metadata, subject, options, '/metadata'),
    metadataPolicy: inputPolicy(metadataPolicy, '/metadataPolicy'),
    constraints: inputConstraints(constraints, '/constraints'),
    additionalClaims,
    crit,
    statementLifetimeSeconds,
  };
}

/**
 * Holds the authority's default policy still while an entity's own is checked against it, and against those of the roles
 * that the entity was given, and saved.
 * @throws RegistryError policy_conflict, not_found
 */
export async function checkPolicyAgainstDefault(
  tx: Tx,
  authorityId: string,
  settings: SubordinateSettings,
  entityIdentifier: string,
  roles: StatementPolicies['roles'] = [],
): Promise<void> {
  const [authority] = await tx
    .select({ defaultMetadataPolicy: authorities.defaultMetadataPolicy })
    .from(authorities)
    .where(eq(authorities.id, authorityId))
    .for('share');
  if (authority === undefined) throw notFound('authority', authorityId);
  const { defaultMetadataPolicy: authorityDefault } = authority;
  mergedPolicy({ authorityDefault, roles, own: settings.metadataPolicy }, entityIdentifier);
}
