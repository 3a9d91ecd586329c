/** Reads authorities and their keys, as far as the reader reaches. */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import { composedOnce } from '../../storage/composed-once.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorityKeys } from '../../storage/schema/authority-keys.ts';
import { type Actor, authorise, notFound, READERS, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import type { Authority, AuthorityKeyRecord } from './authority.ts';
import { withoutPrivateHalf } from './keys/authority-key.ts';
import { readSightings, type SuperiorSighting } from './keys/superior-sightings.ts';

/** @throws RegistryError not_found, role_missing */
export async function readAuthority(db: Db | Tx, actor: Actor, authorityId: string): Promise<Authority> {
  authorise(actor, READERS, authorityId);
  return await authorityOf(db, { authorityId });
}

/** The authority of a record that somebody may act on, whether or not he may read its settings. @throws RegistryError not_found */
export async function authorityOf(db: Db | Tx, { authorityId }: { authorityId: string }): Promise<Authority> {
  const [authority] = await authorityQuery(db).execute({ authorityId });
  if (authority === undefined) throw notFound('authority', authorityId);
  return authority;
}

const authorityQuery = composedOnce((db) =>
  db
    .select()
    .from(authorities)
    .where(eq(authorities.id, sql.placeholder('authorityId')))
    .prepare('read_authority'),
);

export async function listAuthorities(db: Db, actor: Actor, request: PageRequest): Promise<Page<Authority>> {
  requireRole(actor, READERS);
  const after = cursorId(request);
  const reached = actor.authorities === 'all' ? undefined : inArray(authorities.id, [...actor.authorities]);
  const rows = await db
    .select()
    .from(authorities)
    .where(and(reached, after === undefined ? undefined : gt(authorities.id, after)))
    .orderBy(asc(authorities.id))
    .limit(request.limit + 1);
  return pageOf(rows, request);
}

/** A key with what was seen of it at the superiors that it waits for. */
export interface ListedAuthorityKey extends AuthorityKeyRecord {
  /** Of an announced key: every Immediate Superior, with what was seen there; none of a Trust Anchor's key. */
  superiors: { superior: string; sighting: SuperiorSighting | undefined }[];
}

/** Keys without their private halves, sealed or not, in the order of their creation. */
export async function listAuthorityKeys(db: Db | Tx, actor: Actor, authorityId: string): Promise<ListedAuthorityKey[]> {
  const { authorityHints } = await readAuthority(db, actor, authorityId);
  const keys = await db
    .select()
    .from(authorityKeys)
    .where(eq(authorityKeys.authorityId, authorityId))
    .orderBy(asc(authorityKeys.createdAt), asc(authorityKeys.id));
  const announced = keys.filter(({ state }) => state === 'announced').map(({ id }) => id);
  const sightings = await readSightings(db, announced);
  return keys.map((key) => ({
    ...withoutPrivateHalf(key),
    superiors: (key.state === 'announced' ? authorityHints : []).map((superior) => ({
      superior,
      sighting: sightings.find((one) => one.keyId === key.id && one.superior === superior),
    })),
  }));
}
