/** How callers prove who they are, as the OpenAPI document names it. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { BEARER_SCHEME } from './api/exchange.ts';

export const ENFORCEMENT_POINT_SCHEME = 'enforcementPoint';
export const CLIENT_CERTIFICATE_SCHEME = 'clientCertificate';
export const CERTIFICATE_CODE_SCHEME = 'certificateCode';

type SecurityScheme = Parameters<OpenAPIHono['openAPIRegistry']['registerComponent']>[2];

export const SECURITY_SCHEMES: Readonly<Record<string, SecurityScheme>> = {
  [BEARER_SCHEME]: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token: `holdfast token create`, or `POST /api/v1/tokens`.',
  },
  [ENFORCEMENT_POINT_SCHEME]: {
    type: 'apiKey',
    in: 'header',
    name: 'Holdfast-Enforcement-Point',
    description: 'The token of an enforcement point: `holdfast enforcement-point add`.',
  },
  [CLIENT_CERTIFICATE_SCHEME]: {
    type: 'mutualTLS',
    description: 'The client certificate of the connection, at the port that asks for one (`HOLDFAST_MTLS_PORT`).',
  },
  [CERTIFICATE_CODE_SCHEME]: {
    type: 'http',
    scheme: 'basic',
    description: 'Any user name, and as password a code: `holdfast certificate code`.',
  },
};
