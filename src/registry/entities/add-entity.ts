/** Records an entity that asks to be admitted. It is pending: nothing is vouched for yet. */
import { and, desc, eq, notInArray } from 'drizzle-orm';
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import type { Authority } from '../authorities/authority.ts';
import { raiseLongestLifetime } from '../authorities/keys/longest-lifetime.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { inputJwkSet, inputSubordinate } from '../claims-input.ts';
import { beginHosting, type NewHosting, settingsOf } from '../hosting/begin-hosting.ts';
import type { Organisation } from '../organisations/organisation.ts';
import { readOrganisation } from '../organisations/read-organisation.ts';
import { RegistryError } from '../registry-error.ts';
import { inRoleOrder } from '../roles/given-roles.ts';
import { insertRolesOfNewEntity } from '../roles/insert-entity-roles.ts';
import { holdRoles } from '../roles/role.ts';
import { LIVE_STATES } from '../states.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  type CheckedEvidence,
  type Entity,
  type EntityRow,
  entitySnapshotWithEvidence,
  type SubordinateSettings,
} from './entity.ts';
import { attributesWithDefaults, type EntityAttributes, requireRepresentable } from './entity-attributes.ts';
import { readEntity, registeredKeysOf } from './read-entity.ts';
import { registerKeys } from './register-keys.ts';
import { checkPolicyAgainstDefault, inputSubordinateSettings } from './subordinate-settings.ts';

export interface KnownOwner {
  organisation: Organisation;
  authority: Authority;
}

export interface NewEntity extends SubordinateSettings, CheckedEvidence, Partial<EntityAttributes> {
  organisationId: string;
  entityIdentifier: string;
  enrolment: EntityRow['enrolment'];
  entityTypes: string[];
  isIntermediate: boolean;
  /** Federation Entity Keys to register; null while no configuration showed any. */
  jwks: JwkSet | null;
  /** Ids of roles that it is given at once; its organisation holds each of them. */
  roleIds?: readonly string[];
  /** Where the entity is hosted here: what is published for it. */
  hosting?: NewHosting;
  /** What was read a moment ago: the organisation of `organisationId`, and its authority. */
  known?: KnownOwner | undefined;
  /** Runs in the same transaction, such as spending the challenge that proved the keys. */
  alongside?: (tx: Tx, record: (entry: AuditEntry) => void, entityId: string) => Promise<void>;
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed, policy_conflict, entity_exists, role_retired,
 *   role_not_held, idempotency_key_reused
 */
export async function addEntity(context: ChangeContext, input: NewEntity, idempotency?: Idempotency): Promise<Entity> {
  return await readEntity(context.db, context.actor, await insertEntity(context, input, idempotency));
}

/** The same for whoever needs nothing of the record. @returns its id */
export async function insertEntity(
  context: ChangeContext,
  input: NewEntity,
  idempotency?: Idempotency,
): Promise<string> {
  const organisation =
    input.known?.organisation ?? (await readOrganisation(context.db, context.actor, input.organisationId));
  const { authorityId } = organisation;
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  requireOpenOrganisation(organisation);
  const authority = input.known?.authority ?? (await readAuthority(context.db, context.actor, authorityId));
  inputSubordinate(input.entityIdentifier, authority.entityIdentifier, context);
  const settings = inputSubordinateSettings(input, input.entityIdentifier, context);
  const attributes = attributesWithDefaults(input);
  if (input.jwks !== null) inputJwkSet(input.jwks, '/jwks');
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (entityId) => {
      const roles = await holdRoles(tx, authorityId, input.roleIds ?? []);
      await input.alongside?.(tx, record, entityId);
      const previous = await previousRecord(tx, authorityId, input);
      // Organisations are held after entities, as by whoever closes one with what it hosts, and before their authority.
      await holdOpen(tx, input.organisationId);
      const policies = roles.map(({ id, name, metadataPolicy }) => ({ roleId: id, name, metadataPolicy }));
      await checkPolicyAgainstDefault(tx, authorityId, settings, input.entityIdentifier, inRoleOrder(policies));
      if (attributes.onBehalfOf !== null) {
        await requireRepresentable(tx, { ...input, authorityId }, attributes.onBehalfOf);
      }
      const entity = newRow(entityId, authorityId, { ...input, ...settings, ...attributes }, context, previous);
      try {
        await tx.insert(entities).values(entity);
      } catch (error) {
        if (!isUniqueViolation(error, 'entities_live_identifier')) throw error;
        const message = `${input.entityIdentifier} is enrolled under this authority already`;
        throw new RegistryError('entity_exists', message, {}, { cause: error });
      }
      if (input.jwks !== null) await registerKeys(tx, entity, input.jwks, context.now, 'enrolment');
      if (input.hosting !== undefined) await beginHosting(tx, context, entity, input.hosting);
      const given = await insertRolesOfNewEntity(tx, context, entity, roles);
      const { statementLifetimeSeconds } = settings;
      if (statementLifetimeSeconds !== null) await raiseLongestLifetime(tx, authorityId, statementLifetimeSeconds);
      record({
        action: 'entity.add',
        authorityId,
        subjectKind: 'entity',
        subjectId: entityId,
        after: {
          ...entitySnapshotWithEvidence(entity, await registeredKeysOf(tx, entityId)),
          ...(given.length > 0 && { roles: given.map(({ role }) => role.name) }),
          ...(input.hosting && { hosting: settingsOf(input.hosting) }),
        },
      });
    });
  });
  return id;
}

/** Under a closed organisation nothing could ever be approved, and the identifier would be held for nothing. */
function requireOpenOrganisation({ id, legalName, state }: Pick<Organisation, 'id' | 'legalName' | 'state'>): void {
  if (LIVE_STATES.includes(state)) return;
  throw new RegistryError('organisation_not_active', `${legalName} is ${state}; enrol the organisation anew`, {
    organisation: id,
  });
}

/** Nobody closes the organisation until the transaction ends: it would miss the entity. */
async function holdOpen(tx: Tx, organisationId: string): Promise<void> {
  const { id, legalName, state } = organisations;
  const [held] = await tx
    .select({ id, legalName, state })
    .from(organisations)
    .where(eq(id, organisationId))
    .for('share');
  if (held !== undefined) requireOpenOrganisation(held);
}

/**
 * The latest record of this identifier that was closed; a closed one is never opened again. It stays as it is until the
 * transaction ends: its version is counted on from, and a key of it may be about to be marked as compromised.
 */
async function previousRecord(tx: Tx, authorityId: string, input: NewEntity): Promise<PreviousRecord | undefined> {
  const [previous] = await tx
    .select({ id: entities.id, version: entities.version })
    .from(entities)
    .where(
      and(
        eq(entities.authorityId, authorityId),
        eq(entities.entityIdentifier, input.entityIdentifier),
        notInArray(entities.state, [...LIVE_STATES]),
      ),
    )
    .orderBy(desc(entities.id))
    .limit(1)
    .for('update');
  return previous;
}

type PreviousRecord = Pick<EntityRow, 'id' | 'version'>;

function newRow(
  id: string,
  authorityId: string,
  input: NewEntity & EntityAttributes,
  context: ChangeContext,
  previous: PreviousRecord | undefined,
): EntityRow {
  return {
    id,
    authorityId,
    organisationId: input.organisationId,
    previousId: previous?.id ?? null,
    entityIdentifier: input.entityIdentifier,
    name: input.name,
    mode: input.mode,
    environment: input.environment,
    onBehalfOf: input.onBehalfOf,
    enrolment: input.enrolment,
    registeredEntityTypes: input.entityTypes,
    registeredIntermediate: input.isIntermediate,
    verifiedEntityTypes: input.verifiedEntityTypes,
    verifiedIntermediate: input.verifiedIntermediate,
    metadata: input.metadata,
    metadataPolicy: input.metadataPolicy,
    constraints: input.constraints,
    additionalClaims: input.additionalClaims,
    crit: input.crit,
    statementLifetimeSeconds: input.statementLifetimeSeconds,
    checks: input.checks,
    evidence: input.evidence,
    state: 'pending',
    stateReason: null,
    stateReasonCode: null,
    suspendedUntil: null,
    stateChangedAt: context.now,
    // Versions of one Entity Identifier never go back: what is signed later is told from what was signed before by it.
    version: (previous?.version ?? 0) + 1,
    createdAt: context.now,
    addedBy: context.actor.id,
    registeredAt: null,
    updatedAt: context.now,
  };
}
