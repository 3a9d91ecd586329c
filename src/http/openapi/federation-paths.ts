/** The federation endpoints of an authority, for the OpenAPI document: OpenID Federation decides what they do. */
import { type RouteConfig, z } from '@hono/zod-openapi';
import { CLIENT_ASSERTION_TYPE } from '../../federation/client-assertion.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import { ENDPOINT_PATHS, type FederationEndpoint } from '../../issuance/authority-endpoints.ts';

/** Paths are relative to the Entity Identifier of an authority, not to the service. */
const SERVERS = [
  {
    url: '{entityIdentifier}',
    description: 'An authority; its `endpoints` are listed by `GET /api/v1/authorities`.',
    variables: {
      entityIdentifier: {
        default: 'https://trust-anchor.example',
        description: 'Entity Identifier of the authority, without a trailing slash.',
      },
    },
  },
];

const IdentifierSchema = z.string().openapi({ format: 'uri', example: 'https://op.partner.example' });

const FederationErrorSchema = z
  .object({
    error: z.string().openapi({ description: 'Error code of §8.9.', example: 'not_found' }),
    error_description: z.string().openapi({ description: 'For people; ASCII.' }),
  })
  .openapi('FederationError', {
    description: 'An unsigned error of a federation endpoint (§8.9): decide no trust by it.',
  });

const FlagSchema = z.enum(['true', 'false']);

const ERRORS = {
  400: 'A parameter is missing or wrong: `invalid_request`.',
  401: 'The client assertion does not hold: `invalid_client`.',
  404: 'Not known here: `not_found`.',
  429: 'Too many requests that cost work: `temporarily_unavailable`, with `Retry-After`.',
  500: 'A fault of ours: `server_error`.',
  503: 'The current state cannot be confirmed: `temporarily_unavailable`, with `Retry-After`.',
} as const;

type ErrorTexts = Partial<Record<keyof typeof ERRORS, string>>;

interface EndpointText {
  operationId: string;
  summary: string;
  description: string;
  query?: z.ZodObject;
  mediaType: string;
  answer: string;
  schema?: z.ZodType;
  errors?: ErrorTexts;
}

const jwt = (description: string): z.ZodType => z.string().openapi({ description, example: 'eyJ0eXAi…' });

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

const ENDPOINTS: Readonly<Record<FederationEndpoint, EndpointText>> = {
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
      entity_type: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Only entities of these types.', example: ['openid_provider'] }),
      intermediate: FlagSchema.optional().openapi({ description: '`true`: only Intermediates.' }),
      trust_marked: FlagSchema.optional().openapi({
        description: '`true`: only entities with a Trust Mark issued here.',
      }),
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
};

const PUBLIC_HEADERS = {
  ETag: { description: 'Of the bytes sent; for `If-None-Match`.', schema: { type: 'string' as const } },
  'Cache-Control': {
    description: '`public, max-age=` at most a minute, and never beyond the expiry of the answer.',
    schema: { type: 'string' as const },
  },
};

/** Of resolve answers, which rest on statements of others. */
const OLDEST_STATEMENT = {
  'Holdfast-Oldest-Statement': {
    description: 'When the oldest statement that the answer rests on was retrieved, as an HTTP date.',
    schema: { type: 'string' as const },
  },
};

export const FEDERATION_TAG = 'Federation endpoints';

/** Paths of the federation endpoints. */
export const FEDERATION_PATHS: readonly RouteConfig[] = (Object.keys(ENDPOINTS) as FederationEndpoint[]).flatMap(
  (endpoint) =>
    endpoint === 'resolve' ? [federationPath(endpoint), authenticatedResolvePath()] : [federationPath(endpoint)],
);

function federationPath(endpoint: FederationEndpoint): RouteConfig {
  const { operationId, summary, description, query, mediaType, answer, schema, errors } = ENDPOINTS[endpoint];
  const headers = endpoint === 'resolve' ? { ...PUBLIC_HEADERS, ...OLDEST_STATEMENT } : PUBLIC_HEADERS;
  return {
    method: 'get',
    path: ENDPOINT_PATHS[endpoint],
    operationId,
    tags: [FEDERATION_TAG],
    summary,
    description: `${description}\n\nHEAD too. Public: any origin may ask, parameters not understood are ignored.`,
    servers: SERVERS,
    security: [],
    request: query === undefined ? {} : { query },
    responses: {
      200: { description: answer, headers, content: { [mediaType]: { schema } } },
      304: { description: 'The `ETag` in `If-None-Match` is still the current one.' },
      ...errorReplies(endpoint, errors),
      405: errorReply('A method that is not served: `invalid_request`, with `Allow`.'),
    },
  };
}

/** The same for callers that prove which entity they are (§8.8). */
function authenticatedResolvePath(): RouteConfig {
  const { summary, mediaType, answer, schema, errors } = ENDPOINTS.resolve;
  const form = RESOLVE_PARAMETERS.extend({
    client_assertion_type: z.literal(CLIENT_ASSERTION_TYPE),
    client_assertion: z.string().openapi({
      description:
        'A JWT signed with a Federation Entity Key of the caller: `iss` and `sub` the caller, `aud` this authority alone, `jti`, and `exp` at most 10 minutes ahead. It is used once.',
      example: 'eyJ0eXAi…',
    }),
  });
  return {
    method: 'post',
    path: ENDPOINT_PATHS.resolve,
    operationId: 'federationResolveAuthenticated',
    tags: [FEDERATION_TAG],
    summary: `${summary}, as a known entity`,
    description:
      'Any subject is evaluated at once for an entity that is active here or was evaluated before (§8.8, `private_key_jwt`); the answer names it as `aud`. Anybody else is answered as by GET.',
    servers: SERVERS,
    security: [],
    request: {
      body: { required: true, content: { 'application/x-www-form-urlencoded': { schema: form } } },
    },
    responses: {
      200: {
        description: answer,
        headers: {
          'Cache-Control': { description: '`no-store`', schema: { type: 'string' } },
          ...OLDEST_STATEMENT,
        },
        content: { [mediaType]: { schema } },
      },
      ...errorReplies('resolve', errors),
      401: errorReply(ERRORS[401]),
    },
  };
}

/** Without parameters there is nothing to get wrong and nothing to miss. */
function errorReplies(endpoint: FederationEndpoint, errors: ErrorTexts = {}): RouteConfig['responses'] {
  const limited = endpoint === 'resolve' ? ([429] as const) : [];
  const statuses = endpoint === 'list' ? ([400, 500, 503] as const) : ([400, 404, ...limited, 500, 503] as const);
  const possible = ENDPOINTS[endpoint].query === undefined ? ([500, 503] as const) : statuses;
  return Object.fromEntries(possible.map((status) => [status, errorReply(errors[status] ?? ERRORS[status])]));
}

function errorReply(description: string): RouteConfig['responses'][string] {
  return { description, content: { [MEDIA_TYPE.json]: { schema: FederationErrorSchema } } };
}
