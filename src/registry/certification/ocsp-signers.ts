/** Who signs what a certification authority says about the status of its certificates, for a short time each. */
import { and, desc, eq, gt, isNotNull, isNull, lt, lte, or, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import { sha256 } from '../../pki/public-key.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { ocspSigners } from '../../storage/schema/certification-authorities.ts';
import { authorise } from '../actor.ts';
import { claimTokenObject } from '../authorities/keys/token-objects-in-making.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import type { CertificationAuthorityRow } from './certification-authority.ts';
import { lockCertificationAuthority } from './read-certification-authority.ts';

/** With its key, as the signer takes it. */
export type OcspSignerRow = typeof ocspSigners.$inferSelect;

export type NewOcspSigner = Omit<OcspSignerRow, 'id' | 'createdAt' | 'purpose'>;

/** The one that lasts longest of those that may sign now, for a second at least; undefined: none may. */
export async function readOcspSigner(
  db: Db | Tx,
  certificationAuthorityId: string,
  now: Date,
): Promise<OcspSignerRow | undefined> {
  const { certificationAuthorityId: owner, notBefore, notAfter, sealedPrivateKey, tokenObject, id } = ocspSigners;
  const isKept = or(isNotNull(sealedPrivateKey), isNotNull(tokenObject));
  const [row] = await db
    .select()
    .from(ocspSigners)
    .where(and(eq(owner, certificationAuthorityId), lte(notBefore, now), gt(notAfter, now), isKept))
    .orderBy(desc(notAfter), desc(id))
    .limit(1);
  return row;
}

/**
 * Half of its time is over: the one after it has as long to get around. None comes after one that lasts as long as its
 * certification authority.
 */
export function isDueForRenewal(
  { notBefore, notAfter }: OcspSignerRow,
  authority: Pick<CertificationAuthorityRow, 'notAfter'>,
  now: Date,
): boolean {
  if (authority.notAfter !== null && notAfter >= authority.notAfter) return false;
  return now.getTime() - notBefore.getTime() >= (notAfter.getTime() - notBefore.getTime()) / 2;
}

/**
 * Nothing is recorded where another node was quicker: then that one signs, and this key never does.
 * @throws RegistryError role_missing, not_found, key_not_ready
 */
export async function recordOcspSigner(context: ChangeContext, signer: NewOcspSigner): Promise<void> {
  authorise(context.actor, ['admin'], null);
  const { now } = context;
  const { certificationAuthorityId, kid, alg, custody, tokenObject, certificate, notBefore, notAfter } = signer;
  await changeRegistry(context, async (tx, record) => {
    const authority = await lockCertificationAuthority(tx, certificationAuthorityId);
    const present = await readOcspSigner(tx, certificationAuthorityId, now);
    if (present !== undefined && !isDueForRenewal(present, authority, now)) return;
    if (tokenObject !== null) await claimTokenObject(tx, tokenObject);
    await tx.insert(ocspSigners).values({ ...signer, id: context.newId(), createdAt: now });
    const after: JsonObject = {
      ...{ kid, alg, custody, x5tS256: sha256(certificate) },
      ...{ notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() },
    };
    record({
      action: 'certification_authority.renew_responder',
      authorityId: authority.authorityId,
      subjectKind: 'certification_authority',
      subjectId: certificationAuthorityId,
      after,
    });
  });
}

/** By the clock of the database: no node whose clock leapt takes a key from the others. */
const HAS_ENDED = lt(ocspSigners.notAfter, sql`now() - interval '1 hour'`);

/** Their sealed keys go with them; what a token holds goes first, see spentResponderObjects. */
export async function dropEndedOcspSigners(db: Db): Promise<void> {
  await db.delete(ocspSigners).where(and(HAS_ENDED, isNull(ocspSigners.tokenObject)));
}

export interface SpentResponderObject {
  owner: string;
  purpose: 'ocsp-responder';
  tokenObject: string;
}

/** Keys in a token that sign no more, there to be destroyed. */
export async function spentResponderObjects(db: Db): Promise<SpentResponderObject[]> {
  const { certificationAuthorityId: owner, purpose, tokenObject } = ocspSigners;
  const rows = await db.select({ owner, purpose, tokenObject }).from(ocspSigners).where(HAS_ENDED);
  return rows.flatMap(({ tokenObject: object, ...place }) =>
    object === null ? [] : [{ ...place, tokenObject: object }],
  );
}

/** The token has it no more. */
export async function forgetResponderObject(db: Db, { tokenObject }: SpentResponderObject): Promise<void> {
  await db.delete(ocspSigners).where(eq(ocspSigners.tokenObject, tokenObject));
}
