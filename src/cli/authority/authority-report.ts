/** How an authority is shown. */
import type { AuthorityRecord } from '../api-records.ts';
import type { Report } from '../report.ts';
import { durationText } from '../times.ts';

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
    [
      'keys are announced',
      secondsText(authority.keyAnnounceSeconds, 'five lives of the configuration, a day at least'),
    ],
    ['keys are rolled', secondsText(authority.keyRollIntervalSeconds, 'by hand')],
    ['a key is kept ready', authority.isStandbyKeyKept ? 'yes' : 'no'],
    ['proposed keys', authority.keyProposals === 'accept' ? 'accepted' : 'held for a registrar'],
    ['enrolment', authority.enrolmentFlow?.map(({ step }) => step).join(' → ') ?? 'as usual, or without'],
    ['four eyes', authority.fourEyes === 'on' ? 'always' : 'in enrolments'],
    ['only listed authorities for', authority.listedPurposes?.join(', ')],
    ['contacts needed', authority.requiredContactTypes.join(', ') || 'none'],
    ['contacts are confirmed', confirmationText(authority)],
    ['version', String(authority.version)],
  ]);
  report.heading('Endpoints');
  report.facts(Object.entries(authority.endpoints));
  const asking = Object.entries(authority.endpointAuthentication).filter(([, rule]) => rule !== 'off');
  if (asking.length > 0) {
    report.heading('Endpoints where callers prove who they are');
    report.facts(asking);
  }
  const parts: [string, object][] = [
    ['Metadata', authority.metadata],
    ['Default metadata policy', authority.defaultMetadataPolicy],
    ['Default constraints', authority.defaultConstraints ?? {}],
    ['Issuers of Trust Marks (trust_mark_issuers)', authority.trustMarkIssuers],
    ['Owners of Trust Mark types (trust_mark_owners)', authority.trustMarkOwners],
  ];
  for (const [title, value] of parts) {
    if (Object.keys(value).length === 0) continue;
    report.heading(title);
    report.json(value);
  }
}

function secondsText(seconds: number | null, none: string): string {
  return seconds === null ? none : durationText(seconds);
}

function confirmationText({ contactConfirmationDays, lapseGraceDays, onLapse }: AuthorityRecord): string | undefined {
  if (contactConfirmationDays === undefined) return undefined;
  if (contactConfirmationDays === null) return 'never';
  const then = onLapse === 'suspend' ? `, suspended after ${lapseGraceDays} more` : '';
  return `every ${contactConfirmationDays} days; a finding ${lapseGraceDays} days later${then}`;
}
