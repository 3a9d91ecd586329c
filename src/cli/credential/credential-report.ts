/** How credentials are shown. */
import { hexFingerprint } from '../fingerprint.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';
import type { CredentialRecord } from './credential-records.ts';

export const CREDENTIAL_COLUMNS = ['ID', 'ENTITY', 'USAGE', 'STATE', 'COUNTS', 'PLACE', 'NOT AFTER', 'NAME'];

export function credentialRow(credential: CredentialRecord): string[] {
  const { id, entityIdentifier, usage, state, mode, environment, notAfter } = credential;
  return [
    id,
    entityIdentifier,
    usage,
    state,
    countsText(credential),
    `${mode}, ${environment}`,
    notAfter === null ? '-' : shortMoment(notAfter),
    credentialName(credential),
  ];
}

/** What people know it by. */
export function credentialName({ subject, kid }: CredentialRecord): string {
  return subject === null || subject === '' ? kid : subject;
}

export function describeCredential(report: Report, credential: CredentialRecord): void {
  const { notBefore, notAfter, supersededAt, x5tS256, x5c } = credential;
  report.heading(`${credential.usage} ${credentialName(credential)}`);
  report.facts([
    ['id', credential.id],
    ['entity', `${credential.entityIdentifier}, ${credential.entityState}`],
    ['place', `${credential.mode}, ${credential.environment}`],
    ['state', credential.state],
    ['counts', countsText(credential)],
    ['possession', credential.possession],
    ['reason', credential.stateReason ?? undefined],
    ['revoked for', credential.revocationReason ?? undefined],
    ['valid from', notBefore === null ? undefined : momentText(notBefore)],
    ['valid until', notAfter === null ? undefined : momentText(notAfter)],
    ['superseded', supersededAt === null ? undefined : momentText(supersededAt)],
    ['takes the place of', credential.supersedes ?? undefined],
    ['issuer', credential.issuer ?? undefined],
    ['serial', credential.serial ?? undefined],
    ['path to the trust list', pathText(credential)],
    ['x5t#S256', x5tS256 ?? undefined],
    ['SHA-256', x5tS256 === null ? undefined : hexFingerprint(x5tS256)],
    ['kid', credential.kid],
    ['key (SPKI SHA-256)', credential.spkiSha256],
    ['chain', x5c == null || x5c.length < 2 ? undefined : `${x5c.length} certificates`],
    ['version', String(credential.version)],
  ]);
}

function countsText({ isLive, refusal }: CredentialRecord): string {
  return isLive ? 'yes' : `no: ${refusal ?? 'unknown'}`;
}

function pathText({ kind, path }: CredentialRecord): string | undefined {
  if (kind !== 'x509' || path === undefined) return undefined;
  return path === null ? 'none' : `to ${hexFingerprint(path.anchor)}, until ${momentText(path.notAfter)}`;
}
