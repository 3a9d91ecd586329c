/** How a pinned Trust Anchor is shown. */
import type { TrustAnchorRecord } from '../api-records.ts';
import { asTyped } from '../invocation.ts';
import type { Report } from '../report.ts';

export const ANCHOR_COLUMNS = ['ID', 'TRUST ANCHOR', 'KEYS', 'AUTHORITY'];

export function anchorRow({ id, entityIdentifier, jwks, authorityId }: TrustAnchorRecord): string[] {
  return [id, entityIdentifier, String(jwks.keys.length), authorityId];
}

export function describeAnchor(report: Report, anchor: TrustAnchorRecord): void {
  report.heading(anchor.entityIdentifier);
  report.facts([
    ['id', anchor.id],
    ['authority', anchor.authorityId],
    ['version', String(anchor.version)],
    ...keyFacts(anchor.jwks),
  ]);
  const { learned, lastAlarm } = anchor;
  if (learned) {
    report.heading('Rolled over: these keys count in place of those pinned');
    report.facts([['since', learned.at], ...keyFacts(learned.jwks)]);
    report.line(asTyped('Once its operator confirms them, pin them: `holdfast anchor replace-keys`'));
  }
  if (lastAlarm) {
    report.heading('Alarm: it published keys that no believed key vouches for; none was learned');
    report.facts([['last', lastAlarm.at], ...keyFacts(lastAlarm.jwks)]);
    report.line(asTyped('Compare its keys with its operator out of band: `holdfast anchor fetch`'));
  }
}

function keyFacts({ keys }: TrustAnchorRecord['jwks']): (readonly [name: string, value: string])[] {
  return keys.map(({ kid, alg, kty }) => ['key', `${kid} (${alg ?? kty})`]);
}
