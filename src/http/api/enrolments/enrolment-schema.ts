/** Enrolments on the wire. */
import { z } from '@hono/zod-openapi';
import {
  allowedActions,
  approvalsNeeded,
  ENROLMENT_ACTIONS,
  ENROLMENT_STATES,
  type Enrolment,
} from '../../../enrolment/flow/enrolment.ts';
import { domainPlaces } from '../../../enrolment/flow/steps/domain.ts';
import { NO_SETTINGS } from '../../../enrolment/flow/submit-enrolment.ts';
import type { JsonObject } from '../../../federation/json.ts';
import { ENROLMENT_STEPS } from '../../../registry/authorities/enrolment-flow.ts';
import { LIFETIME_SECONDS, MAX_ENTITY_TYPES } from '../../../registry/claims-input.ts';
import { internationalHost } from '../../../registry/domain-names.ts';
import { ENTITY_MODES } from '../../../registry/entities/entity-attributes.ts';
import type { EnrolmentRequest } from '../../../storage/schema/enrolments.ts';
import {
  ConstraintsSchema,
  claims,
  EntityIdentifierSchema,
  MetadataPolicySchema,
  MetadataSchema,
} from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { EACH_ONCE, NAMES_SOMETHING, RecordIdSchema, recordIdParam, VersionSchema } from '../record-schema.ts';
import { InternationalDomainSchema, line, NameSchema, TimeSchema, TokenSchema } from '../text-schema.ts';

export const StepNameSchema = z.enum(ENROLMENT_STEPS).openapi('EnrolmentStepName');

export const EnrolmentStateSchema = z.enum(ENROLMENT_STATES).openapi('EnrolmentState', {
  description:
    'draft → submitted → checks_failed or pending_approval → approved or rejected; cancelled by those who asked; lapsed when nobody took up what came without a token.',
});

const EntityTypesSchema = z
  .array(line(200))
  .max(MAX_ENTITY_TYPES)
  .openapi({ example: ['openid_relying_party'] });

const RolesSchema = z
  .array(RecordIdSchema)
  .max(50)
  .refine(...EACH_ONCE)
  .openapi({ description: 'Roles that the entity is to hold; its organisation holds each of them.', example: [] });

const DomainSchema = z.string().min(1).max(253).nullable().openapi({
  description: 'The domain to prove, above its host; then by a DNS record only. null: the host itself.',
  example: null,
});

export const TermsSchema = z
  .strictObject({ version: TokenSchema.openapi({ example: '2027-1' }), acceptedBy: NameSchema })
  .openapi('AcceptTerms', {
    description:
      'The version of the terms that is accepted, and the person who does. A `technical-contact` accepts none.',
  });

/** What a registrar has the superior say about the entity. */
const SETTINGS = {
  metadata: MetadataSchema.optional(),
  metadataPolicy: MetadataPolicySchema.optional(),
  constraints: ConstraintsSchema.optional(),
  additionalClaims: claims('Further claims of the Subordinate Statement.', {}).optional(),
  crit: z.array(line(200)).max(50).optional(),
  statementLifetimeSeconds: z.int().min(LIFETIME_SECONDS.min).max(LIFETIME_SECONDS.max).nullable().optional(),
};

const ASKED = {
  entityTypes: EntityTypesSchema.optional().openapi({
    description: 'Entity Types that it is meant to play; each must be declared. Empty: those that it declares.',
  }),
  name: NameSchema.nullable().optional(),
  environment: TokenSchema.nullable().optional(),
  roles: RolesSchema.optional(),
  domain: DomainSchema.optional(),
  terms: TermsSchema.nullable().optional(),
};

export const NewEnrolmentSchema = z
  .strictObject({
    organisationId: RecordIdSchema.openapi({ description: 'Whose the entity is.' }),
    entityIdentifier: EntityIdentifierSchema,
    ...ASKED,
    mode: z.enum(ENTITY_MODES).optional(),
    onBehalfOf: RecordIdSchema.nullable().optional(),
    ...SETTINGS,
    draft: z.boolean().default(false).openapi({ description: 'Writes it down and runs no step yet.' }),
  })
  .openapi('NewEnrolment');

export const EnrolmentChangesSchema = z
  .strictObject({
    organisationId: RecordIdSchema.optional().openapi({
      description: 'Whose the entity is, for an enrolment that came without a token; set by a registrar.',
    }),
    ...ASKED,
    ...SETTINGS,
  })
  .refine(...NAMES_SOMETHING)
  .openapi('EnrolmentChanges');

const OutcomeSchema = z.enum(['passed', 'failed', 'skipped', 'waiting']);

const StepSchema = z
  .object({
    step: StepNameSchema,
    outcome: OutcomeSchema.openapi({ description: '`skipped`: an earlier one failed; `waiting`: for people.' }),
    reason: z.string().nullable().openapi({ description: 'Stable reason of a failure.', example: 'domain_unproven' }),
    detail: z.string().openapi({ description: 'What was found, and for a failure what to mend.' }),
    evidence: claims('What it rests on.', { domain: 'op.partner.example', method: 'dns' }),
    wouldChange: claims('What becomes of it once it is approved.', {}),
    attempts: z.int(),
    at: TimeSchema,
  })
  .openapi('EnrolmentStep');

const ApprovalSchema = z
  .object({ actorId: z.string(), actorName: z.string(), reason: z.string(), at: TimeSchema })
  .openapi('EnrolmentApproval');

const ApplicantSchema = z
  .object({ legalName: z.string(), email: z.string(), message: z.string().nullable() })
  .openapi('Applicant', { description: 'Who is behind a public request, in its own words. Nobody checked them.' });

const ActorSchema = z.object({ kind: z.string(), id: z.string(), name: z.string() });

const PlacesSchema = z
  .object({
    domain: z.string(),
    challenge: z.string(),
    file: z.string().nullable().openapi({ description: 'A file with the challenge in a line of its own.' }),
    record: z.string().nullable().openapi({ description: 'A DNS name whose TXT record is the challenge.' }),
  })
  .openapi('DomainChallenge', { description: 'How control of the domain is proven: at one of these places.' });

export const EnrolmentSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    organisationId: RecordIdSchema.nullable(),
    entityIdentifier: EntityIdentifierSchema,
    internationalDomain: InternationalDomainSchema,
    entityId: RecordIdSchema.nullable().openapi({ description: 'Its pending record, once all checks passed.' }),
    state: EnrolmentStateSchema,
    allowedActions: z.array(z.enum(ENROLMENT_ACTIONS)),
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    submittedVia: z.enum(['token', 'signed_request', 'public']),
    submittedBy: ActorSchema,
    changedBy: ActorSchema.nullable().openapi({ description: 'Who last changed what is asked, or took it up.' }),
    entityTypes: z.array(z.string()),
    name: z.string().nullable(),
    mode: z.enum(ENTITY_MODES),
    environment: z.string().nullable(),
    onBehalfOf: RecordIdSchema.nullable(),
    roles: z.array(z.string()),
    terms: z.object({ version: z.string(), acceptedBy: z.string() }).nullable(),
    applicant: ApplicantSchema.nullable(),
    settings: claims('What the superior is to say about it.', { ...NO_SETTINGS }),
    domainChallenge: PlacesSchema,
    steps: z.array(StepSchema),
    flowChanged: z.boolean().openapi({
      description:
        'Whether the authority asks for other steps now than those that ran: nothing is approved (`flow_changed`) until they are run again.',
    }),
    approvalsNeeded: z.int(),
    approvals: z.array(ApprovalSchema).openapi({ description: 'Of the present evidence.' }),
    lapsesAt: TimeSchema.nullable(),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Enrolment');

export const EnrolmentPageSchema = pageSchema('EnrolmentPage', EnrolmentSchema);

export const ENROLMENT_PARAMS = recordIdParam('enrolmentId');

export const STEP_PARAMS = ENROLMENT_PARAMS.extend({ step: StepNameSchema });

type Asked = Omit<z.infer<typeof EnrolmentChangesSchema>, 'organisationId'>;

/** What is asked for as the enrolment keeps it; members that were not named stay undefined. */
export function askedOf(body: Asked): Partial<EnrolmentRequest> {
  const { metadata, metadataPolicy, constraints, additionalClaims, crit, statementLifetimeSeconds, ...asked } = body;
  const given = { metadata, metadataPolicy, constraints, additionalClaims, crit, statementLifetimeSeconds };
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return named.length === 0 ? asked : { ...asked, settings: { ...NO_SETTINGS, ...Object.fromEntries(named) } };
}

export function enrolmentBody(enrolment: Enrolment): z.infer<typeof EnrolmentSchema> {
  const { request, steps, approvals, flow, challenge, isFlowChanged: flowChanged, ...row } = enrolment;
  const { file = null, record = null, domain } = domainPlaces(row.entityIdentifier, request.domain);
  const { entityTypes, name, mode, environment, onBehalfOf, roles, terms, applicant, settings } = request;
  return {
    id: row.id,
    authorityId: row.authorityId,
    organisationId: row.organisationId,
    entityIdentifier: row.entityIdentifier,
    internationalDomain: internationalHost(row.entityIdentifier),
    entityId: row.entityId,
    state: row.state,
    allowedActions: allowedActions(row.state),
    stateReason: row.stateReason,
    stateChangedAt: row.stateChangedAt.toISOString(),
    submittedVia: row.submittedVia,
    submittedBy: row.submittedBy,
    changedBy: row.changedBy,
    ...{ entityTypes, name, mode, environment, onBehalfOf, roles, terms, applicant },
    settings: settings as JsonObject,
    domainChallenge: { domain, challenge, file, record },
    steps: steps.map((step) => ({
      step: step.step,
      outcome: step.outcome,
      reason: step.reason,
      detail: step.detail,
      evidence: step.evidence,
      wouldChange: step.wouldChange,
      attempts: step.attempts,
      at: step.at.toISOString(),
    })),
    flowChanged,
    approvalsNeeded: approvalsNeeded(flow, steps),
    approvals: approvals.map(({ actorId, actorName, reason, at }) => ({
      ...{ actorId, actorName, reason },
      at: at.toISOString(),
    })),
    lapsesAt: row.lapsesAt?.toISOString() ?? null,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
  };
}
