/** Takes back what an organisation proved and accepted. */
import { createRoute, z } from '@hono/zod-openapi';
import { withdrawDomain, withdrawTerms } from '../../../../registry/organisations/withdraw-proofs.ts';
import { EntityIdentifierSchema } from '../../claims-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../../exchange.ts';
import { defineOperation } from '../../operation.ts';
import { RecordIdSchema, recordIdParam } from '../../record-schema.ts';
import { DRY_RUN } from '../../roles/role-schema.ts';
import { ReasonSchema, TokenSchema } from '../../text-schema.ts';

const WithdrawnDomainSchema = z
  .object({
    organisationId: RecordIdSchema,
    domain: z.string(),
    entities: z.array(z.object({ id: RecordIdSchema, entityIdentifier: EntityIdentifierSchema })).openapi({
      description:
        'Those that were let in by it and that no other proof covers: each has the finding `domain_unproven` until one does.',
    }),
  })
  .openapi('WithdrawnDomain');

export const withdrawOrganisationDomainOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/organisations/{organisationId}/domains/withdraw',
    operationId: 'withdrawOrganisationDomain',
    tags: ['Organisations'],
    summary: 'Take back the proofs of a domain',
    description: `It counts for no enrolment any more, until it is proven again. Entities that are let in stay as they are. ${whoMayAsk('withdrawOrganisationDomain')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      body: jsonBody(
        z
          .strictObject({
            domain: z.string().min(1).max(260).openapi({ example: 'partner.example' }),
            reason: ReasonSchema,
            ...DRY_RUN,
          })
          .openapi('WithdrawDomain'),
      ),
    },
    responses: { 200: jsonReply('What depended on it.', WithdrawnDomainSchema), ...bodyProblems(404) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { organisationId } = c.req.valid('param');
      const { domain, reason, dryRun: isDryRun } = c.req.valid('json');
      const entities = await withdrawDomain(context, organisationId, domain, { reason, isDryRun });
      return c.json({ organisationId, domain, entities }, 200);
    },
);

const WithdrawnTermsSchema = z
  .object({
    organisationId: RecordIdSchema,
    version: z.string(),
    required: z.boolean().openapi({
      description:
        'Whether the authority asks for this version: then the organisation is reminded, and flagged (`terms_lapsed`) where nobody answers.',
    }),
  })
  .openapi('WithdrawnTerms');

export const withdrawTermsOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/organisations/{organisationId}/terms/withdraw',
    operationId: 'withdrawTerms',
    tags: ['Organisations'],
    summary: 'Take back that terms were accepted',
    description: `The record of it stays. Enrolments that are open fail their step about terms until somebody accepts anew. ${whoMayAsk('withdrawTerms')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      body: jsonBody(
        z.strictObject({ version: TokenSchema, reason: ReasonSchema, ...DRY_RUN }).openapi('WithdrawTerms'),
      ),
    },
    responses: { 200: jsonReply('What was taken back.', WithdrawnTermsSchema), ...bodyProblems(404) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { organisationId } = c.req.valid('param');
      const { version, reason, dryRun: isDryRun } = c.req.valid('json');
      const required = await withdrawTerms(context, organisationId, version, { reason, isDryRun });
      return c.json({ organisationId, version, required }, 200);
    },
);
