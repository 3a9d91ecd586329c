/** Endpoints of Trust Marks, for the OpenAPI document. @see OIDFED §8.4-8.6 */
import { z } from '@hono/zod-openapi';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { FederationEndpoint } from '../../issuance/authority-endpoints.ts';
import { type EndpointText, IdentifierSchema, jwt } from './endpoint-text.ts';

const TypeSchema = z
  .string()
  .openapi({ description: 'The Trust Mark type.', example: 'https://trust-anchor.example/marks/member' });

export const TRUST_MARK_ENDPOINTS = {
  trustMarkStatus: {
    operationId: 'federationTrustMarkStatus',
    summary: 'Status of a Trust Mark',
    description:
      'How a Trust Mark that this authority issued fares right now (§8.4). Any status is a 200; a mark that memory does not know counts against a quota.',
    form: z.object({ trust_mark: jwt('The whole Trust Mark, at most 16 KB.') }),
    mediaType: MEDIA_TYPE.trustMarkStatusResponse,
    answer: 'The status.',
    schema: jwt(
      'A signed JWT of type `trust-mark-status-response+jwt` with `trust_mark` as it was sent and `status`: `active`, `expired`, `revoked` or `invalid`.',
    ),
    errors: {
      400: 'The parameter is missing, or no JWT: `invalid_request`.',
      404: 'This authority did not issue such a mark: `not_found`.',
    },
  },
  trustMarkList: {
    operationId: 'federationTrustMarkList',
    summary: 'List the bearers of a Trust Mark',
    description: 'Entity Identifiers of all who hold a valid mark of the type, subordinates or not (§8.5).',
    query: z.object({
      trust_mark_type: TypeSchema,
      sub: IdentifierSchema.optional().openapi({ description: 'Only this entity, if it holds one.' }),
    }),
    mediaType: MEDIA_TYPE.json,
    answer: 'The identifiers, not signed; `[]` for a type without bearers.',
    schema: z.array(IdentifierSchema),
  },
  trustMark: {
    operationId: 'federationTrustMark',
    summary: 'Fetch a Trust Mark',
    description: 'The mark of an entity, fresh (§8.6).',
    query: z.object({ trust_mark_type: TypeSchema, sub: IdentifierSchema }),
    mediaType: MEDIA_TYPE.trustMark,
    answer: 'The Trust Mark.',
    schema: jwt('A signed JWT of type `trust-mark+jwt`.'),
    errors: { 404: 'The entity holds no valid mark of this type from here: `not_found`.' },
  },
} satisfies Partial<Record<FederationEndpoint, EndpointText>>;
