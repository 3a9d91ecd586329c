/** How an authority and its keys are shown. */
import type { AuthorityKeyRecord, AuthorityRecord } from '../api-records.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';

export const AUTHORITY_COLUMNS = ['ID', 'ENTITY', 'KIND', 'NAME'];

export function authorityRow({ id, entityIdentifier, kind, name }: AuthorityRecord): string[] {
  return [id, entityIdentifier, kindText(kind), name];
}

function kindText(kind: string): string {
  return kind === 'trust_anchor' ? 'Trust Anchor' : kind === 'intermediate' ? 'Intermediate' : kind;
}

export function describeAuthority(report: Report, authority: AuthorityRecord): void {
  report.heading(authority.entityIdentifier);
  report.facts([
    ['id', authority.id],
    ['name', authority.name],
    ['kind', kindText(authority.kind)],
    ...authority.authorityHints.map((hint) => ['superior', hint] as const),
    ['configuration lives', `${authority.configurationLifetimeSeconds} s`],
    ['statements live', `${authority.statementLifetimeSeconds} s`],
    ['resolve answers live', `${authority.resolveLifetimeSeconds} s`],
    ['version', String(authority.version)],
  ]);
  report.heading('Endpoints');
  report.facts(Object.entries(authority.endpoints));
  const parts: [string, object][] = [
    ['Metadata', authority.metadata],
    ['Default metadata policy', authority.defaultMetadataPolicy],
    ['Default constraints', authority.defaultConstraints ?? {}],
  ];
  for (const [title, value] of parts) {
    if (Object.keys(value).length === 0) continue;
    report.heading(title);
    report.json(value);
  }
}

export const KEY_COLUMNS = ['KID', 'ALG', 'STATE', 'SINCE', 'UNTIL', 'AUTHORITY'];

export function keyRow(key: AuthorityKeyRecord, authority: Pick<AuthorityRecord, 'entityIdentifier'>): string[] {
  const until = key.expiresAt === null ? '-' : momentText(key.expiresAt);
  return [key.kid, key.alg, key.state, shortMoment(key.createdAt), until, authority.entityIdentifier];
}
