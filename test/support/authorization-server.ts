/** The authorization server of examples/perimeter, with one client that gets tokens over mTLS. */
import { generateKeyPairSync, hash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { importJWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { createAuthorizationServer } from '../../examples/perimeter/authorization-server.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import { certificate, ecKey, pem } from './certificates.ts';
import { freePort } from './cli.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from './tls.ts';

export interface TestAuthorizationServer extends AsyncDisposable {
  issuer: string;
  /** `aud` of its tokens, and how the API is known at its introspection endpoint. */
  audience: string;
  secret: string;
  jwks: JwkSet;
  jwksUri: string;
  introspectionEndpoint: string;
  /** The one client, with the certificate that it connects with. */
  client: { entityId: string; x5tS256: string; certificate: string };
  /** A token that it gives to its client, bound to the certificate. */
  token(): Promise<string>;
  /** A JWT with claims of the test, signed as its access tokens are. */
  sign(claims: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

/** Its TLS certificate is {@link TEST_TLS_CERTIFICATE}. @param tokenFormat opaque ones can be introspected, and no others */
export async function startAuthorizationServer(tokenFormat: 'jwt' | 'opaque'): Promise<TestAuthorizationServer> {
  const port = await freePort();
  const issuer = `https://localhost:${port}`;
  const audience = 'https://api.example/accounts';
  // Needs to be form-encoded before it goes into the header.
  const secret = 'a secret: 100% of it + more/';
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateJwk = { ...privateKey.export({ format: 'jwk' }), kid: 'tokens', use: 'sig', alg: 'ES256' };
  const key = ecKey();
  const leaf = certificate({ key });
  const own = { cert: pem(leaf), key: key.privateKey.export({ format: 'pem', type: 'pkcs8' }) };
  const entityId = 'https://rp.example';
  const x5c = [leaf.toString('base64')];
  const metadata = {
    jwks: { keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'transport', x5c }] },
    scope: 'accounts',
  };
  const server = createAuthorizationServer({
    ...{ issuer, tls: { key: TEST_TLS_KEY, cert: TEST_TLS_CERTIFICATE }, jwks: { keys: [privateJwk] } },
    api: { audience, scope: 'accounts', tokenFormat, secret },
    registry: {
      findClient: async (id) => (id === entityId ? metadata : undefined),
      requireAdmission: async () => {},
    },
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { kty = '', crv = '', x = '', y = '', kid } = privateJwk;
  return {
    ...{ issuer, audience, secret, jwksUri: `${issuer}/jwks`, introspectionEndpoint: `${issuer}/token/introspection` },
    jwks: { keys: [{ kty, crv, x, y, kid }] },
    client: { entityId, x5tS256: hash('sha256', leaf, 'base64url'), certificate: own.cert },
    token: async () => {
      const form = { grant_type: 'client_credentials', client_id: entityId, scope: 'accounts' };
      const { access_token: token, ...refusal } = JSON.parse(await post(`${issuer}/token`, form, own));
      if (typeof token !== 'string') throw new Error(`no token: ${JSON.stringify(refusal)}`);
      return token;
    },
    sign: async (claims, header = {}) =>
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'tokens', ...header })
        .sign(await importJWK(privateJwk, 'ES256')),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function post(url: string, form: Record<string, string>, own: { cert: string; key: string | Buffer }) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const sent = request(url, { method: 'POST', agent: false, ca: TEST_TLS_CERTIFICATE, headers, ...own }, resolve);
  sent.once('error', reject);
  sent.end(new URLSearchParams(form).toString());
  return await text(await promise);
}
