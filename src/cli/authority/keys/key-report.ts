/** How keys of authorities are shown. */
import type { AuthorityKeyRecord, AuthorityRecord } from '../../api-records.ts';
import type { Report } from '../../report.ts';
import { momentText, shortMoment } from '../../times.ts';

export const KEY_COLUMNS = ['KID', 'ALG', 'STATE', 'SINCE', 'NEXT', 'AUTHORITY'];

export function keyRow(key: AuthorityKeyRecord, authority: Pick<AuthorityRecord, 'entityIdentifier'>): string[] {
  const since = key.revokedAt ?? key.expiresAt ?? key.retiredAt ?? key.activatedAt ?? key.createdAt;
  return [key.kid, key.alg, key.state, shortMoment(since), nextText(key), authority.entityIdentifier];
}

function nextText({ state, activateAfter, removeAfter }: AuthorityKeyRecord): string {
  if (state === 'announced') return activateAfter === null ? 'kept ready' : `signs ${momentText(activateAfter)}`;
  if (state === 'retired' && removeAfter !== null) return `historical ${momentText(removeAfter)}`;
  return '-';
}

/** What an announced key waits for, superior by superior; nothing for all others. */
export function describeWaiting(report: Report, { kid, superiors }: AuthorityKeyRecord): void {
  if (superiors.length === 0) return;
  report.heading(`${kid} at its superiors`);
  report.facts(superiors.map((superior) => [superior.superior, superiorText(superior)]));
}

function superiorText({ safeFrom, seenAt, failure }: AuthorityKeyRecord['superiors'][number]): string {
  const seen = seenAt === null ? '' : `, read ${momentText(seenAt)}`;
  if (failure !== null) return `cannot be read: ${failure}${seen}`;
  if (seenAt === null) return 'not read yet';
  return safeFrom === null ? `does not list it${seen}` : `lists it; known to all ${momentText(safeFrom)}${seen}`;
}
