/** How trust lists are shown. */
import { hexFingerprint } from '../fingerprint.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';
import type { CoverageRecord, TrustListEntryRecord } from './trust-list-records.ts';

export const TRUST_LIST_COLUMNS = ['ID', 'PURPOSE', 'NAME', 'NOT AFTER', 'AUTHORITY'];

export function trustListRow({ id, purpose, name, notAfter, authorityId }: TrustListEntryRecord): string[] {
  return [id, purpose, name, shortMoment(notAfter), authorityId];
}

export function describeTrustListEntry(report: Report, entry: TrustListEntryRecord): void {
  report.heading(entry.name);
  report.facts([
    ['id', entry.id],
    ['authority', entry.authorityId],
    ['believed for', entry.purpose],
    ['subject', entry.subject],
    ['valid from', momentText(entry.notBefore)],
    ['valid until', momentText(entry.notAfter)],
    ['x5t#S256', entry.x5tS256],
    ['SHA-256', hexFingerprint(entry.x5tS256)],
    ['version', String(entry.version)],
  ]);
}

const COVERAGE_COLUMNS = ['AUTHORITY', 'PURPOSE', 'BELIEVED', 'CREDENTIALS', 'WITHOUT A PATH'];

/** What counts, or would count, if nothing but the list were believed. */
export function describeCoverage(report: Report, coverage: readonly CoverageRecord[]): void {
  report.heading('Credentials below the list');
  report.table(
    COVERAGE_COLUMNS,
    coverage.map(({ authorityId, purpose, isListed, live, withoutPath }) => [
      ...[authorityId, purpose, isListed ? 'only what is below' : 'whatever is registered'],
      ...[String(live), String(withoutPath)],
    ]),
  );
}
