/** Answers `POST /api/v1/admission`, whichever way the question came in. */
import { hash } from 'node:crypto';
import type { Admission, AdmissionRequest } from '../../admission/admission.ts';
import type { AdmissionDecision } from '../../admission/decide.ts';
import type { JsonObject } from '../../federation/json.ts';
import type { KnownEnforcementPoint } from '../../registry/participants/known-participants.ts';
import { decisionBody } from './admission-body.ts';
import type { SignForPoint } from './signing-room.ts';

export interface AdmissionAnswering {
  admission: Pick<Admission, 'ask'>;
  sign: SignForPoint;
}

export interface AdmissionAnswer {
  contentType: 'application/json' | 'application/jwt';
  body: string;
}

/** Synchronous where nobody else has to be asked, and nothing is signed. */
export function answerAdmission(
  { admission, sign }: AdmissionAnswering,
  point: KnownEnforcementPoint,
  request: AdmissionRequest,
  isSigned: boolean,
): AdmissionAnswer | Promise<AdmissionAnswer> {
  const decision = admission.ask(point, request);
  if (isSigned) return signedAnswer(decision, point, request, sign);
  return decision instanceof Promise ? decision.then(plainAnswer) : plainAnswer(decision);
}

function plainAnswer(decision: AdmissionDecision): AdmissionAnswer {
  return { contentType: 'application/json', body: JSON.stringify(decisionBody(decision)) };
}

async function signedAnswer(
  deciding: AdmissionDecision | Promise<AdmissionDecision>,
  point: KnownEnforcementPoint,
  request: AdmissionRequest,
  sign: SignForPoint,
): Promise<AdmissionAnswer> {
  const decision = await deciding;
  const { certificate, token, api = point.apiId } = request;
  const claims = {
    ...{ aud: point.id, iat: decision.evaluatedAt, exp: decision.validUntil },
    // What it was asked about: a decision about one certificate, token or API is none about another.
    ...(typeof certificate === 'object' ? { cnf: { 'x5t#S256': certificate.x5tS256 } } : {}),
    ...(token === undefined ? {} : { ath: hash('sha256', token, 'base64url') }),
    ...(api === null ? {} : { api }),
    ...decisionBody(decision),
  };
  return { contentType: 'application/jwt', body: await sign(point, claims as JsonObject) };
}
