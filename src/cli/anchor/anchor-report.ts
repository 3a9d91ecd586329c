/** How a pinned Trust Anchor is shown. */
import type { TrustAnchorRecord } from '../api-records.ts';
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
    ...anchor.jwks.keys.map(({ kid, alg, kty }) => ['key', `${kid} (${alg ?? kty})`] as const),
  ]);
}
