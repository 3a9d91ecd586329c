/** The endpoints that subordinates use about themselves, for the OpenAPI document: Holdfast's own. */
import { type RouteConfig, z } from '@hono/zod-openapi';
import { CLIENT_ASSERTION_TYPE } from '../../federation/client-assertion.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import { SUBORDINATE_ENDPOINT_PATHS } from '../../issuance/authority-endpoints.ts';
import { PublicEnrolmentSchema } from '../federation/enrolment-request.ts';
import { errorReply, FEDERATION_TAG, SERVERS } from './federation-paths.ts';

const KidsSchema = z.array(z.string());

const PushedKeysSchema = z.object({
  sub: z.string(),
  registered: KidsSchema.openapi({ description: '`kid`s that are registered from now on.' }),
  added: KidsSchema,
  removed: KidsSchema,
});

const RefreshedSchema = z.object({
  sub: z.string(),
  outcome: z.enum(['followed', 'unchanged', 'older', 'unknown_key', 'unavailable', 'invalid']),
  detail: z.string().nullable().openapi({ description: 'Why, when nothing was taken in.' }),
  proposed: KidsSchema,
  added: KidsSchema,
});

const RequestedMarkSchema = z.object({
  trust_mark_type: z.string(),
  sub: z.string(),
  status: z.enum(['active', 'pending']),
});

const ASSERTION_FORM = z.object({
  client_assertion_type: z.literal(CLIENT_ASSERTION_TYPE),
  client_assertion: z.string().openapi({
    description:
      'A JWT signed with a registered Federation Entity Key of the caller: `iss` and `sub` the caller, `aud` this authority alone, `jti`, and `exp` at most 10 minutes ahead. It is used once.',
    example: 'eyJ0eXAi…',
  }),
});

const AskedEnrolmentSchema = z
  .object({
    id: z.string(),
    entityIdentifier: z.string(),
    state: z.string().openapi({ example: 'submitted' }),
    steps: z.array(
      z.object({ step: z.string(), outcome: z.string(), reason: z.string().optional(), detail: z.string() }),
    ),
    domainChallenge: z
      .object({
        domain: z.string(),
        challenge: z.string(),
        file: z.string().optional().openapi({ description: 'Where a file has the challenge in a line of its own.' }),
        record: z.string().optional().openapi({ description: 'A DNS name whose TXT record is the challenge.' }),
      })
      .optional(),
    lapsesAt: z.string().optional(),
  })
  .openapi('AskedEnrolment');

const COMMON_ERRORS = {
  405: errorReply('A method other than POST: `invalid_request`, with `Allow`.'),
  413: errorReply('The body is too large: `invalid_request`.'),
  429: errorReply('Too many requests that cost work: `temporarily_unavailable`, with `Retry-After`.'),
  500: errorReply('A fault of ours: `server_error`.'),
  503: errorReply('The current state cannot be confirmed: `temporarily_unavailable`, with `Retry-After`.'),
};

const JWK_SET_EXAMPLE = 'eyJ0eXAiOiJqd2stc2V0K2p3dCIs…';

export const SUBORDINATE_PATHS: readonly RouteConfig[] = [
  {
    method: 'post',
    path: SUBORDINATE_ENDPOINT_PATHS.subordinateKeys,
    operationId: 'pushSubordinateKeys',
    tags: [FEDERATION_TAG],
    summary: 'Push the keys of a subordinate',
    description:
      'Replaces the registered Federation Entity Keys of the subordinate that signed: missing ones are removed for good, new ones are added. At least one that counts must be left. With refreshes 20 in ten minutes. Of Holdfast, not of the standard.',
    servers: SERVERS,
    security: [],
    request: {
      body: {
        required: true,
        content: {
          [MEDIA_TYPE.jwkSet]: {
            schema: z.string().openapi({
              description:
                'A signed JWT of type `jwk-set+jwt`, signed with a key that is registered now: `iss` = `sub` the subordinate, `aud` this authority alone, `iat` later than that of the last set and than the last decision about its keys, and not before it became active; `keys`; `exp` if it is to be good for a while only. At most 64 KiB.',
              example: JWK_SET_EXAMPLE,
            }),
          },
        },
      },
    },
    responses: {
      200: { description: 'What is registered now.', content: { [MEDIA_TYPE.json]: { schema: PushedKeysSchema } } },
      400: errorReply(
        'The set is malformed, not newer than the last one, or holds a key that cannot be registered: `invalid_request`.',
      ),
      401: errorReply('No registered key of an active subordinate signed it: `invalid_client`.'),
      ...COMMON_ERRORS,
    },
  },
  {
    method: 'post',
    path: SUBORDINATE_ENDPOINT_PATHS.subordinateRefresh,
    operationId: 'refreshSubordinate',
    tags: [FEDERATION_TAG],
    summary: 'Have the configuration of a subordinate fetched again',
    description:
      'The authority fetches the Entity Configuration of the caller now instead of in its turn, and takes in what it says about keys. Of Holdfast, not of the standard.',
    servers: SERVERS,
    security: [],
    request: { body: { required: true, content: { [MEDIA_TYPE.form]: { schema: ASSERTION_FORM } } } },
    responses: {
      200: { description: 'What came of it.', content: { [MEDIA_TYPE.json]: { schema: RefreshedSchema } } },
      400: errorReply('The body is no form: `invalid_request`.'),
      401: errorReply('The assertion is missing or does not hold: `invalid_client`.'),
      404: errorReply('The caller is no active subordinate that publishes a configuration: `not_found`.'),
      ...COMMON_ERRORS,
    },
  },
  {
    method: 'post',
    path: SUBORDINATE_ENDPOINT_PATHS.trustMarkRequest,
    operationId: 'requestTrustMarkAsEntity',
    tags: [FEDERATION_TAG],
    summary: 'Request a Trust Mark',
    description:
      'The caller asks for a mark of the type. It has it at once where the type approves by itself, else somebody decides; asked again, it says how the request fares. Of Holdfast, not of the standard.',
    servers: SERVERS,
    security: [],
    request: {
      body: {
        required: true,
        content: { [MEDIA_TYPE.form]: { schema: ASSERTION_FORM.extend({ trust_mark_type: z.string() }) } },
      },
    },
    responses: {
      200: { description: 'The mark is active.', content: { [MEDIA_TYPE.json]: { schema: RequestedMarkSchema } } },
      202: { description: 'Somebody has to decide.', content: { [MEDIA_TYPE.json]: { schema: RequestedMarkSchema } } },
      400: errorReply('The type is missing, or the caller is not eligible: `invalid_request`.'),
      401: errorReply('The assertion is missing or does not hold: `invalid_client`.'),
      404: errorReply('No marks of this type are issued here: `not_found`.'),
      ...COMMON_ERRORS,
    },
  },
  {
    method: 'post',
    path: SUBORDINATE_ENDPOINT_PATHS.enrolmentRequest,
    operationId: 'requestEnrolment',
    tags: [FEDERATION_TAG],
    summary: 'Ask to be enrolled',
    description:
      'Signed by a key of its published Entity Configuration, the request runs the steps of the authority at once; asked again while it is open, they run again. As JSON from anybody it is written down and nothing else: it holds no name, its steps run in their turn, and it lapses after 14 days unless a registrar takes it up. Either counts against the quota of the address. Of Holdfast, not of the standard.',
    servers: SERVERS,
    security: [],
    request: {
      body: {
        required: true,
        content: {
          [MEDIA_TYPE.enrolmentRequest]: {
            schema: z.string().openapi({
              description:
                'A signed JWT of type `enrolment-request+jwt`: `iss` = `sub` the entity, `aud` this authority alone, `iat`, `exp` at most 300 s later, `jti` used once; `enrolment` an object with the members of the JSON form but `entityIdentifier`, none required. At most 64 KiB.',
              example:
                'eyJ0eXAiOiJlbnJvbG1lbnQtcmVxdWVzdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJpc3MiOiIuLi4ifQ.sig',
            }),
          },
          [MEDIA_TYPE.json]: { schema: PublicEnrolmentSchema },
        },
      },
    },
    responses: {
      202: {
        description: 'How it stands, and how to go on.',
        content: { [MEDIA_TYPE.json]: { schema: AskedEnrolmentSchema } },
      },
      400: errorReply('The request is malformed: `invalid_request`; the configuration is: `invalid_trust_chain`.'),
      401: errorReply('No published key signed it, or it was used before: `invalid_client`.'),
      404: errorReply('There is no configuration: `not_found`.'),
      ...COMMON_ERRORS,
    },
  },
];
