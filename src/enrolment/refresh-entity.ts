/** Fetches the configuration of an active entity again, and takes in what it says about keys. @see OIDFED §11.1, §11.2 */
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import { validateEntityConfiguration } from '../federation/statement/validate-statement.ts';
import { ACCESS } from '../registry/access.ts';
import { authorise } from '../registry/actor.ts';
import type { ChangeContext } from '../registry/change.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { type FindingKind, setFindings } from '../registry/entities/keys/findings.ts';
import {
  type FollowedConfiguration,
  type Following,
  followConfiguration,
} from '../registry/entities/keys/follow-configuration.ts';
import { requireOpen } from '../registry/entities/lock-entity.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { recordChecks } from '../registry/entities/record-checks.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { effectiveState } from '../registry/states.ts';
import { type RetrieveConfiguration, requireStorable } from './configuration-checks.ts';
import { freshChecks } from './recheck-entity.ts';

export interface RefreshedEntity extends Omit<FollowedConfiguration, 'outcome'> {
  /** `unavailable`, `invalid`: the configuration could not be had, or is not valid in itself. */
  outcome: Following | 'unavailable' | 'invalid';
  /** Why, when nothing was taken in. */
  detail: string | null;
}

/**
 * A configuration that is no good raises a finding and changes nothing else. What is taken in is kept as evidence, too;
 * Entity Types that changed are a finding.
 * @throws RegistryError not_found, role_missing, illegal_transition when the record is closed, entity_not_active,
 *   checks_failed when there is nothing to fetch
 */
export async function refreshEntity(
  context: ChangeContext,
  entityId: string,
  retrieve: RetrieveConfiguration,
): Promise<RefreshedEntity> {
  const entity = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.refreshEntity.roles, entity.authorityId, entity.organisationId, entity.id);
  requireRefreshable(entity);
  const identifier = entity.entityIdentifier as EntityIdentifier;
  const jwt = await found(context, entity, 'configuration_unavailable', () => retrieve(identifier, entity));
  if (typeof jwt !== 'string') return { outcome: 'unavailable', ...jwt };
  const configuration = await found(context, entity, 'configuration_invalid', () =>
    validated(context, identifier, jwt),
  );
  if ('detail' in configuration) return { outcome: 'invalid', ...configuration };
  const followed = await followConfiguration(context, entityId, configuration);
  if (followed.outcome === 'followed') {
    const present = await readEntity(context.db, context.actor, entityId);
    const checked = await freshChecks(context, present, async () => jwt);
    await recordChecks(context, entityId, checked, { keepsTypes: true });
  }
  return { ...followed, detail: DETAILS[followed.outcome] };
}

const DETAILS: Readonly<Record<Following, string | null>> = {
  followed: null,
  unchanged: 'it was taken in before',
  older: 'it was issued before one that was accepted already',
  unknown_key: 'none of the registered keys signed it',
};

/** @throws RegistryError illegal_transition, entity_not_active, checks_failed */
function requireRefreshable({ state, organisationState, enrolment }: Entity): void {
  requireOpen({ state });
  if (enrolment === 'handed_over') {
    throw new RegistryError('checks_failed', 'its keys were handed over; there is no configuration to fetch');
  }
  const counts = effectiveState(state, organisationState);
  if (counts === 'active') return;
  throw new RegistryError('entity_not_active', `it counts as ${counts}; its keys change only while it is active`);
}

async function validated(context: ChangeContext, identifier: EntityIdentifier, jwt: string): Promise<EntityStatement> {
  const { allowHttp, understoodClaims } = context;
  const now = Math.floor(context.now.getTime() / 1000);
  const configuration = await validateEntityConfiguration(jwt, identifier, { now, allowHttp, understoodClaims });
  requireStorable(configuration);
  return configuration;
}

type Unfit = Pick<RefreshedEntity, 'detail' | 'proposed' | 'added'>;

/** What the step finds; a refusal becomes a finding, in place of the other one of these two. */
async function found<T>(
  { db, now }: ChangeContext,
  { id }: Entity,
  kind: FindingKind,
  step: () => Promise<T>,
): Promise<T | Unfit> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const detail = `${error.reason}: ${error.at === '' ? error.message : `${error.at} ${error.message}`}`;
    await setFindings(db, id, ['configuration_unavailable', 'configuration_invalid'], [{ kind, detail }], now);
    return { detail, proposed: [], added: [] };
  }
}
