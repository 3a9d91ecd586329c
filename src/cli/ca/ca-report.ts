/** How certification authorities are shown. */
import { hexFingerprint } from '../fingerprint.ts';
import { asTyped } from '../invocation.ts';
import type { Report } from '../report.ts';
import { durationText, momentText, shortMoment } from '../times.ts';
import type { CertificationAuthorityRecord } from './ca-records.ts';

export const CA_COLUMNS = ['ID', 'STATE', 'NAME', 'NOT AFTER', 'BELIEVED FOR', 'AUTHORITY'];

export function caRow(record: CertificationAuthorityRecord): string[] {
  const { id, state, name, notAfter, listedFor, authorityId } = record;
  return [id, state, name, notAfter === null ? '-' : shortMoment(notAfter), listedFor.join(', ') || '-', authorityId];
}

const PLACES: Readonly<Record<string, string>> = {
  sealed: 'in the database, sealed under the master key',
  pkcs11: 'in the PKCS#11 token',
};

export function describeCa(report: Report, record: CertificationAuthorityRecord): void {
  const { validityDays, urls, x5tS256, notBefore, notAfter } = record;
  report.heading(record.name);
  report.facts([
    ['id', record.id],
    ['authority', record.authorityId],
    ['state', record.state],
    ['subject', record.subject ?? undefined],
    ['valid from', notBefore === null ? undefined : momentText(notBefore)],
    ['valid until', notAfter === null ? undefined : momentText(notAfter)],
    ['SHA-256', x5tS256 === null ? undefined : hexFingerprint(x5tS256)],
    ['kid', record.kid],
    ['key', `${record.alg}, ${PLACES[record.custody] ?? record.custody}`],
    [
      'issues for',
      Object.entries(validityDays)
        .map(([profile, days]) => `${profile} ${days} d`)
        .join(', '),
    ],
    ['overlap', `${record.overlapDays} d`],
    ['list lives', durationText(record.revocationListLifetimeSeconds)],
    ['retired', record.retiredAt === null ? undefined : momentText(record.retiredAt)],
    ['version', String(record.version)],
  ]);
  if (record.state === 'pending') {
    report.heading('It waits for its certificate');
    report.line(asTyped(`  holdfast ca show ${record.id} --request > request.pem   # for whoever has the root`));
    report.line(asTyped(`  holdfast ca import ${record.id} chain.pem`));
    return;
  }
  if (record.certificate === null) return;
  report.heading('Published for everybody');
  report.facts([
    ['certificate', urls.certificate],
    ['chain', urls.chain],
    ['revocations', urls.revocationList],
    ['OCSP', urls.ocsp],
  ]);
  describeTrust(report, record);
}

/** Whether the authority believes it, and the command that makes it do so. */
function describeTrust(report: Report, { listedFor, authorityId }: CertificationAuthorityRecord): void {
  const missing = ['transport', 'signing'].filter((purpose) => !listedFor.includes(purpose));
  report.heading('Trust list');
  report.facts([
    ['believed for', listedFor.join(', ') || undefined],
    ['not listed for', missing.join(', ') || undefined],
  ]);
  for (const purpose of missing) {
    const command = `holdfast trust-list add root.pem --purpose ${purpose} --authority ${authorityId}`;
    report.line(asTyped(`  ${command}`));
  }
}
