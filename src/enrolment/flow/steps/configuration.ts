/**
 * The entity's own word: its Entity Configuration, as it publishes it or as it would be published here, looked at once and
 * judged for keys, contents and policy; of an entity that cannot publish, what was handed over.
 */
import type { EntityIdentifier } from '../../../federation/identifiers.ts';
import type { ChangeContext } from '../../../registry/change.ts';
import type { Entity } from '../../../registry/entities/entity.ts';
import { keyHistory } from '../../../registry/entities/keys/key-history.ts';
import { RegistryError } from '../../../registry/registry-error.ts';
import type { GivenRole } from '../../../registry/roles/given-roles.ts';
import { rolesToGive } from '../../../registry/roles/role-assignment.ts';
import type { EnrolmentStepName } from '../../../storage/schema/enrolment-flow.ts';
import type { EnrolmentCheck } from '../../../storage/schema/entities.ts';
import {
  type CheckedConfiguration,
  checkConfiguration,
  type RetrieveConfiguration,
} from '../../configuration-checks.ts';
import { checkHandedOver, handedOver } from '../../handed-over-checks.ts';
import { freshChecks } from '../../recheck-entity.ts';
import type { StepResult } from '../enrolment.ts';
import type { StepSubject } from '../step-subject.ts';

/** Steps that look at one and the same configuration, with the checks that each stands for. */
const CHECKS = {
  keys: ['key_proof', 'out_of_band', 'configuration_retrieved', 'configuration_valid', 'keys'],
  configuration: ['authority_hint', 'entity_types'],
  metadata_policy: ['metadata_policy'],
} as const satisfies Partial<Record<EnrolmentStepName, readonly string[]>>;

export type ConfigurationStep = keyof typeof CHECKS;

export function isConfigurationStep(step: EnrolmentStepName): step is ConfigurationStep {
  return Object.hasOwn(CHECKS, step);
}

/** Fetches and judges. What is found becomes the evidence of the entity's record. */
export async function lookAtConfiguration(
  { context, enrolment, authority, organisation, entity }: StepSubject,
  retrieve: RetrieveConfiguration,
): Promise<CheckedConfiguration> {
  if (entity?.enrolment === 'handed_over') return checkHandedOver(context, authority, entity);
  if (entity !== undefined) return await freshChecks(context, entity, retrieve);
  const { entityIdentifier, authorityId, request } = enrolment;
  const subject = {
    entityIdentifier: entityIdentifier as EntityIdentifier,
    authority,
    settings: request.settings,
    roles: await rolesAsked(context, authorityId, organisation?.id, request.roles),
    entityTypes: request.entityTypes,
    keyHistory: await keyHistory(context.db, { authorityId, entityIdentifier, state: 'pending' }),
    approved: null,
  };
  return await checkConfiguration(subject, retrieve, Math.floor(context.now.getTime() / 1000), context);
}

/** Roles that it asks for, whose policies judge it already; one that cannot be had is for the step about roles. */
async function rolesAsked(
  { db, now }: ChangeContext,
  authorityId: string,
  organisationId: string | undefined,
  roleIds: readonly string[],
): Promise<GivenRole[]> {
  if (organisationId === undefined || roleIds.length === 0) return [];
  try {
    return await rolesToGive(db, { authorityId, organisationId }, roleIds, now);
  } catch (error) {
    if (error instanceof RegistryError) return [];
    throw error;
  }
}

const IN_CUSTODY = 'its keys were made here and are kept here: nobody else signs for it';

/** How one of the steps came out, by what was found. */
export function configurationStep(
  step: ConfigurationStep,
  { enrolment, entity }: StepSubject,
  found: CheckedConfiguration,
): StepResult {
  const names: readonly string[] = CHECKS[step];
  const checks = found.checks.filter(({ check }) => names.includes(check));
  const seen = withTypes(found, entity);
  const failure = checks.find(({ outcome }) => outcome === 'failed');
  const shown = step === 'keys' && entity?.enrolment === 'hosted' ? [...checks, { detail: IN_CUSTODY }] : checks;
  return {
    step,
    outcome: outcomeOf(checks),
    reason: failure?.reason ?? null,
    detail: [...new Set((failure === undefined ? shown : [failure]).map(({ detail }) => detail))].join('; '),
    evidence: evidenceOf(step, seen, entity),
    wouldChange: failure === undefined ? changesOf(step, seen, entity ?? enrolment.request.settings) : {},
  };
}

/** With the types that were handed over, where nothing else says them. */
function withTypes(found: CheckedConfiguration, entity: Entity | undefined): CheckedConfiguration {
  if (entity?.enrolment !== 'handed_over') return found;
  const { entityTypes, isIntermediate } = handedOver(entity);
  return { ...found, verifiedEntityTypes: entityTypes, verifiedIntermediate: isIntermediate };
}

function outcomeOf(checks: readonly EnrolmentCheck[]): StepResult['outcome'] {
  for (const outcome of ['failed', 'skipped'] as const) {
    if (checks.some((check) => check.outcome === outcome)) return outcome;
  }
  return 'passed';
}

function evidenceOf(
  step: ConfigurationStep,
  { evidence, jwks, verifiedEntityTypes, verifiedIntermediate }: CheckedConfiguration,
  entity: Entity | undefined,
): StepResult['evidence'] {
  const { url = null, digest = null, settingsDigest = null, kid = null } = evidence;
  const kids = jwks?.keys.map((key) => key.kid) ?? [];
  switch (step) {
    case 'keys': {
      if (entity?.enrolment === 'handed_over') {
        const { challenge = null, keyProofs = null, outOfBandCheck = null } = evidence;
        return { provenBy: 'signed_challenge', challenge, keyProofs, outOfBandCheck, kids };
      }
      const provenBy = entity?.enrolment === 'hosted' ? 'custody' : 'entity_configuration';
      return { provenBy, url, signedBy: kid, kids };
    }
    case 'configuration':
      return { url, digest, entityTypes: verifiedEntityTypes, intermediate: verifiedIntermediate };
    case 'metadata_policy':
      return { settingsDigest };
  }
}

type Said = Pick<StepSubject['enrolment']['request']['settings'], 'metadata' | 'metadataPolicy' | 'constraints'>;

function changesOf(
  step: ConfigurationStep,
  { jwks, verifiedEntityTypes, verifiedIntermediate }: CheckedConfiguration,
  { metadata, metadataPolicy, constraints }: Said,
): StepResult['wouldChange'] {
  switch (step) {
    case 'keys':
      return { registersKeys: jwks?.keys.map((key) => key.kid) ?? [] };
    case 'configuration':
      return { vouchesFor: verifiedEntityTypes, intermediate: verifiedIntermediate };
    case 'metadata_policy':
      return { says: { metadata, metadataPolicy, constraints } };
  }
}
