/** Endpoints of statements and keys, for the OpenAPI document. @see OIDFED §8.1-8.3, §8.7, §9 */
import { z } from '@hono/zod-openapi';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { FederationEndpoint } from '../../issuance/authority-endpoints.ts';
import { type EndpointText, IdentifierSchema, jwt, LIST_FILTERS } from './endpoint-text.ts';

const RESOLVE_PARAMETERS = z.object({
  sub: IdentifierSchema.openapi({ description: 'Entity Identifier of the subject.' }),
  trust_anchor: z
    .array(IdentifierSchema)
    .min(1)
    .openapi({
      description: 'The first of these that a valid chain leads to is the one.',
      example: ['https://trust-anchor.example'],
    }),
  entity_type: z
    .array(z.string())
    .optional()
    .openapi({ description: 'Only metadata of these types.', example: ['openid_provider'] }),
});

export const STATEMENT_ENDPOINTS = {
  configuration: {
    operationId: 'federationConfiguration',
    summary: 'Entity Configuration',
    description: "The authority's own statement about itself: keys, metadata with the endpoints below, superiors (§9).",
    mediaType: MEDIA_TYPE.entityStatement,
    answer: 'The Entity Configuration.',
    schema: jwt('A signed JWT of type `entity-statement+jwt` with `iss` = `sub`.'),
  },
  fetch: {
    operationId: 'federationFetch',
    summary: 'Fetch a Subordinate Statement',
    description: 'What the authority vouches for about one of its Immediate Subordinates (§8.1).',
    query: z.object({ sub: IdentifierSchema.openapi({ description: 'Entity Identifier of the subordinate.' }) }),
    mediaType: MEDIA_TYPE.entityStatement,
    answer: 'The Subordinate Statement.',
    schema: jwt('A signed JWT of type `entity-statement+jwt`.'),
    errors: {
      400: '`sub` is missing, repeated, no Entity Identifier, or the authority itself: `invalid_request`.',
      404: 'No active subordinate has this identifier: `not_found`.',
    },
  },
  list: {
    operationId: 'federationList',
    summary: 'List subordinates',
    description:
      'Entity Identifiers of all Immediate Subordinates that the authority vouches for (§8.2). Several `entity_type` name entities of any of them.',
    query: z.object({
      ...LIST_FILTERS,
      trust_mark_type: z
        .string()
        .optional()
        .openapi({ description: 'Only entities with this Trust Mark issued here.' }),
    }),
    mediaType: MEDIA_TYPE.json,
    answer: 'The identifiers, not signed.',
    schema: z.array(IdentifierSchema),
    errors: { 400: 'A filter has a value that it cannot have: `invalid_request`.' },
  },
  resolve: {
    operationId: 'federationResolve',
    summary: 'Resolve an entity',
    description: [
      'Finds and validates a Trust Chain from the subject to a requested Trust Anchor and answers with the Resolved Metadata, policies applied (§8.3).',
      'Anonymous callers get subjects under the authorities of this service, and what was evaluated already; any other subject is evaluated for them in the background, unless the operator decided otherwise. With `Authorization: Bearer` and an API token of any role that reaches the authority, or by POST with a client assertion, any subject is evaluated at once.',
      'Answers that cost work count against a quota, told by `RateLimit` and `RateLimit-Policy`.',
    ].join('\n\n'),
    query: RESOLVE_PARAMETERS,
    mediaType: MEDIA_TYPE.resolveResponse,
    answer: 'The resolve response.',
    schema: jwt('A signed JWT of type `resolve-response+jwt` with `metadata`, `trust_chain` and `exp`.'),
    errors: {
      400: 'A parameter is missing or wrong: `invalid_request`; no chain is valid: `invalid_trust_chain`; policy and metadata contradict each other: `invalid_metadata`.',
      404: 'The Trust Anchor is not served here: `invalid_trust_anchor`; the subject was not evaluated: `invalid_subject`; it publishes nothing: `not_found`.',
      503: 'The subject is being evaluated, a statement could not be retrieved, or our state not be confirmed: `temporarily_unavailable`, with `Retry-After`.',
    },
  },
  historicalKeys: {
    operationId: 'federationHistoricalKeys',
    summary: 'Historical keys',
    description: "The authority's past Federation Entity Keys, to verify what they signed in their time (§8.7).",
    mediaType: MEDIA_TYPE.jwkSet,
    answer: 'The keys.',
    schema: jwt('A signed JWT of type `jwk-set+jwt`.'),
  },
} satisfies Partial<Record<FederationEndpoint, EndpointText>>;
