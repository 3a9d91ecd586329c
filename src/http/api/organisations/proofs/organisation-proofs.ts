/** What an organisation proved and accepted: domains, and terms. */
import { createRoute, z } from '@hono/zod-openapi';
import { internationalDomain } from '../../../../registry/domain-names.ts';
import {
  type AcceptedTerms,
  acceptTerms,
  listAcceptedTerms,
  listProvenDomains,
} from '../../../../registry/organisations/accept-terms.ts';
import { TermsSchema } from '../../enrolments/enrolment-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../../exchange.ts';
import { defineOperation } from '../../operation.ts';
import { RecordIdSchema, recordIdParam } from '../../record-schema.ts';
import { InternationalDomainSchema, TimeSchema } from '../../text-schema.ts';

const DomainSchema = z
  .object({
    organisationId: RecordIdSchema,
    domain: z.string().openapi({ example: 'partner.example' }),
    internationalDomain: InternationalDomainSchema,
    method: z.enum(['https', 'dns']).openapi({
      description: '`https`: a file, for this host alone; `dns`: a TXT record, for the domain and all below it.',
    }),
    verifiedAt: TimeSchema,
    enrolmentId: RecordIdSchema.nullable().openapi({ description: 'The enrolment whose challenge was found.' }),
  })
  .openapi('OrganisationDomain');

const AcceptedTermsSchema = z
  .object({
    organisationId: RecordIdSchema,
    version: z.string(),
    acceptedBy: z.string(),
    acceptedAt: TimeSchema,
    recordedBy: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
    withdrawnAt: TimeSchema.nullable().openapi({ description: 'When that was taken back; null: it counts.' }),
    withdrawalReason: z.string().nullable(),
  })
  .openapi('AcceptedTerms');

export const listOrganisationDomainsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/organisations/{organisationId}/domains',
    operationId: 'listOrganisationDomains',
    tags: ['Organisations'],
    summary: 'List the proven domains of an organisation',
    description: `Control of each was proven in an enrolment, and counts for later ones. ${whoMayAsk('listOrganisationDomains')}`,
    security: BEARER,
    request: { params: recordIdParam('organisationId') },
    responses: {
      200: jsonReply('The domains.', z.object({ items: z.array(DomainSchema) }).openapi('OrganisationDomains')),
      ...problems(404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const domains = await listProvenDomains(db, c.get('actor'), c.req.valid('param').organisationId);
      const items = domains.map(({ organisationId, domain, method, verifiedAt, evidence }) => ({
        ...{ organisationId, domain, method },
        internationalDomain: internationalDomain(domain.replace(/:\d+$/, '')),
        verifiedAt: verifiedAt.toISOString(),
        enrolmentId: typeof evidence['enrolmentId'] === 'string' ? evidence['enrolmentId'] : null,
      }));
      return c.json({ items }, 200);
    },
);

export const listAcceptedTermsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/organisations/{organisationId}/terms',
    operationId: 'listAcceptedTerms',
    tags: ['Organisations'],
    summary: 'List the terms that an organisation accepted',
    description: `Oldest first. ${whoMayAsk('listAcceptedTerms')}`,
    security: BEARER,
    request: { params: recordIdParam('organisationId') },
    responses: {
      200: jsonReply('The terms.', z.object({ items: z.array(AcceptedTermsSchema) }).openapi('AcceptedTermsList')),
      ...problems(404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const terms = await listAcceptedTerms(db, c.get('actor'), c.req.valid('param').organisationId);
      return c.json({ items: terms.map(termsBody) }, 200);
    },
);

export const acceptTermsOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/organisations/{organisationId}/terms',
    operationId: 'acceptTerms',
    tags: ['Organisations'],
    summary: 'Accept the terms of the authority',
    description: `In the version that its \`enrolmentFlow\` names. ${whoMayAsk('acceptTerms')}`,
    security: BEARER,
    request: { params: recordIdParam('organisationId'), body: jsonBody(TermsSchema) },
    responses: { 200: jsonReply('What was accepted.', AcceptedTermsSchema), ...bodyProblems(404) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const accepted = await acceptTerms(context, c.req.valid('param').organisationId, c.req.valid('json'));
      return c.json(termsBody(accepted), 200);
    },
);

function termsBody(terms: AcceptedTerms): z.infer<typeof AcceptedTermsSchema> {
  const { organisationId, version, acceptedBy, acceptedAt, recordedBy, withdrawnAt, withdrawalReason } = terms;
  return {
    ...{ organisationId, version, acceptedBy, recordedBy, withdrawalReason },
    acceptedAt: acceptedAt.toISOString(),
    withdrawnAt: withdrawnAt?.toISOString() ?? null,
  };
}
