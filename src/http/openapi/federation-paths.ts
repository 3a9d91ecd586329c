/** The federation endpoints of an authority, for the OpenAPI document: OpenID Federation decides what they do. */
import { type RouteConfig, z } from '@hono/zod-openapi';
import { CLIENT_ASSERTION_TYPE } from '../../federation/client-assertion.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import { ENDPOINT_PATHS, type FederationEndpoint } from '../../issuance/authority-endpoints.ts';

/** Paths are relative to the Entity Identifier of an authority, not to the service. */
export const SERVERS = [
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
  /** Parameters of an endpoint that is asked by POST alone. */
  form?: z.ZodObject;
  mediaType: string;
  answer: string;
  schema?: z.ZodType;
  errors?: ErrorTexts;
}

const jwt = (description: string): z.ZodType => z.string().openapi({ description, example: 'eyJ0eXAi…' });

const TypeSchema = z
  .string()
  .openapi({ description: 'The Trust Mark type.', example: 'https://trust-anchor.example/marks/member' });

const LimitSchema = z.int().positive().optional();
const PageSchema = z.string().optional().openapi({ description: '`next` of the page before.' });
const TypesSchema = z
  .array(z.string())
  .optional()
  .openapi({ description: 'Only entities of these types.', example: ['openid_provider'] });
const LIST_FILTERS = {
  entity_type: TypesSchema,
  intermediate: FlagSchema.optional().openapi({ description: '`true`: only Intermediates.' }),
  trust_marked: FlagSchema.optional().openapi({ description: '`true`: only entities with a Trust Mark issued here.' }),
};

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
  historicalKeys: {
    operationId: 'federationHistoricalKeys',
    summary: 'Historical keys',
    description: "The authority's past Federation Entity Keys, to verify what they signed in their time (§8.7).",
    mediaType: MEDIA_TYPE.jwkSet,
    answer: 'The keys.',
    schema: jwt('A signed JWT of type `jwk-set+jwt`.'),
  },
  extendedList: {
    operationId: 'federationExtendedList',
    summary: 'List subordinates with what is said about them',
    description:
      'Immediate Subordinates page by page, with their Subordinate Statements, claims of these and times (Extended Subordinate Listing, draft 03). Several `trust_mark_type` name entities with any of these marks.',
    query: z.object({
      ...LIST_FILTERS,
      trust_mark_type: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Only entities with any of these Trust Marks issued here.' }),
      from: PageSchema,
      limit: LimitSchema.openapi({ description: 'Entities on the page, at most 100.', example: 100 }),
      updated_after: z.number().optional().openapi({ description: 'Changed at or after, seconds since the epoch.' }),
      updated_before: z.number().optional().openapi({ description: 'Changed at or before, seconds since the epoch.' }),
      audit_timestamps: FlagSchema.optional().openapi({ description: '`true`: with `registered` and `updated`.' }),
      claims: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Claims of the statement to show, or all of it.', example: ['subordinate_statement'] }),
    }),
    mediaType: MEDIA_TYPE.json,
    answer: 'A page, not signed; the statements in it are those of the fetch endpoint.',
    schema: z.object({
      immediate_subordinate_entities: z.array(
        z.looseObject({
          id: IdentifierSchema,
          subordinate_statement: jwt('The Subordinate Statement.').optional(),
          registered: z.number().optional(),
          updated: z.number().optional(),
        }),
      ),
      next: z.string().optional().openapi({ description: 'Of the next page; missing on the last one.' }),
    }),
    errors: { 404: 'No such page of this list: `page_not_found`.' },
  },
  subordinateEvents: {
    operationId: 'federationSubordinateEvents',
    summary: 'What became of a subordinate',
    description:
      'Registration, suspensions and updates of an entity that is or once was a subordinate, with reasons (Subordinate Events, draft 01). Our own events are `reinstatement` and `withdrawal`.',
    query: z.object({ sub: IdentifierSchema.openapi({ description: 'Entity Identifier of the subordinate.' }) }),
    mediaType: MEDIA_TYPE.entityEvents,
    answer: 'The history.',
    schema: jwt('A signed JWT of type `entity-events-statement+jwt` with `federation_registration_events`.'),
    errors: { 404: 'No entity with this identifier was ever registered: `not_found`.' },
  },
  collection: {
    operationId: 'federationCollection',
    summary: 'Collect the entities below',
    description:
      'Entities below this authority, direct and through Intermediates of this service, for people to choose from (Entity Collection, draft 01).',
    query: z.object({
      entity_type: TypesSchema,
      trust_mark_type: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Entities that show valid marks of all of these types.' }),
      trust_anchor: IdentifierSchema.optional().openapi({ description: 'This authority itself, if anything.' }),
      query: z.string().optional().openapi({ description: 'Text in an identifier or a name.' }),
      from: PageSchema,
      limit: LimitSchema.openapi({ description: 'Entities on the page, at most 500.', example: 100 }),
      entity_claims: z
        .array(z.string())
        .optional()
        .openapi({ description: '`entity_types`, `ui_infos`, `trust_marks`.', example: ['entity_types'] }),
      ui_claims: z
        .array(z.string())
        .optional()
        .openapi({ description: 'Of `ui_infos`.', example: ['display_name'] }),
    }),
    mediaType: MEDIA_TYPE.json,
    answer: 'A page, not signed: to be shown, not to be believed.',
    schema: z.object({
      entities: z.array(
        z.looseObject({
          entity_id: IdentifierSchema,
          entity_types: z.array(z.string()).optional(),
          ui_infos: z.record(z.string(), z.looseObject({})).optional(),
          trust_marks: z.array(z.looseObject({})).optional(),
        }),
      ),
      next: z.string().optional(),
      last_updated: z.number().optional(),
    }),
    errors: {
      400: 'A parameter is wrong: `invalid_request`; a claim is not offered: `unsupported_claim`.',
      404: 'Not the Trust Anchor of this endpoint: `invalid_trust_anchor`; no such page: `page_not_found`.',
    },
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

/** What a caller sends who proves which entity it is. */
const PROOF = {
  client_assertion_type: z.literal(CLIENT_ASSERTION_TYPE),
  client_assertion: z.string().openapi({
    description:
      'A JWT signed with a Federation Entity Key of the caller: `iss` and `sub` the caller, `aud` this authority alone, `jti`, and `exp` at most 10 minutes ahead. It is used once.',
    example: 'eyJ0eXAi…',
  }),
};

const RESOLVED_FOR_ENTITIES =
  'Any subject is evaluated at once for an entity that is active here or was evaluated before; the answer names it as `aud`.';

const AUTHENTICATION =
  'For callers that prove which entity they are by `private_key_jwt` (§8.8), where the authority has `endpointAuthentication` of this endpoint `optional` or `required`; its Entity Configuration shows which. Where it is optional, an entity that is not known here is answered as by GET; where it is required, everybody else is refused, and GET with 401.';

export const FEDERATION_TAG = 'Federation endpoints';

/** Paths of the federation endpoints. */
export const FEDERATION_PATHS: readonly RouteConfig[] = (Object.keys(ENDPOINTS) as FederationEndpoint[]).flatMap(
  (endpoint) => (endpoint === 'configuration' ? [federationPath(endpoint)] : pathsOf(endpoint)),
);

function pathsOf(endpoint: FederationEndpoint): RouteConfig[] {
  const { form } = ENDPOINTS[endpoint];
  return form === undefined ? [federationPath(endpoint), authenticatedPath(endpoint)] : [formPath(endpoint, form)];
}

/** An endpoint that takes a form and nothing else; nobody keeps its answers. */
function formPath(endpoint: FederationEndpoint, form: z.ZodObject): RouteConfig {
  const { operationId, summary, description, mediaType, answer, schema, errors } = ENDPOINTS[endpoint];
  const statuses = [400, 401, 404, 429, 500, 503] as const;
  return {
    method: 'post',
    path: ENDPOINT_PATHS[endpoint],
    operationId,
    tags: [FEDERATION_TAG],
    summary,
    description: `${description}\n\nWith a client assertion where the authority offers or requires that (\`endpointAuthentication\`).`,
    servers: SERVERS,
    security: [],
    request: {
      body: {
        required: true,
        content: { [MEDIA_TYPE.form]: { schema: form.extend(z.object(PROOF).partial().shape) } },
      },
    },
    responses: {
      200: {
        description: answer,
        headers: { 'Cache-Control': { description: '`no-store`', schema: { type: 'string' } } },
        content: { [mediaType]: { schema } },
      },
      ...Object.fromEntries(statuses.map((status) => [status, errorReply(errors?.[status] ?? ERRORS[status])])),
      405: errorReply('A method other than POST: `invalid_request`, with `Allow`.'),
      413: errorReply('The form is larger than a Trust Mark can be: `invalid_request`.'),
    },
  };
}

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
      ...(endpoint === 'configuration' ? {} : { 401: errorReply('Callers prove who they are: `invalid_client`.') }),
      405: errorReply('A method that is not served: `invalid_request`, with `Allow`.'),
    },
  };
}

/** The same for callers that prove which entity they are (§8.8). */
function authenticatedPath(endpoint: FederationEndpoint): RouteConfig {
  const { operationId, summary, query, mediaType, answer, schema, errors } = ENDPOINTS[endpoint];
  const isResolve = endpoint === 'resolve';
  const noStore = { 'Cache-Control': { description: '`no-store`', schema: { type: 'string' as const } } };
  return {
    method: 'post',
    path: ENDPOINT_PATHS[endpoint],
    operationId: `${operationId}Authenticated`,
    tags: [FEDERATION_TAG],
    summary: `${summary}, as a known entity`,
    description: isResolve ? `${RESOLVED_FOR_ENTITIES}\n\n${AUTHENTICATION}` : AUTHENTICATION,
    servers: SERVERS,
    security: [],
    request: {
      body: { required: true, content: { [MEDIA_TYPE.form]: { schema: (query ?? z.object({})).extend(PROOF) } } },
    },
    responses: {
      200: {
        description: answer,
        headers: isResolve ? { ...noStore, ...OLDEST_STATEMENT } : noStore,
        content: { [mediaType]: { schema } },
      },
      400: errorReply(ERRORS[400]),
      429: errorReply(ERRORS[429]),
      ...errorReplies(endpoint, errors),
      401: errorReply(ERRORS[401]),
      405: errorReply('No authentication is offered here: `invalid_request`, with `Allow`.'),
      413: errorReply('The form is too large: `invalid_request`.'),
    },
  };
}

/** Without parameters there is nothing to get wrong and nothing to miss. */
function errorReplies(endpoint: FederationEndpoint, errors: ErrorTexts = {}): RouteConfig['responses'] {
  const limited = endpoint === 'resolve' ? ([429] as const) : [];
  const statuses =
    endpoint === 'list' || endpoint === 'trustMarkList'
      ? ([400, 500, 503] as const)
      : ([400, 404, ...limited, 500, 503] as const);
  const possible = ENDPOINTS[endpoint].query === undefined ? ([500, 503] as const) : statuses;
  return Object.fromEntries(possible.map((status) => [status, errorReply(errors[status] ?? ERRORS[status])]));
}

export function errorReply(description: string): RouteConfig['responses'][string] {
  return { description, content: { [MEDIA_TYPE.json]: { schema: FederationErrorSchema } } };
}
