/** `/ca/{id}/ocsp` in the OpenAPI document; the door before the framework answers it. */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import { recordIdParam } from '../api/record-schema.ts';

const DER = z.string().openapi({ format: 'binary', description: 'DER.' });
const ANSWER =
  'Good, revoked with its reason, or unknown for a serial number that was never given; signed by a responder for this alone, with its certificate. Certificates of somebody else are `unauthorized`, what is no request is `malformedRequest`, and what cannot be told, or signed, for the moment is `tryLater`: each a successful answer of HTTP (RFC 6960 Appendix A). At most ten certificates a request, a nonce of at most 32 bytes (RFC 8954). Needs no token.';
const HEADERS = {
  'X-Registry-Seq': {
    description: 'The answer holds every change up to this one.',
    schema: { type: 'integer' as const, example: 42 },
  },
};
const CACHED = {
  ...HEADERS,
  ETag: { description: 'Strong; for `If-None-Match`.', schema: { type: 'string' as const } },
  'Cache-Control': {
    description: 'At most a minute; with a nonce nobody keeps it.',
    schema: { type: 'string' as const, example: 'public, max-age=60, no-transform, must-revalidate' },
  },
};
const REPLY = { description: 'OCSPResponse.', content: { 'application/ocsp-response': { schema: DER } } };
const PARAMS = recordIdParam('certificationAuthorityId');
const SHARED = { tags: ['Certification authorities'], security: [], description: ANSWER };

export const OCSP_ROUTES: readonly RouteConfig[] = [
  createRoute({
    ...SHARED,
    method: 'post',
    path: '/ca/{certificationAuthorityId}/ocsp',
    operationId: 'askOcspResponder',
    summary: 'Ask for the status of a certificate (OCSP)',
    request: {
      params: PARAMS,
      body: { required: true, content: { 'application/ocsp-request': { schema: DER } } },
    },
    responses: { 200: { ...REPLY, headers: CACHED }, 413: { description: 'The request has more than 16 KiB.' } },
  }),
  createRoute({
    ...SHARED,
    method: 'get',
    path: '/ca/{certificationAuthorityId}/ocsp/{request}',
    operationId: 'readOcspResponse',
    summary: 'Read the status of a certificate (OCSP)',
    request: {
      params: PARAMS.extend({
        request: z.string().openapi({ description: 'The request: base64 of its DER, URL-encoded.' }),
      }),
    },
    responses: {
      200: { ...REPLY, headers: CACHED },
      304: { description: 'Still as `If-None-Match` knows it.', headers: CACHED },
    },
  }),
];
