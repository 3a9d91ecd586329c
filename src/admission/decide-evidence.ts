/** The rules for what others say: access tokens, what they are bound to, and Trust Chains. */
import type { NumericDate } from '../federation/time.ts';
import type { KnownException } from '../registry/participants/known-participants.ts';
import type { AdmissionQuestion, ChainVerdict, TokenVerdict } from './admission-question.ts';
import type { Judged } from './decide.ts';
import type { Findings } from './findings.ts';
import type { KnownState } from './known-state.ts';

/** @returns what is needed if the token was not verified yet */
export function judgeToken(
  verdict: TokenVerdict | undefined,
  { place, isTokenPresented }: AdmissionQuestion,
  judged: Judged,
  state: KnownState,
  findings: Findings,
  now: NumericDate,
): 'token' | undefined {
  if (verdict === undefined) {
    if (isTokenPresented) {
      findings.fail('token', 'token_unverifiable', () => 'not verified yet');
      return 'token';
    }
    if (place.isTokenRequired || judged.certificate === undefined)
      findings.fail('token', 'token_missing', () => 'no access token was presented');
    else {
      findings.skip('token', () => 'none was presented, and none is required');
      findings.skip('binding', () => 'there is no token');
    }
  } else if ('reason' in verdict) {
    findings.fail('token', verdict.reason, () => verdict.detail);
  } else if (now < verdict.expiresAt) {
    findings.pass('token', () => 'verified', verdict.expiresAt);
    judgeBinding(verdict, judged, state, findings, now);
  } else findings.fail('token', 'token_expired', () => 'its exp is over by now');
  return undefined;
}

/** @see RFC 8705 §3 */
function judgeBinding(
  { boundTo, clientId }: Extract<TokenVerdict, { expiresAt: number }>,
  { participant, certificate, exceptions }: Judged,
  state: KnownState,
  findings: Findings,
  now: NumericDate,
): void {
  if (boundTo !== undefined) {
    if (boundTo === certificate?.x5tS256) findings.pass('binding', () => 'bound to this certificate');
    else findings.fail('binding', 'cnf_mismatch', () => 'bound to another certificate');
    return;
  }
  // Anybody may have it, so it must at least be this application's, whatever that was let off.
  if (participant === undefined || clientId !== participant.application.entityIdentifier) {
    findings.fail('binding', 'client_mismatch', () => 'not bound, and issued to another client');
    return;
  }
  if (certificate === undefined) {
    findings.pass('binding', () => 'issued to this application');
    return;
  }
  const exception = exceptionOf(participant.application.id, 'unbound_token', state, now);
  if (exception === undefined) {
    findings.fail('binding', 'token_not_bound', () => 'the token has no cnf.x5t#S256');
    return;
  }
  exceptions.push('unbound_token');
  findings.pass('binding', () => 'not bound: let off for a while', exception.endsAt);
}

/** @returns what is needed if nobody resolved it yet */
export function judgeChain(
  verdict: ChainVerdict | undefined,
  { entityId }: AdmissionQuestion,
  findings: Findings,
  now: NumericDate,
): 'chain' | undefined {
  if (entityId === undefined) {
    findings.skip('trust_chain', () => 'not asked for: no entityId was given');
  } else if (verdict === undefined) {
    findings.fail('trust_chain', 'trust_chain_unavailable', () => 'not resolved yet');
    return 'chain';
  } else if ('reason' in verdict) {
    findings.fail('trust_chain', verdict.reason, () => verdict.detail);
  } else if (now < verdict.expiresAt) {
    findings.pass('trust_chain', () => `leads to ${verdict.trustAnchor}`, verdict.expiresAt);
  } else findings.fail('trust_chain', 'trust_chain_invalid', () => 'it has expired by now');
  return undefined;
}

/** What an application was let off, and still is. */
export function exceptionOf(
  applicationId: string,
  kind: KnownException['kind'],
  state: KnownState,
  now: NumericDate,
): KnownException | undefined {
  return state.exceptions(applicationId).find((exception) => exception.kind === kind && now < exception.endsAt);
}
