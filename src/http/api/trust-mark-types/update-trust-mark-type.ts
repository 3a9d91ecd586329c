/** Changes the settings of a Trust Mark type. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateTrustMarkType } from '../../../registry/trust-marks/update-trust-mark-type.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TrustMarkTypeChangesSchema, TrustMarkTypeSchema, trustMarkTypeBody } from './trust-mark-type-schema.ts';

export const updateTrustMarkTypeOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/trust-mark-types/{typeId}',
    operationId: 'updateTrustMarkType',
    tags: ['Trust Marks'],
    summary: 'Change a Trust Mark type',
    description: `Each member given replaces the present one. Marks signed from now on follow; those signed before stay good until they expire. ${whoMayAsk('updateTrustMarkType')}`,
    security: BEARER,
    request: {
      params: recordIdParam('typeId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(TrustMarkTypeChangesSchema),
    },
    responses: {
      200: jsonReply('The type as it is now.', TrustMarkTypeSchema, ['ETag']),
      ...bodyProblems(404, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const type = await updateTrustMarkType(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').typeId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(trustMarkTypeBody(type), 200, { ETag: entityTag(type) });
    },
);
