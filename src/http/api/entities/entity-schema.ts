/** Entities on the wire. */
import { z } from '@hono/zod-openapi';
import type { JsonObject } from '../../../federation/json.ts';
import { LIFETIME_SECONDS, MAX_ENTITY_TYPES } from '../../../registry/claims-input.ts';
import { internationalHost } from '../../../registry/domain-names.ts';
import { type Entity, entityTypes, isIntermediate, type ListedEntity } from '../../../registry/entities/entity.ts';
import { ENTITY_MODES } from '../../../registry/entities/entity-attributes.ts';
import { FINDING_KINDS } from '../../../registry/entities/keys/findings.ts';
import { delegationOf } from '../../../registry/life-cycle/delegation.ts';
import { permissionsOf } from '../../../registry/life-cycle/permissions.ts';
import type { GivenRole } from '../../../registry/roles/given-roles.ts';
import { allowedTransitions, effectiveState } from '../../../registry/states.ts';
import {
  ConstraintsSchema,
  claims,
  EntityIdentifierSchema,
  JwkSchema,
  JwkSetSchema,
  MetadataPolicySchema,
  MetadataSchema,
} from '../claims-schema.ts';
import { NewHostingSchema } from '../hosting/hosting-schema.ts';
import { pageSchema } from '../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, StateSchema, TransitionsSchema, VersionSchema } from '../record-schema.ts';
import {
  InternationalDomainSchema,
  line,
  NameSchema,
  OutOfBandCheckSchema,
  TimeSchema,
  TokenSchema,
} from '../text-schema.ts';
import { STATE_DETAILS, stateDetailsBody, TRANSITIONED } from '../transition-schema.ts';

const EntityTypesSchema = z
  .array(line(200))
  .max(MAX_ENTITY_TYPES)
  .openapi({ example: ['openid_relying_party'] });

const AdditionalClaimsSchema = claims('Further claims of the Subordinate Statement.', {
  'https://federation.example/claims/sector': 'health',
});

const CritSchema = z.array(line(200)).max(50).openapi({
  description:
    'Those of the additional claims that whoever reads the statement must understand; each one that this federation defined (`HOLDFAST_UNDERSTOOD_CLAIMS`).',
  example: [],
});

const StatementLifetimeSchema = z
  .int()
  .min(LIFETIME_SECONDS.min)
  .max(LIFETIME_SECONDS.max)
  .nullable()
  .openapi({ description: "Life of the Subordinate Statement; null: the authority's default.", example: null });

const ATTRIBUTES = {
  name: NameSchema.nullable().openapi({ description: 'What people call it.', example: 'Customer portal' }),
  mode: z.enum(ENTITY_MODES).openapi({
    description: 'Whether it is live or for tests; settled by its approval.',
    example: 'live',
  }),
  environment: TokenSchema.openapi({
    description: 'Where it runs, and where its credentials count; settled by its approval.',
    example: 'production',
  }),
  onBehalfOf: RecordIdSchema.nullable().openapi({
    description: 'The organisation that it acts for, if not its own: another active one of the same authority.',
  }),
};

/** How keys are handed over: what proves that the partner holds them, and how a person made sure. */
export const HandOverSchema = z
  .strictObject({
    jwks: JwkSetSchema,
    challenge: line(200).openapi({
      description: 'From `POST /api/v1/enrolment-challenges`.',
      example: 'pZ5wS0q4mT9yX2bV7cK1nL8dF3gH6jR0aE4uI5oP2sQ',
    }),
    keyProofs: z
      .array(z.string().min(1).max(16_384))
      .min(1)
      .max(50)
      .openapi({
        description:
          'A JWT signed by each key: `typ` `holdfast-key-proof+jwt`, `iss` the entity, `aud` the authority, `nonce` the challenge.',
        example: [
          'eyJ0eXAiOiJob2xkZmFzdC1rZXktcHJvb2Yrand0IiwiYWxnIjoiRVMyNTYiLCJraWQiOiIuLi4ifQ.eyJpc3MiOiIuLi4ifQ.sig',
        ],
      }),
    outOfBandCheck: OutOfBandCheckSchema,
  })
  .openapi('HandOver');

/** All four or none. */
const HAND_OVER = HandOverSchema.partial().shape;

const HAND_OVER_NAMES = Object.keys(HAND_OVER) as (keyof typeof HAND_OVER)[];

export const NewEntitySchema = z
  .strictObject({
    organisationId: RecordIdSchema.openapi({ description: 'Who is responsible for it.' }),
    entityIdentifier: EntityIdentifierSchema,
    entityTypes: EntityTypesSchema.default([]).openapi({
      description: 'Entity Types that it is meant to play; each must be declared. Empty: those that it declares.',
    }),
    name: ATTRIBUTES.name.default(null),
    mode: ATTRIBUTES.mode.default('live'),
    environment: ATTRIBUTES.environment.optional().openapi({
      description: 'Where it runs; without it `production` if it is live, `sandbox` if it is for tests.',
    }),
    onBehalfOf: ATTRIBUTES.onBehalfOf.default(null),
    metadata: MetadataSchema.default({}),
    metadataPolicy: MetadataPolicySchema.default({}),
    constraints: ConstraintsSchema.default(null),
    additionalClaims: AdditionalClaimsSchema.default({}),
    crit: CritSchema.default([]),
    statementLifetimeSeconds: StatementLifetimeSchema.default(null),
    hosting: NewHostingSchema.optional().openapi({
      description: 'For an entity without a web server: its Entity Configuration is published here.',
    }),
    ...HAND_OVER,
  })
  .superRefine((entity, check) => {
    const missing = HAND_OVER_NAMES.filter((name) => entity[name] === undefined);
    if (missing.length === HAND_OVER_NAMES.length) return;
    if (entity.hosting !== undefined) {
      check.addIssue({ code: 'custom', path: ['hosting'], message: 'is for an entity whose keys are kept here' });
    }
    const message = `is required as well: ${HAND_OVER_NAMES.join(', ')} go together`;
    for (const name of missing) check.addIssue({ code: 'custom', path: [name], message });
  })
  .openapi('NewEntity');

export const EntityChangesSchema = z
  .strictObject({
    name: ATTRIBUTES.name.optional(),
    mode: ATTRIBUTES.mode.optional(),
    environment: ATTRIBUTES.environment.optional(),
    onBehalfOf: ATTRIBUTES.onBehalfOf.optional(),
    metadata: MetadataSchema.optional(),
    metadataPolicy: MetadataPolicySchema.optional(),
    constraints: ConstraintsSchema.optional(),
    additionalClaims: AdditionalClaimsSchema.optional(),
    crit: CritSchema.optional(),
    statementLifetimeSeconds: StatementLifetimeSchema.optional(),
    jwks: JwkSetSchema.optional().openapi({
      description:
        'Replaces the registered keys: those of the same `kid` stay, missing ones are removed. A new one must be in the Entity Configuration that the last checks verified.',
    }),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('EntityChanges');

const CheckSchema = z
  .object({
    check: z.string().openapi({ example: 'configuration_valid' }),
    outcome: z.enum(['passed', 'failed', 'skipped']),
    reason: z.string().optional().openapi({ description: 'Stable reason of a failure.', example: 'signature_invalid' }),
    detail: z.string().openapi({ description: 'What was found; for a failure what to mend.' }),
    at: TimeSchema,
  })
  .openapi('EnrolmentCheck');

const PermissionsSchema = z
  .object({
    newAuthorization: z.boolean().openapi({ description: 'Whether people may be asked to let it have something.' }),
    useExisting: z.boolean().openapi({ description: 'Whether what people agreed to before may be used.' }),
    withdrawConsent: z.boolean().openapi({
      description: 'Whether people may still take back what they agreed to; if not, all of it has ended.',
    }),
  })
  .openapi('Permissions', {
    description: 'What others may do with it now: a suspension keeps what people agreed to, a revocation ends it.',
  });

const DelegationSchema = z
  .object({
    state: StateSchema.openapi({
      description:
        "The stricter of the entity's effective state and that of the organisation in `onBehalfOf`: unless it is `active`, the entity does not act for that organisation, whatever it may do for its own.",
    }),
    permissions: PermissionsSchema,
  })
  .openapi('Delegation', { description: 'Whether it acts for the organisation in `onBehalfOf` now.' });

const GivenRoleSchema = z
  .object({
    roleId: RecordIdSchema,
    role: NameSchema.openapi({ description: 'Name of the role.', example: 'PISP' }),
    validFrom: TimeSchema.nullable(),
    validTo: TimeSchema.nullable(),
  })
  .openapi('GivenRole', {
    description: 'A role of the entity: it counts as of `validFrom`, and no more as of `validTo`.',
  });

const ListedEntitySchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    organisationId: RecordIdSchema,
    previousId: RecordIdSchema.nullable().openapi({ description: 'The closed record of the same identifier, if any.' }),
    entityIdentifier: EntityIdentifierSchema,
    internationalDomain: InternationalDomainSchema,
    ...ATTRIBUTES,
    enrolment: z.enum(['published', 'handed_over', 'hosted']),
    entityTypes: EntityTypesSchema,
    intermediate: z.boolean(),
    state: StateSchema,
    effectiveState: StateSchema.openapi({
      description: "The stricter of its own state and its organisation's: what counts.",
    }),
    permissions: PermissionsSchema,
    delegation: DelegationSchema.nullable().openapi({ description: 'null: it acts for its own organisation alone.' }),
    allowedTransitions: TransitionsSchema,
    stateReason: z.string().nullable(),
    ...STATE_DETAILS,
    stateChangedAt: TimeSchema,
    roles: z.array(GivenRoleSchema),
    jwks: z.object({ keys: z.array(JwkSchema) }),
    metadata: MetadataSchema,
    metadataPolicy: MetadataPolicySchema,
    constraints: ConstraintsSchema,
    additionalClaims: AdditionalClaimsSchema,
    crit: CritSchema,
    statementLifetimeSeconds: StatementLifetimeSchema,
    checks: z.array(CheckSchema),
    checksOutdated: z.boolean().openapi({
      description:
        'Whether metadata, policy or constraints, its own, those of its roles or the default of its authority, changed since the checks ran; they do not count for an approval.',
    }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('ListedEntity');

const FindingSchema = z
  .object({
    kind: z.enum(FINDING_KINDS),
    since: TimeSchema,
    detail: z.string().openapi({ description: 'What was noticed, and what to do about it.' }),
  })
  .openapi('EntityFinding');

export const EntitySchema = ListedEntitySchema.extend({
  findings: z.array(FindingSchema).openapi({
    description: 'What was noticed about its configuration and keys since it was enrolled; gone when it is cured.',
  }),
  evidence: claims(
    'What the checks saw: where, when, a digest of it and of the settings it was judged by, the claims of the configuration.',
    {
      url: 'https://op.partner.example/.well-known/openid-federation',
      digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    },
  ),
}).openapi('Entity');

export const TransitionedEntitySchema = EntitySchema.extend(TRANSITIONED).openapi('TransitionedEntity');

export const EntityPageSchema = pageSchema('EntityPage', ListedEntitySchema);

export function entityBody(entity: Entity): z.infer<typeof EntitySchema> {
  const findings = entity.findings.map(({ kind, since, detail }) => ({ kind, since: since.toISOString(), detail }));
  return { ...listedEntityBody(entity), findings, evidence: entity.evidence };
}

export function listedEntityBody(entity: ListedEntity): z.infer<typeof ListedEntitySchema> {
  return {
    id: entity.id,
    authorityId: entity.authorityId,
    organisationId: entity.organisationId,
    previousId: entity.previousId,
    entityIdentifier: entity.entityIdentifier,
    internationalDomain: internationalHost(entity.entityIdentifier),
    name: entity.name,
    mode: entity.mode,
    environment: entity.environment,
    onBehalfOf: entity.onBehalfOf,
    enrolment: entity.enrolment,
    entityTypes: entityTypes(entity),
    intermediate: isIntermediate(entity),
    state: entity.state,
    effectiveState: effectiveState(entity.state, entity.organisationState),
    permissions: permissionsOf(entity.organisationState, entity.state),
    delegation: entity.principalState && delegationOf(entity.principalState, entity.organisationState, entity.state),
    allowedTransitions: allowedTransitions(entity.state),
    stateReason: entity.stateReason,
    ...stateDetailsBody(entity),
    stateChangedAt: entity.stateChangedAt.toISOString(),
    roles: entity.roles.map(givenRoleBody),
    jwks: { keys: entity.keys.map(({ jwk }) => jwk as JsonObject) },
    metadata: entity.metadata,
    metadataPolicy: entity.metadataPolicy,
    constraints: entity.constraints,
    additionalClaims: entity.additionalClaims,
    crit: entity.crit,
    statementLifetimeSeconds: entity.statementLifetimeSeconds,
    checks: entity.checks,
    checksOutdated: entity.checksOutdated,
    version: entity.version,
    createdAt: entity.createdAt.toISOString(),
  };
}

function givenRoleBody({ roleId, name, validFrom, validTo }: GivenRole): z.infer<typeof GivenRoleSchema> {
  const text = (moment: number | null) => (moment === null ? null : new Date(moment * 1000).toISOString());
  return { roleId, role: name, validFrom: text(validFrom), validTo: text(validTo) };
}
