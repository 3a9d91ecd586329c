/**
 * Requests of gateways that no package has for our machines, as their documentation says that they send them: for
 * Envoy its ext_authz filter with an HTTP service, for Traefik its forwardAuth and passTLSClientCert middlewares.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { certificateWith } from '../../support/admission.ts';
import {
  type AdmissionDoors,
  openAdmissionDoors,
  POINT,
  POINT_TOKEN,
  sha256,
  stateWith,
} from '../../support/admission-doors.ts';
import { certificate, pem } from '../../support/certificates.ts';

const DER = certificate();
const REGISTERED = { certificates: [certificateWith({ x5tS256: sha256(DER) })] };
const IDENTITY = ['participant', 'application', 'organisation', 'on-behalf-of', 'roles', 'seq', 'valid-until'];
const CERTIFICATE_HEADERS = [
  ...['client-cert', 'client-cert-chain', 'x-ssl-client-cert', 'x-forwarded-client-cert'],
  ...['x-forwarded-tls-client-cert', 'x-forwarded-tls-client-cert-info'],
];

function configuration(file: string) {
  return parse(readFileSync(new URL(`../../../gateways/${file}`, import.meta.url), 'utf8'));
}

let doors: AdmissionDoors;
beforeAll(async () => {
  doors = await openAdmissionDoors(stateWith([POINT]));
});
afterAll(() => doors[Symbol.asyncDispose]());

/** @param lines the head of the request as it goes over the wire */
async function answerTo(form: 'xfcc' | 'traefik', lines: readonly string[]): Promise<{ status: number; head: string }> {
  doors.state = stateWith([{ ...POINT, certificateHeader: form }], REGISTERED);
  const [first = '', ...headers] = lines;
  const head = [first, ...headers, `holdfast-enforcement-point: ${POINT_TOKEN}`, 'connection: close'];
  const answer = await doors.send(`${head.join('\r\n')}\r\n\r\n`);
  return { status: Number(answer.split(' ')[1]), head: answer.toLowerCase() };
}

describe('[F41] Envoy, contract-tested', () => {
  const { mutations, authz, manager } = envoyFilters();
  const hash = Buffer.from(sha256(DER), 'base64url').toString('hex');
  const xfcc = `x-forwarded-client-cert: Hash=${hash};Cert="${encodeURIComponent(pem(DER))}"`;
  // The method, and the path behind the prefix, of the original request; no body.
  const original = (method: string, path: string) => [
    `${method} ${authz.http_service.path_prefix}${path} HTTP/1.1`,
    'host: api.example',
    'content-length: 0',
    'x-envoy-internal: true',
    'x-forwarded-for: 10.0.0.1',
    'x-envoy-expected-rq-timeout-ms: 2000',
  ];

  it('lets a participant in, whatever it asks for', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { status, head } = await answerTo('xfcc', [...original(method, '/accounts?from=1&to=%C3%A4'), xfcc]);
      expect(status).toBe(200);
      for (const name of IDENTITY) expect(head).toContain(`\r\nholdfast-${name}: `);
    }
  });

  it('refuses nobody, a stranger, and what is from two proxies', async () => {
    expect((await answerTo('xfcc', original('GET', '/'))).status).toBe(401);
    const stranger = certificate();
    const other = `Hash=${Buffer.from(sha256(stranger), 'base64url').toString('hex')};Cert="${encodeURIComponent(pem(stranger))}"`;
    expect((await answerTo('xfcc', [...original('GET', '/'), `x-forwarded-client-cert: ${other}`])).status).toBe(403);
    expect((await answerTo('xfcc', [...original('GET', '/'), `${xfcc},${other}`])).status).toBe(403);
  });

  it('is set up to replace what clients send, and to fail closed', () => {
    expect(authz).toMatchObject({ failure_mode_allow: false, status_on_error: { code: 'Forbidden' } });
    expect(manager).toMatchObject({
      forward_client_cert_details: 'SANITIZE_SET',
      set_current_client_cert_details: { cert: true },
      route_config: { request_headers_to_remove: ['x-forwarded-client-cert'] },
    });
    const removed = mutations.mutations.request_mutations.map(({ remove }: { remove: string }) => remove);
    // No tunnels; and a refusal says why, so that the canary learns something.
    expect(manager).not.toHaveProperty('upgrade_configs');
    const { allowed_client_headers: shown } = authz.http_service.authorization_response;
    expect(shown).toEqual({ patterns: [{ exact: 'holdfast-reason' }] });
    const others = CERTIFICATE_HEADERS.filter((name) => name !== 'x-forwarded-client-cert');
    expect(removed).toEqual(expect.arrayContaining([...IDENTITY.map((name) => `holdfast-${name}`), ...others]));
  });
});

function envoyFilters() {
  const [listener] = configuration('envoy/envoy.yaml').static_resources.listeners;
  const manager = listener.filter_chains[0].filters[0].typed_config;
  const [mutations, authz] = manager.http_filters.map((filter: { typed_config: object }) => filter.typed_config);
  return { manager, mutations, authz };
}

describe('[F41] Traefik, contract-tested', () => {
  const { routers, middlewares } = configuration('traefik/holdfast.yml').http;
  // A GET without body, what was asked for in headers, and of the others those that are allowed.
  const original = [
    `GET ${new URL(middlewares.holdfast.forwardAuth.address).pathname} HTTP/1.1`,
    'Host: holdfast.internal:8443',
    'User-Agent: Go-http-client/1.1',
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Host: api.example',
    'X-Forwarded-Method: POST',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Uri: /accounts?a=b',
    'Accept-Encoding: gzip',
  ];
  const header = 'X-Forwarded-Tls-Client-Cert';

  it('lets a participant in, escaped as before 2.10 or not', async () => {
    const base64 = DER.toString('base64');
    for (const value of [base64, encodeURIComponent(base64)]) {
      const { status, head } = await answerTo('traefik', [...original, `${header}: ${value}`]);
      expect(status).toBe(200);
      for (const name of IDENTITY) expect(head).toContain(`\r\nholdfast-${name}: `);
    }
  });

  it('refuses nobody and a stranger', async () => {
    expect((await answerTo('traefik', original)).status).toBe(401);
    const stranger = certificate().toString('base64');
    expect((await answerTo('traefik', [...original, `${header}: ${stranger}`])).status).toBe(403);
  });

  it('is set up to replace what clients send', () => {
    const order = ['holdfast-strip', 'holdfast-certificate', 'holdfast', 'holdfast-strip-certificate'];
    expect(routers.api.middlewares).toEqual(order);
    const stripped = middlewares['holdfast-strip'].headers.customRequestHeaders;
    const names = Object.keys(stripped).map((name) => name.toLowerCase());
    const others = ['holdfast-enforcement-point', 'upgrade', 'connection'];
    expect(names).toEqual(expect.arrayContaining([...CERTIFICATE_HEADERS, ...others]));
    expect(new Set(Object.values(stripped))).toEqual(new Set(['']));
    const { authResponseHeadersRegex, trustForwardHeader } = middlewares.holdfast.forwardAuth;
    expect(trustForwardHeader).toBeUndefined();
    for (const name of [...IDENTITY.map((one) => `Holdfast-${one}`), ...CERTIFICATE_HEADERS]) {
      for (const spelling of [name, name.replace('-', '_'), name.replaceAll('-', '_')]) {
        expect(spelling).toMatch(new RegExp(authResponseHeadersRegex));
      }
    }
    expect('X-Client').not.toMatch(new RegExp(authResponseHeadersRegex));
  });
});
