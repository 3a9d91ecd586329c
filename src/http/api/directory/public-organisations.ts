/** Look-ups in the public directory: organisations, by what anybody may know of them. */
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  findPublicOrganisations,
  MIN_QUERY_LENGTH,
  readPublicOrganisation,
} from '../../../registry/directory/find-organisations.ts';
import { PUBLISHED_STATUSES } from '../../../registry/events/published-status.ts';
import { chargeLookup } from '../anonymous-lookup.ts';
import type { ApiDependencies } from '../api-dependencies.ts';
import type { ApiEnv } from '../api-env.ts';
import { jsonReply, problems } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { CountrySchema, RegistrationNumberSchema } from '../organisations/organisation-schema.ts';
import { PAGE_PARAMETERS, pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { line } from '../text-schema.ts';

const PublicOrganisationSchema = z
  .object({
    id: RecordIdSchema,
    authority: z.object({ id: RecordIdSchema, entityIdentifier: z.string() }),
    legalName: z.string().openapi({ example: 'Example Bank Ltd' }),
    registration: z.object({ number: z.string(), register: z.string(), country: CountrySchema }).nullable(),
    parentId: RecordIdSchema.nullable(),
    status: z.enum(PUBLISHED_STATUSES),
    roles: z
      .array(z.object({ roleId: RecordIdSchema, name: z.string(), domain: z.string() }))
      .openapi({ description: 'Those that it holds now; who is not active holds none.' }),
  })
  .openapi('PublicOrganisation');

const PublicOrganisationPageSchema = pageSchema('PublicOrganisationPage', PublicOrganisationSchema);

const WHO = 'Needs no token; addresses that ask for too much are told to wait (429 `too_many_requests`).';

type Tools = Pick<ApiDependencies, 'registryState' | 'tokenEndpoint'>;

/** @throws HttpProblem too_many_requests */
async function admit(c: Context<ApiEnv>, { registryState, tokenEndpoint }: Tools): Promise<Date> {
  chargeLookup(c, tokenEndpoint);
  await registryState.ensureCurrent();
  c.header('x-registry-seq', String(registryState.seq));
  return new Date(tokenEndpoint.clock.now() * 1000);
}

export const findPublicOrganisationsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/directory/organisations',
    operationId: 'findPublicOrganisations',
    tags: ['Directory'],
    summary: 'Look up organisations',
    description: `Those that are active, or have another status that was asked for, oldest first: whoever is let in while you read is on the last page. Who was never let in is not told of. The whole, with what they offer, is at \`/participants\`. ${WHO}`,
    security: [],
    request: {
      query: z.strictObject({
        status: z.enum(PUBLISHED_STATUSES).default('active'),
        authority: z.string().min(1).max(2048).optional().openapi({ description: 'By id or Entity Identifier.' }),
        role: line(100)
          .optional()
          .openapi({ description: 'A role that it holds now, by id or name.', example: 'PISP' }),
        q: line(200)
          .min(MIN_QUERY_LENGTH)
          .optional()
          .openapi({ description: 'A part of the name, in whatever case.', example: 'bank' }),
        registrationNumber: RegistrationNumberSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of organisations.', PublicOrganisationPageSchema), ...problems(400, 429) },
  }),
  (dependencies) => async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query');
    const now = await admit(c, dependencies);
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    return c.json(await findPublicOrganisations(dependencies.db, filter, page, now), 200);
  },
);

export const readPublicOrganisationOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/directory/organisations/{organisationId}',
    operationId: 'readPublicOrganisation',
    tags: ['Directory'],
    summary: 'Look up an organisation',
    description: `Whatever became of it, as long as it was let in once. ${WHO}`,
    security: [],
    request: { params: z.object({ organisationId: RecordIdSchema }) },
    responses: { 200: jsonReply('The organisation.', PublicOrganisationSchema), ...problems(404, 429) },
  }),
  (dependencies) => async (c) => {
    const now = await admit(c, dependencies);
    const { organisationId } = c.req.valid('param');
    return c.json(await readPublicOrganisation(dependencies.db, organisationId, now), 200);
  },
);
