/** The rules of admission: pure, and the only ones. Whatever cannot be mapped to an active participant is denied. */
import type { NumericDate } from '../federation/time.ts';
import { type CredentialState, stateAt } from '../registry/credentials/credential-standing.ts';
import { type Permissions, permissionsOf } from '../registry/life-cycle/permissions.ts';
import type {
  KnownApplication,
  KnownCertificate,
  KnownException,
  KnownOrganisation,
} from '../registry/participants/known-participants.ts';
import { isWithinValidity } from '../registry/roles/given-roles.ts';
import { effectiveState } from '../registry/states.ts';
import type { AdmissionQuestion, ChainVerdict, EnforcementPlace, TokenVerdict } from './admission-question.ts';
import { exceptionOf, judgeChain, judgeToken } from './decide-evidence.ts';
import type { DenyReason } from './deny-reasons.ts';
import { type ExplainedStep, explainedSteps } from './explained-step.ts';
import { Findings } from './findings.ts';
import type { GivenRole, KnownState } from './known-state.ts';

export interface AdmissionDecision {
  decision: 'allow' | 'deny';
  /** Why not, in the order of the steps; empty if allowed. */
  reasons: readonly DenyReason[];
  /** Whom the certificate belongs to, also if it is denied; undefined if nobody knows. */
  participant: Participant | undefined;
  onBehalfOf: KnownOrganisation | undefined;
  /** Those held now. */
  roles: readonly GivenRole[];
  permissions: Permissions;
  /** What the participant was let off. */
  exceptions: readonly KnownException['kind'][];
  chain: Extract<ChainVerdict, { trustAnchor: string }> | undefined;
  seq: number;
  evaluatedAt: NumericDate;
  /** The earliest end of all that it rests on; a change in the registry ends it before. Equal to `evaluatedAt` if denied. */
  validUntil: NumericDate;
  /** What has to be found out before anybody is admitted; undefined once nothing is missing. */
  needed: keyof AdmissionEvidence | undefined;
  /** Whether it came to the token, and there was one: what was shown before that may be anything. */
  isTokenJudged: boolean;
  /** Only if asked for. */
  steps: readonly ExplainedStep[] | undefined;
}

export interface Participant {
  application: KnownApplication;
  organisation: KnownOrganisation;
}

/** What others said. Whoever decides asks them for what is needed, and decides anew with what is known and the time then. */
export interface AdmissionEvidence {
  token?: TokenVerdict | undefined;
  /** Of the Entity Identifier that is asked for. */
  chain?: ChainVerdict | undefined;
}

export interface DecideOptions {
  now: NumericDate;
  isExplained?: boolean;
}

const NOTHING_PERMITTED: Permissions = { newAuthorization: false, useExisting: false, withdrawConsent: false };

/** Decides by what there is; where `needed` says that something is missing, it is denied for now. */
export function decide(
  question: AdmissionQuestion,
  state: KnownState,
  evidence: AdmissionEvidence,
  { now, isExplained = false }: DecideOptions,
): AdmissionDecision {
  const findings = new Findings(isExplained);
  const judged = judgeParticipant(question, state, findings, now);
  let needed: AdmissionDecision['needed'];
  const isTokenJudged = !findings.areBad && evidence.token !== undefined;
  if (!findings.areBad) needed = judgeToken(evidence.token, question, judged, state, findings, now);
  if (!findings.areBad) needed = judgeChain(evidence.chain, question, findings, now);
  const shown = findings.areBad || question.entityId === undefined ? undefined : evidence.chain;
  const chain = shown !== undefined && 'trustAnchor' in shown ? shown : undefined;
  const steps = findings.steps && explainedSteps(findings.steps, question, judged.participant);
  return conclude(judged, state, findings, now, { chain, steps, needed, isTokenJudged });
}

export interface Judged {
  participant: Participant | undefined;
  certificate: KnownCertificate | undefined;
  onBehalfOf: KnownOrganisation | undefined;
  roles: readonly GivenRole[];
  exceptions: KnownException['kind'][];
}

function judgeParticipant(
  question: AdmissionQuestion,
  state: KnownState,
  findings: Findings,
  now: NumericDate,
): Judged {
  judgeState(state, question.place, findings, now);
  const { participant, certificate, exceptions } = identify(question, state, findings, now);
  const judged: Judged = { participant, certificate, exceptions, onBehalfOf: undefined, roles: [] };
  if (participant === undefined) return judged;
  const { application } = participant;
  if (certificate !== undefined) judgeCertificate(certificate, application.authorityId, state, findings, now);
  judgeStanding(participant, findings);
  judgePlace(application, question.place, findings);
  judgeEntity(application, question.entityId, findings);
  judged.onBehalfOf = judgeDelegation(application, question.onBehalfOf, state, findings);
  judged.roles = state.roles(application).filter((role) => isWithinValidity(role, now));
  // The answer names them all, so it may outlive none.
  for (const { validTo } of judged.roles) if (validTo !== null) findings.limit(validTo);
  judgeApi(judged.roles, question, state, findings, now);
  return judged;
}

function judgeState(
  { ageSeconds, seq }: KnownState,
  place: EnforcementPlace,
  findings: Findings,
  now: NumericDate,
): void {
  const { maxStalenessSeconds } = place;
  const detail = () =>
    `the registry at seq ${seq}, confirmed ${ageSeconds.toFixed(1)} s ago; at most ${maxStalenessSeconds} s`;
  if (place.state !== 'active') {
    findings.fail('state', 'enforcement_point_ended', () => `this enforcement point is ${place.state}`);
  } else if (ageSeconds <= maxStalenessSeconds) {
    findings.pass('state', detail, now + Math.floor(maxStalenessSeconds - ageSeconds));
  } else findings.fail('state', 'state_stale', detail);
}

/** Finds the participant by its certificate; by its name alone where it was let off having one. */
function identify(
  { certificate, place, entityId }: AdmissionQuestion,
  state: KnownState,
  findings: Findings,
  now: NumericDate,
): Pick<Judged, 'participant' | 'certificate' | 'exceptions'> {
  const nobody = { participant: undefined, certificate: undefined, exceptions: [] };
  if (certificate === 'malformed') {
    findings.fail('certificate', 'certificate_malformed', () => 'what was presented is no certificate');
    return nobody;
  }
  if (certificate === 'none') {
    const application = entityId === undefined ? undefined : state.applicationNamed(place.authorityId, entityId);
    const exception = application && exceptionOf(application.id, 'no_mtls', state, now);
    const participant = application && participantOf(application, place, state);
    if (participant === undefined || exception === undefined) {
      findings.fail('certificate', 'certificate_missing', () => 'no client certificate was presented');
      return nobody;
    }
    findings.pass('certificate', () => 'none: let off for a while', exception.endsAt);
    findings.pass('participant', () => nameOf(participant));
    for (const check of ['validity', 'issuer'] as const) findings.skip(check, () => 'there is no certificate');
    return { participant, certificate: undefined, exceptions: ['no_mtls'] };
  }
  findings.pass('certificate', () => `x5t#S256 ${certificate.x5tS256}`);
  let [counting, last]: Found[] = [];
  for (const known of state.certificates(certificate.x5tS256, place.authorityId)) {
    const application = state.applicationOf(known);
    const participant = application && participantOf(application, place, state);
    if (participant === undefined) continue;
    last = { participant, certificate: known };
    if (isCounting(known, participant, state, now)) counting = last;
  }
  const found = counting ?? last;
  if (found === undefined) {
    findings.fail('participant', 'unknown_participant', () => 'no application here has registered this certificate');
    return nobody;
  }
  findings.pass('participant', () => nameOf(found.participant));
  return { participant: found.participant, certificate: found.certificate, exceptions: [] };
}

type Found = { participant: Participant; certificate: KnownCertificate } | undefined;

/** Nobody hears of those of another authority. */
function participantOf(
  application: KnownApplication,
  { authorityId }: EnforcementPlace,
  state: KnownState,
): Participant | undefined {
  const organisation = application.authorityId === authorityId && state.organisation(application.organisationId);
  return organisation ? { application, organisation } : undefined;
}

function isCounting(
  { life, path }: KnownCertificate,
  participant: Participant,
  state: KnownState,
  now: NumericDate,
): boolean {
  const { authorityId } = participant.application;
  return stateOf(life, now) === 'active' && isTrusted(path, authorityId, state, now) && isStanding(participant);
}

/** An authority without a list for this believes whatever was registered. */
function isTrusted(path: KnownCertificate['path'], authorityId: string, state: KnownState, now: NumericDate): boolean {
  return !state.isTransportListed(authorityId) || (path !== null && now < endOfPath(path, authorityId, state, now));
}

/** The first moment at which a certificate of it, or its anchor as it is listed, is not valid; now, if that is listed no more. */
function endOfPath(
  { anchor, notAfter }: NonNullable<KnownCertificate['path']>,
  authorityId: string,
  state: KnownState,
  now: NumericDate,
): NumericDate {
  const entry = state.transportAnchor(authorityId, anchor);
  return entry === undefined || now < entry.notBefore ? now : Math.min(notAfter, entry.notAfter) + 1;
}

/** Whatever a state is called that nobody knows, it is not this one. */
function isStanding({ application, organisation }: Participant): boolean {
  return application.state === 'active' && organisation.state === 'active';
}

function nameOf({ application, organisation }: Participant): string {
  return `${application.entityIdentifier} of ${organisation.legalName}`;
}

function stateOf(
  { state, notBefore, notAfter, supersededAt }: KnownCertificate['life'],
  now: NumericDate,
): CredentialState {
  const life = { state, notBefore: msOf(notBefore), notAfter: msOf(notAfter), supersededAt: msOf(supersededAt) };
  return stateAt(life, now * 1000);
}

function msOf(seconds: NumericDate | null): number | undefined {
  return seconds === null ? undefined : seconds * 1000;
}

const CERTIFICATE_REFUSALS: Readonly<Record<Exclude<CredentialState, 'active'>, DenyReason>> = {
  not_yet_valid: 'certificate_not_yet_valid',
  on_hold: 'certificate_on_hold',
  superseded: 'certificate_superseded',
  expired: 'certificate_expired',
  revoked: 'certificate_revoked',
};

function judgeCertificate(
  { life, path }: KnownCertificate,
  authorityId: string,
  state: KnownState,
  findings: Findings,
  now: NumericDate,
): void {
  const certificateState = stateOf(life, now);
  if (certificateState !== 'active') {
    findings.fail('validity', CERTIFICATE_REFUSALS[certificateState], () => `the certificate is ${certificateState}`);
  } else {
    findings.pass('validity', () => 'the certificate is active', endOf(life));
  }
  if (!state.isTransportListed(authorityId)) {
    findings.pass('issuer', () => 'any issuer is: this authority has no trust list for transport certificates');
  } else if (path !== null && isTrusted(path, authorityId, state, now)) {
    const end = endOfPath(path, authorityId, state, now);
    findings.pass('issuer', () => `below ${path.anchor} of the trust list`, end);
  } else findings.fail('issuer', 'chain_untrusted', () => 'no valid way leads from it to the trust list of now');
}

/** The first moment at which it does not count; a certificate is valid in the whole second that its end names. */
function endOf({ notAfter, supersededAt }: KnownCertificate['life']): NumericDate {
  return Math.min(
    notAfter === null ? Number.POSITIVE_INFINITY : notAfter + 1,
    supersededAt ?? Number.POSITIVE_INFINITY,
  );
}

function judgeStanding(participant: Participant, findings: Findings): void {
  const { application, organisation } = participant;
  const detail = () => `the application is ${application.state}, its organisation ${organisation.state}`;
  if (isStanding(participant)) {
    findings.pass('standing', detail);
    return;
  }
  const standing = effectiveState(application.state, organisation.state);
  const hasBeen = standing === 'suspended' || standing === 'withdrawn' || standing === 'revoked';
  findings.fail('standing', hasBeen ? standing : 'not_approved', detail);
}

function judgePlace(application: KnownApplication, place: EnforcementPlace, findings: Findings): void {
  const isHere = application.mode === place.mode && application.environment === place.environment;
  const detail = () =>
    `enrolled for ${application.mode} ${application.environment}, asked for in ${place.mode} ${place.environment}`;
  if (isHere) findings.pass('place', detail);
  else findings.fail('place', 'wrong_environment', detail);
}

function judgeEntity({ entityIdentifier }: KnownApplication, entityId: string | undefined, findings: Findings): void {
  if (entityId === undefined) findings.skip('entity', () => 'not asked for: no entityId was given');
  else if (entityId === entityIdentifier) findings.pass('entity', () => `is ${entityId}`);
  else findings.fail('entity', 'entity_mismatch', () => `the certificate is not that of ${entityId}`);
}

/** Only what the registry records counts, and only while the other is active as well. */
function judgeDelegation(
  { onBehalfOf }: KnownApplication,
  asked: string | undefined,
  state: KnownState,
  findings: Findings,
): KnownOrganisation | undefined {
  if (asked === undefined) {
    findings.skip('delegation', () => 'not asked for: no onBehalfOf was given');
    return undefined;
  }
  const organisation = onBehalfOf === asked ? state.organisation(asked) : undefined;
  if (organisation === undefined) {
    findings.fail('delegation', 'delegation_unknown', () => 'no record says that the application acts for it');
    return undefined;
  }
  const detail = () => `for ${organisation.legalName}, which is ${organisation.state}`;
  if (organisation.state === 'active') findings.pass('delegation', detail);
  else findings.fail('delegation', 'delegation_ended', detail);
  return organisation;
}

function judgeApi(
  roles: readonly GivenRole[],
  { api: asked, place }: AdmissionQuestion,
  state: KnownState,
  findings: Findings,
  now: NumericDate,
): void {
  const id = asked ?? place.apiId;
  if (id === null || id === undefined) {
    findings.skip('api', () => 'not asked for: no API was named');
    return;
  }
  if (place.apiId !== null && id !== place.apiId) {
    findings.fail('api', 'api_mismatch', () => `behind this enforcement point is ${place.apiId}`);
    return;
  }
  const api = state.api(id);
  const isOffered = api !== undefined && (api.retiresAt === null || now < api.retiresAt);
  if (!isOffered || api.authorityId !== place.authorityId) {
    findings.fail('api', 'api_unknown', () => `no API resource ${id} is offered here`);
    return;
  }
  if (api.retiresAt !== null) findings.limit(api.retiresAt);
  const name = `${api.family} ${api.apiVersion}`;
  const granting = roles.find(({ roleId }) => api.roleIds.includes(roleId));
  if (api.roleIds.length === 0) findings.pass('api', () => `${name} asks for no role`);
  else if (granting === undefined)
    findings.fail('api', 'role_missing', () => `none of the roles that ${name} asks for`);
  else findings.pass('api', () => `${granting.name} for ${name}`);
}

function conclude(
  { participant, certificate, onBehalfOf, roles, exceptions }: Judged,
  { seq }: KnownState,
  findings: Findings,
  now: NumericDate,
  { chain, steps, needed, isTokenJudged }: Pick<AdmissionDecision, 'chain' | 'steps' | 'needed' | 'isTokenJudged'>,
): AdmissionDecision {
  // Of somebody suspended it says what is left to them; without a certificate nobody knows that it is they.
  const isKnown = !findings.areBad || (certificate !== undefined && findings.areGoodBut('standing'));
  return {
    decision: findings.areBad ? 'deny' : 'allow',
    reasons: findings.reasons,
    participant,
    onBehalfOf,
    roles,
    exceptions,
    seq,
    permissions:
      participant === undefined || !isKnown
        ? NOTHING_PERMITTED
        : permissionsOf(participant.organisation.state, participant.application.state),
    chain,
    evaluatedAt: now,
    validUntil: findings.areBad ? now : Math.floor(findings.validUntil),
    needed,
    isTokenJudged,
    steps,
  };
}
