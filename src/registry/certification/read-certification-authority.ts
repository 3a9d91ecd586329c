/** Reads certification authorities: for whoever manages them, for what issues with them, and for everybody. */
import { and, asc, eq, gt } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import {
  type CertificationAuthorityState,
  certificationAuthorities,
} from '../../storage/schema/certification-authorities.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';
import {
  type CertificationAuthority,
  type CertificationAuthorityRow,
  type CertifiedAuthorityRow,
  certificationAuthorityRecord,
  isCertified,
} from './certification-authority.ts';
import { listedFor } from './listed-for.ts';

const KIND = 'certification authority';

/** @throws RegistryError not_found, role_missing */
export async function readCertificationAuthority(
  db: Db | Tx,
  actor: Actor,
  id: string,
): Promise<CertificationAuthority> {
  requireRole(actor, ACCESS.readCertificationAuthority.roles);
  const row = await rowOf(db, id);
  if (row === undefined || !reaches(actor, row.authorityId)) throw notFound(KIND, id);
  return certificationAuthorityRecord(row, await listedFor(db, row));
}

export interface CertificationAuthorityFilter {
  authorityId?: string;
  state?: CertificationAuthorityState;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing, validation_failed */
export async function listCertificationAuthorities(
  db: Db,
  actor: Actor,
  { authorityId, state }: CertificationAuthorityFilter,
  request: PageRequest,
): Promise<Page<CertificationAuthority>> {
  const table = certificationAuthorities;
  const reached = inReach(
    actor,
    ACCESS.listCertificationAuthorities.roles,
    { authority: table.authorityId },
    authorityId,
  );
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(table)
    .where(
      and(
        reached,
        state === undefined ? undefined : eq(table.state, state),
        after === undefined ? undefined : gt(table.id, after),
      ),
    )
    .orderBy(asc(table.id))
    .limit(request.limit + 1);
  const { items, ...page } = pageOf(rows, request);
  const records = items.map(async (row) => certificationAuthorityRecord(row, await listedFor(db, row)));
  return { ...page, items: await Promise.all(records) };
}

/**
 * The one that issues: the only active one of the authority, unless one is named.
 * @throws RegistryError not_found, certification_authority_not_active
 */
export async function readActiveCertificationAuthority(
  db: Db | Tx,
  authorityId: string,
  id?: string,
): Promise<CertifiedAuthorityRow> {
  if (id === undefined) return await onlyActive(db, authorityId);
  const row = await rowOf(db, id);
  if (row === undefined || row.authorityId !== authorityId) throw notFound(KIND, id);
  if (isCertified(row) && row.state === 'active') return row;
  throw new RegistryError('certification_authority_not_active', `${row.name} ${WHY_NOT[row.state]}`, {
    certificationAuthority: id,
  });
}

const WHY_NOT: Readonly<Record<CertificationAuthorityState, string>> = {
  pending: 'waits for its certificate; bring it with `holdfast ca import`',
  active: 'has no certificate',
  retired: 'is retired and issues nothing; name another one',
};

async function onlyActive(db: Db | Tx, authorityId: string): Promise<CertifiedAuthorityRow> {
  const { authorityId: authority, state, id } = certificationAuthorities;
  const rows = await db
    .select()
    .from(certificationAuthorities)
    .where(and(eq(authority, authorityId), eq(state, 'active')))
    .orderBy(asc(id))
    .limit(2);
  const [only, other] = rows.filter(isCertified);
  if (only !== undefined && other === undefined) return only;
  const message =
    only === undefined
      ? 'this authority has no certification authority that is active; make one with `holdfast ca init`'
      : 'this authority has several certification authorities that are active; name the one that you mean by its certificationAuthorityId: `holdfast ca list` shows it, --ca takes it';
  throw new RegistryError('certification_authority_not_active', message);
}

/** For what it publishes itself; anybody may read it. @returns undefined unless it has its certificate */
export async function readCertifiedAuthority(db: Db | Tx, id: string): Promise<CertifiedAuthorityRow | undefined> {
  const row = await rowOf(db, id);
  return row !== undefined && isCertified(row) ? row : undefined;
}

/** All that have published something: lists and answers about what they issued. */
export async function readCertifiedAuthorities(db: Db | Tx): Promise<CertifiedAuthorityRow[]> {
  const rows = await db.select().from(certificationAuthorities).orderBy(asc(certificationAuthorities.id));
  return rows.filter(isCertified);
}

/** Takes hold of one until the transaction ends. @throws RegistryError not_found */
export async function lockCertificationAuthority(tx: Tx, id: string): Promise<CertificationAuthorityRow> {
  const [row] = isRecordId(id)
    ? await tx.select().from(certificationAuthorities).where(eq(certificationAuthorities.id, id)).for('no key update')
    : [];
  if (row === undefined) throw notFound(KIND, id);
  return row;
}

async function rowOf(db: Db | Tx, id: string): Promise<CertificationAuthorityRow | undefined> {
  if (!isRecordId(id)) return undefined;
  const [row] = await db.select().from(certificationAuthorities).where(eq(certificationAuthorities.id, id));
  return row;
}
