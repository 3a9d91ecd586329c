/** Enrolment over Secure Transport: certificates for whoever has a code, or the certificate before. @see RFC 7030, RFC 8951 */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context, Hono } from 'hono';
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import { writeCertificateRequestAttributes } from '../../pki/cms/certificate-request-attributes.ts';
import { writeCertsOnly } from '../../pki/cms/certs-only.ts';
import { invalidField, RegistryError } from '../../registry/registry-error.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { problems } from '../api/exchange.ts';
import { RecordIdSchema } from '../api/record-schema.ts';
import type { ClientQuotas } from '../federation/client-quotas.ts';
import { Exchange } from '../federation/exchange.ts';
import { readBody } from '../federation/form-body.ts';
import { RequestTooLarge } from '../federation/request-too-large.ts';
import { TryAgainLater } from '../federation/try-again-later.ts';
import { requestCertificateOf } from '../peer-certificate.ts';
import { HttpProblem } from '../problem.ts';
import { CERTIFICATE_CODE_SCHEME, CLIENT_CERTIFICATE_SCHEME } from '../security-schemes.ts';
import { decodeBase64Body, encodeBase64Body } from './base64-body.ts';
import { codeOf } from './basic-credentials.ts';

/** What came of a request for a certificate. */
export interface EstOutcome {
  entityIdentifier: EntityIdentifier;
  /** DER; null while somebody has to approve it. */
  certificate: Uint8Array | null;
}

export interface EstRequest {
  /** Id of the certification authority that is asked; undefined where the path names none. */
  certificationAuthorityId: string | undefined;
  /** PKCS#10 in DER. */
  request: Uint8Array;
  /** Of the HTTP request. */
  requestId: string;
}

export interface EstDependencies {
  /**
   * DER of the certificate of a certification authority, then of those above it.
   * @throws RegistryError not_found
   */
  chainOf: (certificationAuthorityId: string | undefined) => Promise<readonly Uint8Array[]>;
  /** @throws RegistryError as requestWithCode */
  enrol: (asked: EstRequest & { code: string }) => Promise<EstOutcome>;
  /** @throws RegistryError as reenrol */
  reenrol: (asked: EstRequest & { x5tS256: string }) => Promise<EstOutcome>;
  quotas: ClientQuotas;
}

/** How long to wait for somebody to approve a request (RFC 7030 §4.2.3), in seconds. */
const APPROVAL_RETRY_SECONDS = 300;

/** Room for a large request in base64 with line breaks. */
const MAX_BODY_BYTES = 32 * 1024;

const PKCS10 = 'application/pkcs10';
const PKCS7 = 'application/pkcs7-mime';
const CSR_ATTRIBUTES = 'application/csrattrs';

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer' as const } },
};
const CHALLENGE = {
  'WWW-Authenticate': {
    description: 'What counts here.',
    schema: { type: 'string' as const, example: 'Basic realm="holdfast", charset="UTF-8"' },
  },
};
const USUAL = problems(400, 401, 403, 404, 409, 413, 415, 422, 429);
const { 404: NOT_FOUND, 500: FAULT } = USUAL;
const AWAY = { ...USUAL[503], headers: RETRY_AFTER };
const REFUSALS = {
  ...USUAL,
  400: { ...USUAL[400], description: 'The body is no request for a certificate; `code` and `detail` say why.' },
  401: {
    ...USUAL[401],
    description: 'No code, or none that counts; no client certificate, or none that may be renewed: `code_invalid`.',
    headers: CHALLENGE,
  },
  403: { ...USUAL[403], description: 'The application, or its organisation, is not active: `not_active`.' },
  413: { ...USUAL[413], description: `The body has more than ${MAX_BODY_BYTES} bytes: \`payload_too_large\`.` },
  415: { ...USUAL[415], description: `The body is not \`${PKCS10}\`: \`unsupported_media_type\`.` },
  429: {
    ...USUAL[429],
    description: 'Too many proofs from this address failed: `too_many_requests`.',
    headers: RETRY_AFTER,
  },
  503: AWAY,
};
const ENCODING = {
  'Content-Transfer-Encoding': { description: '`base64`', schema: { type: 'string' as const, example: 'base64' } },
};
const WAITING = {
  description: 'It waits to be approved: send the same request again after `Retry-After` seconds.',
  headers: RETRY_AFTER,
  content: { 'text/plain': { schema: z.string() } },
};
const REQUEST_BODY = {
  required: true,
  content: { [PKCS10]: { schema: z.string().openapi({ description: 'PKCS#10, base64 of DER.' }) } },
};

const GIVEN_CERTIFICATE = 'The certificate alone, in signed data of CMS with nothing signed: base64 of DER.';

interface EstOperation {
  name: 'cacerts' | 'csrattrs' | 'simpleenroll' | 'simplereenroll';
  operationId: string;
  summary: string;
  description: string;
  /** What the body of the answer is, base64. */
  given: string;
  /** Names of security schemes; none: for everybody. */
  proof?: string;
  answer: (c: Context<ApiEnv>, dependencies: EstDependencies) => Promise<Response>;
}

const OPERATIONS: readonly EstOperation[] = [
  {
    name: 'cacerts',
    operationId: 'readEstAuthorityCertificates',
    given: 'Its certificate and those above it, in signed data of CMS with nothing signed: base64 of DER.',
    summary: 'Read the certificate of the certification authority and those above it',
    description: 'RFC 7030 §4.1. Compare the last one with what you know of it before you believe it. Needs no token.',
    answer: async (c, { chainOf }) => {
      const chain = await chainOf(labelOf(c));
      return c.body(encodeBase64Body(writeCertsOnly(chain)), 200, headersOf(PKCS7));
    },
  },
  {
    name: 'csrattrs',
    operationId: 'readEstRequestAttributes',
    given: '`CsrAttrs` of RFC 7030 §4.5.2: base64 of DER.',
    summary: 'Read what a request should have',
    description: 'RFC 7030 §4.5: a key on P-256. What else a request says of its subject is not taken over.',
    answer: async (c) => c.body(encodeBase64Body(writeCertificateRequestAttributes()), 200, headersOf(CSR_ATTRIBUTES)),
  },
  {
    name: 'simpleenroll',
    operationId: 'enrolByEst',
    given: GIVEN_CERTIFICATE,
    proof: CERTIFICATE_CODE_SCHEME,
    summary: 'Get the first certificate with a code',
    description:
      'RFC 7030 §4.2. The code (`holdfast certificate code`) is the password of HTTP Basic authentication, under any user name. It is for one application and one use of the certificate, good for one request within 24 hours; the same request may be sent again until then.',
    answer: async (c, dependencies) => {
      const code = codeOf(c.req.header('authorization'));
      return await asEst(c, dependencies, (asked) => dependencies.enrol({ ...asked, code }));
    },
  },
  {
    name: 'simplereenroll',
    operationId: 'reenrolByEst',
    given: GIVEN_CERTIFICATE,
    proof: CLIENT_CERTIFICATE_SCHEME,
    summary: 'Renew the certificate of this connection',
    description:
      'RFC 7030 §4.2.2. At the port that asks clients for a certificate (`HOLDFAST_MTLS_PORT`): it has to be one that was issued here, that counts, and whose application is active. The request has a new key and the same subject, or none. The old certificate goes on counting beside the new one for the time that the certification authority sets.',
    answer: async (c, dependencies) => {
      const certificate = requestCertificateOf(c.env);
      if (certificate === undefined) {
        const message =
          'there is no client certificate: renew at the port that asks for one (HOLDFAST_MTLS_PORT), with the certificate that is to be renewed';
        throw new RegistryError('code_invalid', message);
      }
      const { x5tS256 } = certificate;
      return await asEst(c, dependencies, (asked) => dependencies.reenrol({ ...asked, x5tS256 }));
    },
  },
];

const BASE = '/.well-known/est';
const LABEL = z.object({
  certificationAuthorityId: RecordIdSchema.openapi({ description: 'Id of a certification authority: the label.' }),
});

/** Without a label they are of the only certification authority that is active here. */
export const EST_ROUTES: readonly RouteConfig[] = OPERATIONS.flatMap((operation) => [
  routeOf(operation, `${BASE}/${operation.name}`),
  routeOf(operation, `${BASE}/{certificationAuthorityId}/${operation.name}`),
]);

export function mountEst(app: Hono<ApiEnv>, dependencies: () => EstDependencies): void {
  for (const { name, answer } of OPERATIONS) {
    const paths = [`${BASE}/${name}`, `${BASE}/:certificationAuthorityId/${name}`];
    app.on(methodOf(name), paths, (c) => answer(c, dependencies()));
  }
}

function routeOf({ name, operationId, summary, description, given, proof }: EstOperation, path: string): RouteConfig {
  const isLabelled = path.includes('{');
  const isQuestion = methodOf(name) === 'get';
  const mediaType = name === 'csrattrs' ? CSR_ATTRIBUTES : PKCS7;
  const reply = { description: given, headers: ENCODING, content: { [mediaType]: { schema: z.string() } } };
  // Attributes are the same for all: neither the label nor the database is asked.
  const refusals: RouteConfig['responses'] =
    name === 'csrattrs' ? { 500: FAULT } : { 404: NOT_FOUND, 500: FAULT, 503: AWAY };
  const responses: RouteConfig['responses'] = isQuestion
    ? { 200: reply, ...refusals }
    : { 200: reply, 202: WAITING, ...REFUSALS };
  return createRoute({
    method: methodOf(name),
    path,
    operationId: isLabelled ? `${operationId}WithLabel` : operationId,
    tags: ['EST'],
    summary,
    description,
    security: proof === undefined ? [] : [{ [proof]: [] }],
    request: { ...(isLabelled && { params: LABEL }), ...(!isQuestion && { body: REQUEST_BODY }) },
    responses,
  });
}

function methodOf(name: EstOperation['name']): 'get' | 'post' {
  return name === 'cacerts' || name === 'csrattrs' ? 'get' : 'post';
}

/** What fails counts against the address, so that guessing ends before it costs much: then no body is read. */
async function asEst(
  c: Context<ApiEnv>,
  { quotas }: EstDependencies,
  ask: (asked: EstRequest) => Promise<EstOutcome>,
): Promise<Response> {
  const exchange = new Exchange(c.req.raw, c.env);
  let outcome: EstOutcome | undefined;
  try {
    await quotas.identify(exchange, async () => {
      outcome = await ask(await requestOf(c));
      return { kind: 'entity', entityIdentifier: outcome.entityIdentifier };
    });
  } catch (error) {
    if (!(error instanceof TryAgainLater && error.status === 429)) throw error;
    const headers = { ...exchange.headers, 'retry-after': String(error.retryAfterSeconds) };
    throw new HttpProblem('too_many_requests', error.message, headers);
  }
  const certificate = outcome?.certificate ?? null;
  if (certificate !== null) {
    return exchange.complete(c.body(encodeBase64Body(writeCertsOnly([certificate])), 200, headersOf(PKCS7)));
  }
  const waiting = 'this request waits to be approved; send it again later\n';
  return exchange.complete(
    c.body(waiting, 202, { 'content-type': 'text/plain', 'retry-after': String(APPROVAL_RETRY_SECONDS) }),
  );
}

async function requestOf(c: Context<ApiEnv>): Promise<EstRequest> {
  const request = decodeBase64Body(await textOf(c.req.raw));
  if (request === undefined) throw invalidField('', 'is a request of PKCS#10 in base64');
  return { certificationAuthorityId: labelOf(c), request, requestId: c.get('requestId') };
}

/** @throws HttpProblem payload_too_large, unsupported_media_type */
async function textOf(request: Request): Promise<string> {
  try {
    return await readBody(request, PKCS10, MAX_BODY_BYTES);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const code = error instanceof RequestTooLarge ? 'payload_too_large' : 'unsupported_media_type';
    throw new HttpProblem(code, error.message);
  }
}

/** @throws RegistryError not_found */
function labelOf(c: Context<ApiEnv>): string | undefined {
  const label = c.req.param('certificationAuthorityId');
  if (label === undefined || RecordIdSchema.safeParse(label).success) return label;
  throw new RegistryError('not_found', 'the label is the id of a certification authority; see `holdfast ca list`');
}

/** Some clients know no other encoding than the one that is named (RFC 7030 §4.1.3). */
function headersOf(contentType: string): Record<string, string> {
  const type = contentType === PKCS7 ? `${PKCS7}; smime-type=certs-only` : contentType;
  return { 'content-type': type, 'content-transfer-encoding': 'base64' };
}
