/**
 * What a gateway hears that asks before each request: 200 with who it is, 401 where there is no certificate, else 403.
 * Of any other status nginx would make a 500.
 */
import type { AdmissionDecision } from '../../admission/decide.ts';
import type { DenyReason } from '../../admission/deny-reasons.ts';
import type { CertificateHeaderReason } from '../../pki/headers/header-error.ts';

/** Why nothing was decided. */
export const FORWARD_AUTH_FAILURES = [
  'enforcement_point_unknown',
  'service_starting',
  'request_unreadable',
  'internal_error',
] as const;

export type ForwardAuthFailure = (typeof FORWARD_AUTH_FAILURES)[number];

export interface ForwardAuthAnswer {
  status: 200 | 401 | 403;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** @param detail what is wrong with the header that should have had the certificate */
export function decided(decision: AdmissionDecision, detail?: CertificateHeaderReason): ForwardAuthAnswer {
  const { participant } = decision;
  if (decision.decision !== 'allow' || participant === undefined)
    return refused(decision.reasons, decision.seq, detail);
  const { application, organisation } = participant;
  // Each of them always: a gateway copies them all, so none is left of what the client made up.
  const headers = {
    'cache-control': 'no-store',
    'content-length': '0',
    'holdfast-participant': printable(application.entityIdentifier),
    'holdfast-application': application.id,
    'holdfast-organisation': organisation.id,
    'holdfast-on-behalf-of': decision.onBehalfOf?.id ?? '',
    'holdfast-roles': decision.roles.map(({ name }) => encodeURIComponent(name)).join(','),
    'holdfast-seq': String(decision.seq),
    'holdfast-valid-until': new Date(decision.validUntil * 1000).toISOString(),
  };
  return { status: 200, headers, body: '' };
}

/** Nobody is admitted whose request was not understood, or who asked somebody who cannot decide yet. */
export function undecided(failure: ForwardAuthFailure): ForwardAuthAnswer {
  return refused([failure]);
}

function refused(
  reasons: readonly (DenyReason | ForwardAuthFailure)[],
  seq?: number,
  detail?: CertificateHeaderReason,
): ForwardAuthAnswer {
  const isUnidentified = reasons.includes('certificate_missing') || reasons.includes('enforcement_point_unknown');
  const status = isUnidentified && !reasons.includes('state_stale') ? 401 : 403;
  // Some gateways hand it on to the client.
  const body = JSON.stringify({ reasons, ...(detail === undefined ? {} : { detail }) });
  const headers = {
    'cache-control': 'no-store',
    'content-type': 'application/json',
    'content-length': String(body.length),
    'holdfast-reason': reasons.join(', '),
    ...(detail === undefined ? {} : { 'holdfast-detail': detail }),
    ...(seq === undefined ? {} : { 'holdfast-seq': String(seq) }),
  };
  return { status, headers, body };
}

/** Entity Identifiers are printable already, as long as that is what a record demands. */
function printable(text: string): string {
  return text.replaceAll(/[^!-~]/gu, (character) => encodeURIComponent(character));
}
