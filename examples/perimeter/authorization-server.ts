/**
 * An OAuth authorization server for partners, made of oidc-provider: Holdfast says who a client is (resolve) and whether
 * it may come in right now (admission); the server itself knows nobody.
 * @see RFC 8705 (tokens bound to client certificates), RFC 9068 (JWT access tokens)
 */
import { hash, type X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import { type Configuration, type Context, errors, Provider } from 'oidc-provider';
import { Holdfast, type HoldfastSettings } from './holdfast.ts';
import { memoryStorage } from './memory-storage.ts';
import { serveProgram } from './program.ts';
import { Refusal } from './refusal.ts';

/** Metadata of a client as OpenID Connect Registration and RFC 7591 name it. */
export type ClientMetadata = Record<string, unknown>;

/** What the server asks Holdfast; `holdfast.ts` does it. */
export interface Registry {
  /** Metadata of the client with this Entity Identifier. @throws Refusal: nobody vouches for it */
  findClient(entityId: string): Promise<ClientMetadata | undefined>;
  /** @throws Refusal: whoever has this certificate is not this client, or is not let in now */
  requireAdmission(asked: { entityId: string; x5tS256: string }): Promise<void>;
}

export interface AuthorizationServerSettings {
  /** `https://…`, where it can be reached. */
  issuer: string;
  /** PEM. */
  tls: { key: string; cert: string };
  /** Private keys that sign tokens, ES256. */
  jwks: { keys: readonly object[] };
  /** The API that tokens are for; with a secret, it may ask about opaque ones. */
  api: { audience: string; scope: string; tokenFormat: 'jwt' | 'opaque'; secret?: string };
  registry: Registry;
  /** What it says of itself in the federation, as `holdfast configuration sign` wrote it. */
  entityConfiguration?: string;
}

const WELL_KNOWN = '/.well-known/openid-federation';
const ENTITY_STATEMENT = 'application/entity-statement+jwt';
const TOKEN_LIFETIME_SECONDS = 600;
const ALGORITHM = 'ES256';
const NONE = { enabled: false };

/** The server; `listen` where its issuer says. */
export function createAuthorizationServer(settings: AuthorizationServerSettings): Server {
  const provider = new Provider(settings.issuer, configurationOf(settings));
  // Any client certificate may connect: whose it is, and whether it counts, is for Holdfast to say, not for a list of CAs.
  const tls = { ...settings.tls, requestCert: true, rejectUnauthorized: false };
  const answer = provider.callback();
  return createServer(tls, (incoming, outgoing) => {
    if (incoming.url !== WELL_KNOWN || settings.entityConfiguration === undefined) answer(incoming, outgoing);
    else outgoing.writeHead(200, { 'content-type': ENTITY_STATEMENT }).end(settings.entityConfiguration);
  });
}

function configurationOf({ api, jwks, registry }: AuthorizationServerSettings): Configuration {
  return {
    adapter: (model) => {
      const storage = memoryStorage();
      return model === 'Client' ? { ...storage, find: (entityId) => findClient(registry, entityId) } : storage;
    },
    // Asked for each token, at the last moment before it is made.
    extraTokenClaims: async (ctx, { clientId }) => await requireAdmission(registry, ctx, clientId),
    features: {
      clientCredentials: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        // Of RFC 8705 §2.2, whoever issued the certificate: it has to be one of those in the client's metadata.
        selfSignedTlsClientAuth: true,
        getCertificate: certificateOf,
      },
      resourceIndicators: tokensFor(api),
      introspection: { enabled: true, allowedPolicy: async (_ctx, client, { aud }) => client.clientId === aud },
      jwtIntrospection: { enabled: true },
      // Nobody logs in here.
      ...{
        devInteractions: NONE,
        dPoP: NONE,
        pushedAuthorizationRequests: NONE,
        rpInitiatedLogout: NONE,
        userinfo: NONE,
      },
    },
    clients: api.secret === undefined ? [] : [introspectingClient(api.audience, api.secret)],
    clientAuthMethods: ['self_signed_tls_client_auth', 'client_secret_basic'],
    clientDefaults: { id_token_signed_response_alg: ALGORITHM, introspection_signed_response_alg: ALGORITHM },
    enabledJWA: { idTokenSigningAlgValues: [ALGORITHM], introspectionSigningAlgValues: [ALGORITHM] },
    cookies: { keys: [crypto.randomUUID()] },
    responseTypes: [],
    scopes: api.scope.split(' '),
    ttl: { ClientCredentials: TOKEN_LIFETIME_SECONDS },
    jwks,
  };
}

/** All tokens are for the one API. @see RFC 8707 */
function tokensFor({ audience, scope, tokenFormat }: AuthorizationServerSettings['api']) {
  return {
    enabled: true,
    defaultResource: () => audience,
    getResourceServerInfo: (_ctx: Context, resource: string) => {
      if (resource !== audience) throw new errors.InvalidTarget();
      return { audience, scope, accessTokenFormat: tokenFormat, jwt: { sign: { alg: ALGORITHM } } };
    },
  };
}

/** What a partner publishes cannot make of it more than a client that gets bound tokens for itself over mTLS. */
async function findClient(registry: Registry, entityId: string): Promise<ClientMetadata | undefined> {
  const metadata = await registry.findClient(entityId).catch((error: unknown) => {
    throw error instanceof Refusal ? new errors.InvalidClient(error.message) : error;
  });
  if (metadata === undefined) return undefined;
  const { client_name, jwks, scope } = metadata;
  return {
    ...{ client_id: entityId, client_name, jwks, scope },
    ...{ grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    tls_client_certificate_bound_access_tokens: true,
  };
}

async function requireAdmission(registry: Registry, ctx: Context, entityId: string): Promise<undefined> {
  const certificate = certificateOf(ctx);
  if (certificate === undefined) throw new errors.AccessDenied('not admitted: certificate_missing');
  try {
    await registry.requireAdmission({ entityId, x5tS256: thumbprintOf(certificate) });
  } catch (error) {
    throw error instanceof Refusal ? new errors.AccessDenied(error.message) : error;
  }
}

function introspectingClient(id: string, secret: string): ClientMetadata {
  return {
    ...{ client_id: id, client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
    ...{ grant_types: [], response_types: [], redirect_uris: [] },
  };
}

/** The client certificate of the connection: with it comes the proof that whoever connects has its key. */
function certificateOf({ socket }: Context): X509Certificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
}

/** `x5t#S256`. @see RFC 8705 §3.1 */
function thumbprintOf({ raw }: X509Certificate): string {
  return hash('sha256', raw, 'base64url');
}

/** `node authorization-server.ts SETTINGS.json` */
if (import.meta.main) {
  await serveProgram<ProgramSettings>((settings) => {
    const registry = new Holdfast(settings.holdfast);
    return createAuthorizationServer({ ...settings, registry });
  });
}

type ProgramSettings = Omit<AuthorizationServerSettings, 'registry'> & { holdfast: HoldfastSettings };
