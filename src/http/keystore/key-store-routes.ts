/** Key stores: public keys of members, for everybody. */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context, Hono } from 'hono';
import type { Clock } from '../../federation/time.ts';
import { KEY_SET_NAMES, type KeySetName } from '../../issuance/key-store-urls.ts';
import type { KeyStores } from '../../issuance/key-stores.ts';
import type { UnsignedAnswer } from '../../issuance/ready-answers.ts';
import type { KeyStoreOwner } from '../../registry/credentials/published-credentials.ts';
import { ENTITY_MODES, USUAL_ENVIRONMENT } from '../../registry/entities/entity-attributes.ts';
import { isRecordId } from '../../registry/record-id.ts';
import { invalidField, RegistryError } from '../../registry/registry-error.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { problems } from '../api/exchange.ts';
import { RecordIdSchema } from '../api/record-schema.ts';
import { TokenSchema } from '../api/text-schema.ts';
import { publicAnswer } from '../federation/public-answer.ts';
import { isOutage } from '../outage.ts';
import { HttpProblem } from '../problem.ts';

export interface KeyStoreDependencies {
  stores: Pick<KeyStores, 'keySet' | 'certificate'>;
  /** What the registry is known to hold; see the change feed. */
  state: { readonly seq: number; isCurrent(): boolean; ensureCurrent(): Promise<void> };
  clock: Clock;
}

const FINGERPRINT = /^[A-Za-z0-9_-]{43}$/;

const PublishedJwkSchema = z.looseObject({
  kty: z.string(),
  kid: z.string().openapi({ description: 'Thumbprint of the key (RFC 7638), whatever its owner calls it.' }),
  use: z.enum(['sig', 'enc']),
  alg: z.string().optional(),
  x5c: z.array(z.string()).optional().openapi({ description: 'The certificate and those above it, base64 of DER.' }),
  'x5t#S256': z.string().optional(),
  x5u: z.string().optional().openapi({ description: 'The same as PEM.' }),
});

const KeyStoreSchema = z
  .object({ keys: z.array(PublishedJwkSchema).openapi({ description: 'The newest first; none: nothing counts.' }) })
  .openapi('KeyStore');

const KeySetFileSchema = z
  .string()
  .regex(new RegExp(`^(?:${KEY_SET_NAMES.join('|')})\\.jwks$`))
  .openapi({
    description: '`transport.jwks`, `signing.jwks`, `encryption.jwks`, or `application.jwks`: the last two.',
    example: 'signing.jwks',
  });

const FileSchema = z
  .string()
  .regex(new RegExp(`^(?:(?:${KEY_SET_NAMES.join('|')})\\.jwks|[A-Za-z0-9_-]{43}\\.pem)$`))
  .openapi({
    description:
      '`transport.jwks`, `signing.jwks`, `encryption.jwks`, `application.jwks` (the last two), or a certificate as PEM with those above it, by its `kid` or `x5t#S256`: `{kid}.pem`.',
    example: 'transport.jwks',
  });

const PlaceSchema = z.object({
  mode: z.enum(ENTITY_MODES).optional().openapi({ description: 'Of which applications; `live` unless said.' }),
  environment: TokenSchema.optional().openapi({
    description: 'Of which applications; unless said, `production` of live ones, `sandbox` of others.',
  }),
});

const HEADERS = {
  ETag: { description: 'Strong; for `If-None-Match`.', schema: { type: 'string' as const } },
  'Cache-Control': {
    description: 'At most a minute, and never beyond the next moment at which the clock changes which keys these are.',
    schema: { type: 'string' as const, example: 'public, max-age=60' },
  },
  'X-Registry-Seq': {
    description: 'The answer holds every change up to this one.',
    schema: { type: 'integer' as const, example: 42 },
  },
};
const SET_REPLY = {
  description: 'The keys.',
  headers: HEADERS,
  content: { 'application/jwk-set+json': { schema: KeyStoreSchema } },
};
const UNCHANGED = { description: 'Still as `If-None-Match` knows it.', headers: HEADERS };
const ACTIVE =
  'Keys that count now: they do themselves, and so do their application and its organisation. Of one that is suspended there are none.';
const INACTIVE =
  'Keys that counted once and do not now: revoked, on hold, superseded, expired, or of whoever is active no longer. Good for old signatures at most, never for new ones. The newest 250.';
const { 400: INVALID, 404: NOT_FOUND, 409: TOO_MANY, 500: FAULT, 503: UNCONFIRMED } = problems(400, 404, 409);
const SHARED = { method: 'get' as const, tags: ['Key stores'], security: [] };

/** In the order in which they are to be tried: the word `inactive` is no id. */
export const KEY_STORE_ROUTES = [
  createRoute({
    ...SHARED,
    path: '/keystore/{organisationId}/inactive/{file}',
    operationId: 'readInactiveOrganisationKeys',
    summary: 'Read former keys of an organisation',
    description: `${INACTIVE} Of all its applications of one mode and environment. Needs no token.`,
    request: { params: z.object({ organisationId: RecordIdSchema, file: KeySetFileSchema }), query: PlaceSchema },
    responses: { 200: SET_REPLY, 304: UNCHANGED, 400: INVALID, 404: NOT_FOUND, 500: FAULT, 503: UNCONFIRMED },
  }),
  createRoute({
    ...SHARED,
    path: '/keystore/{organisationId}/{file}',
    operationId: 'readOrganisationKeys',
    summary: 'Read the keys of an organisation',
    description: `${ACTIVE} Of all its applications of one mode and environment; where these have more than 250 such keys, 409 \`limit_reached\`: ask for those of each application. Needs no token.`,
    request: { params: z.object({ organisationId: RecordIdSchema, file: KeySetFileSchema }), query: PlaceSchema },
    responses: {
      200: SET_REPLY,
      304: UNCHANGED,
      400: INVALID,
      404: NOT_FOUND,
      409: TOO_MANY,
      500: FAULT,
      503: UNCONFIRMED,
    },
  }),
  createRoute({
    ...SHARED,
    path: '/keystore/{organisationId}/{entityId}/inactive/{file}',
    operationId: 'readInactiveApplicationKeys',
    summary: 'Read former keys of an application',
    description: `${INACTIVE} Needs no token.`,
    request: {
      params: z.object({ organisationId: RecordIdSchema, entityId: RecordIdSchema, file: KeySetFileSchema }),
    },
    responses: { 200: SET_REPLY, 304: UNCHANGED, 404: NOT_FOUND, 500: FAULT, 503: UNCONFIRMED },
  }),
  createRoute({
    ...SHARED,
    path: '/keystore/{organisationId}/{entityId}/{file}',
    operationId: 'readApplicationKeys',
    summary: 'Read the keys of an application, or one of its certificates',
    description: `${ACTIVE} A certificate is there as long as one of the sets, active or inactive, names it; a key without a certificate has none. Needs no token.`,
    request: { params: z.object({ organisationId: RecordIdSchema, entityId: RecordIdSchema, file: FileSchema }) },
    responses: {
      200: {
        ...SET_REPLY,
        content: {
          ...SET_REPLY.content,
          'application/pem-certificate-chain': { schema: z.string().openapi({ description: 'The leaf first.' }) },
        },
      },
      304: UNCHANGED,
      404: NOT_FOUND,
      500: FAULT,
      503: UNCONFIRMED,
    },
  }),
] as const satisfies readonly RouteConfig[];

/** They answer like the federation endpoints: kept for a while, open to any origin. */
export function mountKeyStores(app: Hono<ApiEnv>, dependencies: () => KeyStoreDependencies): void {
  for (const route of KEY_STORE_ROUTES) {
    app.get(route.getRoutingPath(), (c) => answer(c, dependencies()));
  }
}

/** An outage is the change feed's news: whoever asks does not fill the log with it. */
async function answer(c: Context<ApiEnv>, dependencies: KeyStoreDependencies): Promise<Response> {
  try {
    return await currentAnswer(c, dependencies);
  } catch (error) {
    if (!isOutage(error)) throw error;
    const detail = 'which keys count cannot be told for the moment; try again shortly';
    throw new HttpProblem('temporarily_unavailable', detail, { 'retry-after': '1' });
  }
}

async function currentAnswer(c: Context<ApiEnv>, { stores, state, clock }: KeyStoreDependencies): Promise<Response> {
  for (;;) {
    await state.ensureCurrent();
    // Taken before anything is read: what is answered may be newer, never older.
    const { seq } = state;
    const ready = await read(c, stores);
    // What took its time counts only if our state is known to be current at its end, too.
    if (!state.isCurrent()) continue;
    const response = publicAnswer(c.req.raw, ready, clock.now());
    response.headers.set('x-registry-seq', String(seq));
    response.headers.set('access-control-expose-headers', 'ETag, X-Registry-Seq');
    response.headers.set('cross-origin-resource-policy', 'cross-origin');
    return response;
  }
}

/** @throws RegistryError */
async function read(c: Context<ApiEnv>, stores: KeyStoreDependencies['stores']): Promise<UnsignedAnswer> {
  const owner = ownerOf(c);
  const standing = c.req.path.split('/').at(-2) === 'inactive' ? 'inactive' : 'active';
  const [, stem = '', ending] = /^([A-Za-z0-9_-]{1,43})\.(jwks|pem)$/.exec(c.req.param('file') ?? '') ?? [];
  if (ending === 'jwks' && isKeySetName(stem)) return await stores.keySet(owner, { name: stem, standing });
  if (ending === 'pem' && 'entityId' in owner && standing === 'active' && FINGERPRINT.test(stem)) {
    return await stores.certificate(owner, stem);
  }
  throw new RegistryError('not_found', `a key store has ${KEY_SET_NAMES.map((name) => `${name}.jwks`).join(', ')}`);
}

/** @throws RegistryError not_found, validation_failed */
function ownerOf(c: Context<ApiEnv>): KeyStoreOwner {
  const organisationId = c.req.param('organisationId') ?? '';
  const entityId = c.req.param('entityId');
  if (!isRecordId(organisationId) || (entityId !== undefined && !isRecordId(entityId))) {
    throw new RegistryError('not_found', 'no record has such an id');
  }
  if (entityId !== undefined) return { organisationId, entityId };
  const place = PlaceSchema.safeParse(c.req.query());
  if (place.success) {
    const { mode = 'live', environment = USUAL_ENVIRONMENT[mode] } = place.data;
    return { organisationId, mode, environment };
  }
  const [issue] = place.error.issues;
  throw invalidField(`/query/${issue?.path.join('/') ?? ''}`, issue?.message ?? 'is not valid');
}

function isKeySetName(text: string): text is KeySetName {
  return KEY_SET_NAMES.some((name) => name === text);
}
