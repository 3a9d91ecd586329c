/** Replaces the default metadata policy of an authority. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateAuthority } from '../../../registry/authorities/update-authority.ts';
import { RegistryError } from '../../../registry/registry-error.ts';
import { MetadataPolicySchema } from '../claims-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const replaceMetadataPolicyOperation = defineOperation(
  createRoute({
    method: 'put',
    path: '/api/v1/authorities/{authorityId}/metadata-policy',
    operationId: 'replaceMetadataPolicy',
    tags: ['Authorities'],
    summary: 'Replace the default metadata policy',
    description: `Refused when the policy of an enrolled entity contradicts it: \`policy_conflict\`. ${whoMayAsk('replaceMetadataPolicy')}`,
    security: BEARER,
    request: {
      params: recordIdParam('authorityId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(MetadataPolicySchema),
    },
    responses: {
      200: jsonReply('The policy as it is now.', MetadataPolicySchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const settings = { defaultMetadataPolicy: c.req.valid('json') };
      const version = requiredVersion(c.req.valid('header'));
      const { authorityId } = c.req.valid('param');
      const authority = await updateAuthority(context, authorityId, settings, version).catch(pointIntoPolicy);
      return c.json(authority.defaultMetadataPolicy, 200, { ETag: entityTag(authority) });
    },
);

/** Here the policy is the whole body, not a member of the settings. */
function pointIntoPolicy(error: unknown): never {
  if (!(error instanceof RegistryError) || error.code !== 'validation_failed') throw error;
  const errors = error.details.errors?.map(({ pointer, detail }) => ({
    pointer: pointer.replace(/^\/defaultMetadataPolicy/, ''),
    detail,
  }));
  const [first] = errors ?? [];
  const message = first === undefined ? error.message : `${first.pointer} ${first.detail}`.trim();
  throw new RegistryError(error.code, message, { ...error.details, errors }, { cause: error });
}
