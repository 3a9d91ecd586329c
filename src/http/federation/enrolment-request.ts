/** Where entities ask to be enrolled: signed by one of their keys, or without any proof. */
import { z } from '@hono/zod-openapi';
import { type Enrolment, flowStep } from '../../enrolment/flow/enrolment.ts';
import {
  type AskedWithoutToken,
  applyingActor,
  publicActor,
  requestPublicly,
  requestSigned,
} from '../../enrolment/flow/request-enrolment.ts';
import { domainPlaces } from '../../enrolment/flow/steps/domain.ts';
import { parseEnrolmentRequest, verifyEnrolmentRequest } from '../../federation/enrolment-request.ts';
import { FederationError, pointer } from '../../federation/errors.ts';
import { type JsonValue, parseJson } from '../../federation/json.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import { validateEntityConfiguration } from '../../federation/statement/validate-statement.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import { MAX_ENTITY_TYPES } from '../../registry/claims-input.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import { isStorable } from '../../registry/storable.ts';
import { TermsSchema } from '../api/enrolments/enrolment-schema.ts';
import { line, NameSchema, ReasonSchema, TokenSchema } from '../api/text-schema.ts';
import { ANONYMOUS } from './callers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { readBody } from './form-body.ts';
import { immediateAnswer } from './immediate-answer.ts';
import { TryAgainLater } from './try-again-later.ts';

const MAX_REQUEST_BYTES = 64 * 1024;

const ASKED = {
  entityTypes: z.array(line(200)).max(MAX_ENTITY_TYPES).optional(),
  name: NameSchema.nullable().optional(),
  mode: z.enum(['live', 'test']).optional(),
  environment: TokenSchema.nullable().optional(),
  domain: z.string().min(1).max(253).nullable().optional(),
  terms: TermsSchema.nullable().optional(),
};

const ApplicantSchema = z.strictObject({
  legalName: NameSchema,
  email: z.email().max(320),
  message: ReasonSchema.nullable().default(null),
});

export const SignedEnrolmentSchema = z.strictObject({ ...ASKED, applicant: ApplicantSchema.optional() });

export const PublicEnrolmentSchema = z.strictObject({
  entityIdentifier: z.string().min(1).max(2048),
  ...ASKED,
  applicant: ApplicantSchema,
});

/**
 * A JWT of type `enrolment-request+jwt` is run through the steps at once and answered with what they found; JSON from
 * anybody is written down, and answered with how to prove the domain. Either costs the address what an evaluation does.
 * @throws FederationError enrolment_request_invalid, enrolment_request_not_authorised, client_assertion_replayed,
 *   request_body_invalid, request_too_large, and those of the retrieval
 * @throws TryAgainLater rate_limited
 */
export async function answerEnrolmentRequest(
  request: EndpointRequest,
  dependencies: FederationDependencies,
): Promise<ReadyAnswer> {
  const { exchange } = request;
  const { resolve, clock } = dependencies;
  exchange.once('evaluation', () => resolve.quotas.charge(exchange, ANONYMOUS, 'evaluation'));
  const [mediaType = ''] = (exchange.request.headers.get('content-type') ?? '').split(';');
  const isSigned = mediaType.trim().toLowerCase() === MEDIA_TYPE.enrolmentRequest;
  // What was taken in once would be refused as a replay, or written down twice.
  const enrolment = await exchange.once('enrol', () =>
    refusing(isSigned ? signedRequest(request, dependencies) : publicRequest(request, dependencies)),
  );
  return { ...immediateAnswer(answerBody(enrolment), clock.now()), status: 202 };
}

async function signedRequest(
  { served: { authority }, exchange }: EndpointRequest,
  { subordinates, resolve, clock }: FederationDependencies,
): Promise<Enrolment> {
  const jwt = await readBody(exchange.request, MEDIA_TYPE.enrolmentRequest, MAX_REQUEST_BYTES);
  const audience = authority.entityIdentifier;
  const now = clock.now();
  const asked = parseEnrolmentRequest(jwt.trim(), { audience, now, ...resolve.identifiers });
  const context = subordinates.changeContext(applyingActor(authority.id, asked.entity));
  const { allowHttp, understoodClaims } = context;
  const published = await subordinates.retrieveConfiguration(asked.entity);
  const { claims } = await validateEntityConfiguration(published, asked.entity, { now, allowHttp, understoodClaims });
  await verifyEnrolmentRequest(asked, claims.jwks);
  const body = checked(SignedEnrolmentSchema, asked.enrolment, '/enrolment');
  await subordinates.used.use({ caller: asked.entity, jti: asked.jti }, audience, asked.entity);
  const askedFrom = resolve.quotas.nameOf(exchange, ANONYMOUS);
  const request: AskedWithoutToken = { ...body, entityIdentifier: asked.entity, askedFrom };
  return await requestSigned(context, authority, request, subordinates.enrolmentTools);
}

async function publicRequest(
  { served: { authority }, exchange }: EndpointRequest,
  { subordinates, resolve }: FederationDependencies,
): Promise<Enrolment> {
  const text = await readBody(exchange.request, MEDIA_TYPE.json, MAX_REQUEST_BYTES);
  const body = checked(PublicEnrolmentSchema, parsed(text), '');
  const askedFrom = resolve.quotas.nameOf(exchange, ANONYMOUS);
  const context = subordinates.changeContext(publicActor(authority.id));
  return await requestPublicly(context, authority, { ...body, askedFrom });
}

function parsed(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw new FederationError('enrolment_request_invalid', `the body ${error.message}`, error.at, { cause: error });
  }
}

function checked<T>(schema: z.ZodType<T>, value: JsonValue, at: string): T {
  if (!isStorable(value)) throw invalid('holds the character U+0000 or half of a surrogate pair', at);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(issue?.message ?? 'is not valid', `${at}${pointer(...(issue?.path ?? []).map(String))}`);
}

function invalid(message: string, at: string): FederationError {
  return new FederationError('enrolment_request_invalid', `the request is refused: ${message}`, at);
}

async function refusing(work: Promise<Enrolment>): Promise<Enrolment> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    if (error.code === 'validation_failed') throw invalid(error.message, error.details.errors?.[0]?.pointer ?? '');
    if (error.code !== 'limit_reached') throw error;
    throw new TryAgainLater('rate_limited', error.message, { retryAfterSeconds: 3600, status: 429 });
  }
}

/** What whoever asked may know; evidence stays with those who decide. */
function answerBody({ id, entityIdentifier, state, steps, request, challenge, flow, lapsesAt }: Enrolment): object {
  const { domain, file, record } = domainPlaces(entityIdentifier, request.domain);
  const methods = flowStep(flow, 'domain')?.methods ?? ['https', 'dns'];
  return {
    ...{ id, entityIdentifier, state },
    steps: steps.map(({ step, outcome, reason, detail }) => ({
      step,
      outcome,
      ...(reason !== null && { reason }),
      detail,
    })),
    ...(flowStep(flow, 'domain') !== undefined && {
      domainChallenge: {
        ...{ domain, challenge },
        ...(methods.includes('https') && file !== undefined && { file }),
        ...(methods.includes('dns') && record !== undefined && { record }),
      },
    }),
    ...(lapsesAt !== null && { lapsesAt: lapsesAt.toISOString() }),
  };
}
