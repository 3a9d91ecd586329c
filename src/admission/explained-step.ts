/** Steps as they are explained: by which rule each goes, and the digest of what it looked at. */
import { hash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../federation/json.ts';
import type { AdmissionQuestion } from './admission-question.ts';
import type { Participant } from './decide.ts';
import type { Check, Step } from './findings.ts';

export interface ExplainedStep extends Step {
  /** What it goes by: a section of a standard, or ours. */
  rule: string;
  /** SHA-256 in base64url over the canonical JSON (RFC 8785) of what was looked at: alike if the same was shown. */
  inputSha256: string;
}

const RULES: Readonly<Record<Check, string>> = {
  state: 'the enforcement point is active, and what is known is no older than its maxStalenessSeconds',
  certificate: 'RFC 8705 §3, RFC 9440 §2',
  participant: 'RFC 8705 §3: the certificate is registered with one application of the authority',
  validity: 'RFC 5280 §4.1.2.5, §5.3.1',
  issuer: 'RFC 5280 §6.1, to the trust list of the authority',
  standing: 'the application and its organisation are active',
  place: 'the application is enrolled for the mode and environment of the enforcement point',
  entity: 'OIDFED §1.2: the certificate is that of the Entity Identifier',
  delegation: 'the registry records on whose behalf the application acts',
  api: 'the application holds one of the roles that the API asks for',
  token: 'RFC 9068 §4, RFC 7662 §2.2, RFC 9701 §5',
  binding: 'RFC 8705 §3.1',
  trust_chain: 'OIDFED §10.2',
};

export function explainedSteps(
  steps: readonly Step[],
  question: AdmissionQuestion,
  participant: Participant | undefined,
): ExplainedStep[] {
  const inputs = inputsOf(question, participant);
  return steps.map((step) => {
    const inputSha256 = hash('sha256', canonicalJson(inputs[step.check]), 'base64url');
    return { ...step, rule: RULES[step.check], inputSha256 };
  });
}

function inputsOf(
  { place, certificate: shown, tokenSha256, ...asked }: AdmissionQuestion,
  participant: Participant | undefined,
): Record<Check, JsonObject> {
  const { authorityId, mode, environment, maxStalenessSeconds } = place;
  const certificate = typeof shown === 'string' ? shown : shown.x5tS256;
  const entityId = asked.entityId ?? null;
  const token = tokenSha256 ?? null;
  const application = participant?.application.id ?? null;
  const organisation = participant?.organisation.id ?? null;
  return {
    state: { state: place.state, maxStalenessSeconds },
    certificate: { certificate },
    participant: { certificate, authorityId },
    validity: { certificate },
    issuer: { certificate, authorityId },
    standing: { application, organisation },
    place: { application, mode, environment },
    entity: { application, entityId },
    delegation: { application, onBehalfOf: asked.onBehalfOf ?? null },
    api: { application, api: asked.api ?? place.apiId },
    token: { token },
    binding: { token, certificate },
    trust_chain: { entityId },
  };
}
