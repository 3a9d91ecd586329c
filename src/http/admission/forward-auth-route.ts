/** `/api/v1/admission/http` in the OpenAPI document; the door before the framework answers it. */
import { createRoute, z } from '@hono/zod-openapi';
import { DENY_REASON_NAMES } from '../../admission/deny-reasons.ts';
import { CERTIFICATE_HEADER_REASONS } from '../../pki/headers/header-error.ts';
import { CLIENT_CERTIFICATE_SCHEME, ENFORCEMENT_POINT_SCHEME } from '../security-schemes.ts';
import { FORWARD_AUTH_FAILURES } from './forward-auth-answer.ts';
import { FORWARD_AUTH_PATH } from './forward-auth-door.ts';

const RefusalSchema = z
  .object({
    reasons: z.array(z.enum([...DENY_REASON_NAMES, ...FORWARD_AUTH_FAILURES])).min(1),
    detail: z.enum(CERTIFICATE_HEADER_REASONS).optional().openapi({
      description: 'What is wrong with the header that should have had the certificate.',
    }),
  })
  .openapi('ForwardAuthRefusal', { description: 'Some gateways hand it on to the client.' });

const text = (description: string, example?: string) => ({
  description,
  schema: { type: 'string' as const, ...(example !== undefined && { example }) },
});

const IDENTITY = {
  'Holdfast-Participant': text('Entity Identifier of the application.', 'https://rp.example.edu'),
  'Holdfast-Application': text('Its id.'),
  'Holdfast-Organisation': text('Id of the organisation that is responsible for it.'),
  'Holdfast-On-Behalf-Of': text('Id of the organisation that it acts for; empty: for its own.'),
  'Holdfast-Roles': text('Names of its roles, URL-encoded, with commas in between; empty: none.', 'payments,accounts'),
  'Holdfast-Seq': text('The change of the registry as of which that was decided.', '42'),
  'Holdfast-Valid-Until': text('Nobody keeps the decision for longer.', '2027-01-15T08:00:30.000Z'),
};

const REFUSAL = {
  headers: {
    'Holdfast-Reason': text('The reasons, with commas in between.', 'suspended'),
    'Holdfast-Detail': text('`detail` of the body.'),
    'Holdfast-Seq': text('The change of the registry as of which that was decided; missing where nothing was.', '42'),
  },
  content: { 'application/json': { schema: RefusalSchema } },
};

const DESCRIPTION = `For gateways, before each request: with any method and at any path below this one, since some send those of the original request, and all are answered alike. Bodies are not read. The enforcement point proves who it is by the token of its record in \`Holdfast-Enforcement-Point\`, by its client certificate, or by the socket that is its own. No other status is ever given, whatever happens.`;

export const FORWARD_AUTH_ROUTE = createRoute({
  method: 'get',
  path: FORWARD_AUTH_PATH,
  operationId: 'askForwardAuth',
  tags: ['Admission'],
  summary: 'Ask whether a request may pass',
  description: DESCRIPTION,
  security: [{ [ENFORCEMENT_POINT_SCHEME]: [] }, { [CLIENT_CERTIFICATE_SCHEME]: [] }],
  request: {
    headers: z.object({
      authorization: z.string().optional().openapi({ description: "The client's access token: `Bearer` or `DPoP`." }),
      'holdfast-on-behalf-of': z.string().optional().openapi({
        description: 'Id of the organisation that the client says it acts for.',
      }),
      'client-cert': z.string().optional().openapi({
        description:
          "The client's certificate, in the one form that the enforcement point's record names: `Client-Cert` (RFC 9440), `X-SSL-Client-Cert`, `X-Forwarded-Client-Cert` or `X-Forwarded-TLS-Client-Cert`. One of another form beside it is refused.",
      }),
    }),
  },
  responses: {
    200: { description: 'It may pass. No body; a gateway hands on all of these headers.', headers: IDENTITY },
    401: {
      ...REFUSAL,
      description:
        'There is no client certificate (`certificate_missing`), or whoever asks is no enforcement point (`enforcement_point_unknown`).',
    },
    403: { ...REFUSAL, description: 'It may not pass, or nobody can tell.' },
  },
});
