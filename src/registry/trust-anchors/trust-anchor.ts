/** Trust Anchors of others, with the keys that an operator compared out of band and pinned. */
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';

export type PinnedTrustAnchor = typeof trustAnchors.$inferSelect;

/** @throws RegistryError not_found, role_missing */
export async function readTrustAnchor(db: Db | Tx, actor: Actor, trustAnchorId: string): Promise<PinnedTrustAnchor> {
  requireRole(actor, READERS);
  if (!isRecordId(trustAnchorId)) throw notFound('trust anchor', trustAnchorId);
  const [anchor] = await db.select().from(trustAnchors).where(eq(trustAnchors.id, trustAnchorId));
  if (anchor === undefined || !reaches(actor, anchor.authorityId)) throw notFound('trust anchor', trustAnchorId);
  return anchor;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listTrustAnchors(
  db: Db,
  actor: Actor,
  filter: { authorityId?: string },
  request: PageRequest,
): Promise<Page<PinnedTrustAnchor>> {
  requireRole(actor, READERS);
  if (filter.authorityId !== undefined) authorise(actor, READERS, filter.authorityId);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(trustAnchors)
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(trustAnchors.authorityId, [...actor.authorities]),
        filter.authorityId === undefined ? undefined : eq(trustAnchors.authorityId, filter.authorityId),
        after === undefined ? undefined : gt(trustAnchors.id, after),
      ),
    )
    .orderBy(asc(trustAnchors.id))
    .limit(request.limit + 1);
  return pageOf(rows, request);
}

export function trustAnchorSnapshot({ entityIdentifier, jwks }: PinnedTrustAnchor): JsonObject {
  return { entityIdentifier, jwks };
}
