/** The federation endpoints of an authority, for the OpenAPI document: OpenID Federation decides what they do. */
import { type RouteConfig, z } from '@hono/zod-openapi';
import { CLIENT_ASSERTION_TYPE } from '../../federation/client-assertion.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import {
  ENDPOINT_PATHS,
  FEDERATION_ENDPOINT_NAMES,
  type FederationEndpoint,
} from '../../issuance/authority-endpoints.ts';
import { COMPANION_ENDPOINTS } from './companion-endpoints.ts';
import { type EndpointText, ERRORS, type ErrorTexts } from './endpoint-text.ts';
import { STATEMENT_ENDPOINTS } from './statement-endpoints.ts';
import { TRUST_MARK_ENDPOINTS } from './trust-mark-endpoints.ts';

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

const FederationErrorSchema = z
  .object({
    error: z.string().openapi({ description: 'Error code of §8.9.', example: 'not_found' }),
    error_description: z.string().openapi({ description: 'For people; ASCII.' }),
  })
  .openapi('FederationError', {
    description: 'An unsigned error of a federation endpoint (§8.9): decide no trust by it.',
  });

/** Those that count against quotas of who asks, even by GET. */
const LIMITED: ReadonlySet<FederationEndpoint> = new Set(['resolve', 'extendedList', 'collection']);

const ENDPOINTS: Readonly<Record<FederationEndpoint, EndpointText>> = {
  ...STATEMENT_ENDPOINTS,
  ...TRUST_MARK_ENDPOINTS,
  ...COMPANION_ENDPOINTS,
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
export const FEDERATION_PATHS: readonly RouteConfig[] = FEDERATION_ENDPOINT_NAMES.flatMap((endpoint) =>
  endpoint === 'configuration' ? [federationPath(endpoint)] : pathsOf(endpoint),
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
  const limited = LIMITED.has(endpoint) ? ([429] as const) : [];
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
