/** The floor of HTTP figures: a process with a bare Hono handler; floor.ts starts it and says what to answer. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import {
  CompactSign,
  type CryptoKey,
  compactVerify,
  decodeProtectedHeader,
  generateKeyPair,
  importJWK,
  jwtVerify,
} from 'jose';
import type { BareAnswer, BareServerStarted, PostedJson } from './floor.ts';

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
process.once('message', async (answer: BareAnswer) => {
  const app = new Hono();
  const { path, headers, verifies } = answer;
  if (answer.isSignedEachTime) {
    const sign = await signer(String(answer.body));
    if (verifies === undefined) app.get(path, async () => new Response(await sign(), { headers }));
    else {
      const verify = await verifier(verifies);
      app.post(path, async (c) => {
        await verify(await c.req.text());
        return new Response(await sign(), { headers });
      });
    }
  } else if (answer.json !== undefined) {
    const payload = String(answer.body);
    const verify = await tokenVerifier(answer.json);
    app.post(path, async (c) => {
      const body = await c.req.json();
      if (verify !== undefined) await verify(body.token);
      return new Response(payload, { headers });
    });
  } else if (answer.signsBytes === true) {
    const payload = new Uint8Array(Buffer.from(answer.body));
    const { privateKey } = await generateKeyPair('ES256');
    app.get(path, async () => {
      await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, payload);
      return new Response(payload, { headers });
    });
  } else if (answer.isUnchanged === true) {
    app.get(path, () => new Response(null, { status: 304, headers }));
  } else {
    // A message brings a Uint8Array; the service holds texts as strings and lists as bytes.
    const payload = typeof answer.body === 'string' ? answer.body : new Uint8Array(answer.body);
    // Quicker than c.body(), which makes a Headers object.
    app.get(path, () => new Response(payload, { headers }));
  }
  serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
    const started: BareServerStarted = { port };
    process.send?.(started);
  });
});

/** Signs the payload and header of a JWT over and over, both ready as they are. */
async function signer(jwt: string): Promise<() => Promise<string>> {
  const { privateKey }: { privateKey: CryptoKey } = await generateKeyPair('ES256');
  const header = { ...decodeProtectedHeader(jwt), alg: 'ES256' };
  const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url');
  return () => new CompactSign(payload).setProtectedHeader(header).sign(privateKey);
}

/** Verifies the JWT in a form. */
async function verifier({
  parameter,
  key,
}: NonNullable<BareAnswer['verifies']>): Promise<(form: string) => Promise<unknown>> {
  const publicKey = await importJWK(key);
  return (form) => compactVerify(new URLSearchParams(form).get(parameter) ?? '', publicKey);
}

/** Verifies an access token as resource servers do. */
async function tokenVerifier({ token }: PostedJson): Promise<((jwt: string) => Promise<unknown>) | undefined> {
  if (token === undefined) return undefined;
  const { key, issuer, audience } = token;
  const publicKey = await importJWK(key);
  return (jwt) => jwtVerify(jwt, publicKey, { issuer, audience });
}
