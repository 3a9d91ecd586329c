/** The certificate of a certification authority, and those above it, for everybody: other certificates name the place. */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { Context, Hono } from 'hono';
import { encodePem } from '../../pki/pem.ts';
import type { CertifiedAuthorityRow } from '../../registry/certification/certification-authority.ts';
import { readCertifiedAuthority } from '../../registry/certification/read-certification-authority.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { Db } from '../../storage/connect.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { problems } from '../api/exchange.ts';
import { recordIdParam } from '../api/record-schema.ts';
import { matches } from '../federation/public-answer.ts';

/** Another one takes its place once in years; whoever has the old one can work with it. */
const MAX_AGE_SECONDS = 3600;

const HEADERS = {
  ETag: { description: 'Strong; for `If-None-Match`.', schema: { type: 'string' as const } },
  'Cache-Control': {
    description: 'An hour.',
    schema: { type: 'string' as const, example: `public, max-age=${MAX_AGE_SECONDS}` },
  },
};
const { 404: NOT_FOUND, 500: FAULT, 503: AWAY } = problems(404);
const PARAMS = recordIdParam('certificationAuthorityId');
const BYTES = z.string().openapi({ format: 'binary', description: 'DER.' });
const TEXT = z.string().openapi({ description: 'PEM, its own certificate first, the root last.' });

interface Published {
  route: RouteConfig & { getRoutingPath(): string };
  contentType: string;
  body: (authority: CertifiedAuthorityRow) => Uint8Array<ArrayBuffer> | string;
}

const PUBLISHED: readonly Published[] = [
  {
    route: routeOf('certificate', {
      operationId: 'readIssuerCertificate',
      summary: 'Download the certificate of a certification authority',
      description:
        '`caIssuers` of what it issued (RFC 5280 §4.2.2.1). Proves nothing by itself: who believes it has it from elsewhere. Needs no token.',
      content: { 'application/pkix-cert': { schema: BYTES } },
    }),
    contentType: 'application/pkix-cert',
    body: ({ x5c: [own = ''] }) => new Uint8Array(Buffer.from(own, 'base64')),
  },
  {
    route: routeOf('chain.pem', {
      operationId: 'readIssuerChain',
      summary: 'Download the chain of a certification authority',
      description:
        'Its certificate and those above it, for the configuration of servers. Proves nothing by itself. Needs no token.',
      content: { 'application/pem-certificate-chain': { schema: TEXT } },
    }),
    contentType: 'application/pem-certificate-chain',
    body: ({ x5c }) => x5c.map((certificate) => encodePem(Buffer.from(certificate, 'base64'))).join(''),
  },
];

export const CERTIFICATION_AUTHORITY_ROUTES: readonly RouteConfig[] = PUBLISHED.map(({ route }) => route);

export function mountCertificationAuthorities(app: Hono<ApiEnv>, db: Db): void {
  for (const published of PUBLISHED) {
    app.get(published.route.getRoutingPath(), (c) => answer(c, db, published));
  }
}

function routeOf(
  file: string,
  { content, ...texts }: Pick<RouteConfig, 'operationId' | 'summary' | 'description'> & { content: object },
) {
  return createRoute({
    method: 'get',
    path: `/ca/{certificationAuthorityId}/${file}`,
    ...texts,
    tags: ['Certification authorities'],
    security: [],
    request: { params: PARAMS },
    responses: {
      200: { description: 'As it is now.', headers: HEADERS, content },
      304: { description: 'Still as `If-None-Match` knows it.', headers: HEADERS },
      404: NOT_FOUND,
      500: FAULT,
      503: AWAY,
    },
  });
}

async function answer(c: Context<ApiEnv>, db: Db, { contentType, body }: Published): Promise<Response> {
  const id = c.req.param('certificationAuthorityId') ?? '';
  const authority = await readCertifiedAuthority(db, id);
  if (authority === undefined) {
    throw new RegistryError('not_found', 'there is no certification authority with a certificate under this id');
  }
  const headers = {
    etag: `"${authority.x5tS256}-${authority.x5c.length}"`,
    'cache-control': `public, max-age=${MAX_AGE_SECONDS}`,
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  };
  if (matches(c.req.header('if-none-match') ?? null, headers.etag)) return c.body(null, 304, headers);
  return c.body(body(authority), 200, { ...headers, 'content-type': contentType });
}
