/** Gives a certification authority its certificate, or the one after that: from then on it issues. */
import { and, desc, eq, gt, ne } from 'drizzle-orm';
import { formatName } from '../../pki/names/name-string.ts';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import { type PublicJwk, parsePublicJwk } from '../../pki/public-key.ts';
import type { Tx } from '../../storage/connect.ts';
import { certificationAuthorities } from '../../storage/schema/certification-authorities.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { refusedField } from '../certificate-input.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { derOf } from '../trust-lists/listed-path.ts';
import {
  type CertificationAuthority,
  type CertificationAuthorityRow,
  certificationAuthoritySnapshot,
} from './certification-authority.ts';
import { readIssuingChain } from './issuing-chain.ts';
import { lockCertificationAuthority, readCertificationAuthority } from './read-certification-authority.ts';

/**
 * One that is active gets another certificate of its key and name, such as one that lasts longer.
 * @param certificate its own first, then those above it, as PEM
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is retired; validation_failed
 *   as readIssuingChain, and name_invalid, extension_invalid or validity_invalid when what was issued would not be below it
 */
export async function activateCertificationAuthority(
  context: ChangeContext,
  id: string,
  certificate: string,
  expectedVersion?: number,
): Promise<CertificationAuthority> {
  const { db, actor, now } = context;
  const { authorityId, publicJwk } = await readCertificationAuthority(db, actor, id);
  authorise(actor, ACCESS.activateCertificationAuthority.roles, authorityId);
  const { spkiSha256 } = parsePublicJwk(publicJwk as unknown as PublicJwk);
  const certified = readIssuingChain(certificate, spkiSha256, now);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockCertificationAuthority(tx, id);
    if (before.state === 'retired') {
      throw new RegistryError('illegal_transition', 'it is retired; make another one', {
        from: 'retired',
        to: 'active',
      });
    }
    requireVersion(before, expectedVersion);
    if (before.x5tS256 === certified.x5tS256 && before.x5c?.length === certified.x5c.length) return;
    if (before.x5c !== null) {
      requireSameIssuer(before.x5c, certified.x5c);
      await requireLongEnough(tx, id, certified.notAfter);
    }
    const change = {
      ...certified,
      state: 'active' as const,
      activatedAt: before.activatedAt ?? now,
      version: before.version + 1,
    };
    await tx.update(certificationAuthorities).set(change).where(eq(certificationAuthorities.id, id));
    const after: CertificationAuthorityRow = { ...before, ...change };
    record({
      action: 'certification_authority.activate',
      authorityId,
      subjectKind: 'certification_authority',
      subjectId: id,
      before: certificationAuthoritySnapshot(before),
      after: certificationAuthoritySnapshot(after),
    });
  });
  return readCertificationAuthority(db, actor, id);
}

/** What it issued names it and its key as its issuer, and so do lists and answers (RFC 5280 §4.2.1.1, §5.1.2.3). */
function requireSameIssuer([ownBefore = '']: readonly string[], [own = '']: readonly string[]): void {
  const [before, after] = [ownBefore, own].map((one) => parsePathCertificate(derOf(one)));
  if (before?.subject.key !== after?.subject.key) {
    const named = before && formatName(before.subject, 'readable');
    const detail = `has another subject than the certificate before it (${named}); what was issued names that one`;
    throw refusedField('/certificate', 'name_invalid', detail);
  }
  if (before?.subjectKeyId === after?.subjectKeyId) return;
  const detail = 'has another subjectKeyIdentifier than the certificate before it; what was issued names that one';
  throw refusedField('/certificate', 'extension_invalid', detail);
}

/** Nothing that it issued outlives it. */
async function requireLongEnough(tx: Tx, id: string, notAfter: Date): Promise<void> {
  const [longer] = await tx
    .select({ notAfter: credentials.notAfter })
    .from(credentials)
    .where(
      and(
        eq(credentials.certificationAuthorityId, id),
        gt(credentials.notAfter, notAfter),
        ne(credentials.state, 'revoked'),
      ),
    )
    .orderBy(desc(credentials.notAfter))
    .limit(1);
  if (longer === undefined) return;
  const detail = `ends before what was issued (the last one at ${longer.notAfter?.toISOString()}); bring one that lasts as long`;
  throw refusedField('/certificate', 'validity_invalid', detail);
}
