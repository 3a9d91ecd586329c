/** Issues a certificate to an entity: signed outside the transaction that records it, in which everything is looked at again. */
import { isDeepStrictEqual } from 'node:util';
import { eq } from 'drizzle-orm';
import { encodePem } from '../../pki/pem.ts';
import { profileOf } from '../../pki/profile/certificate-profile.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type CertificateProfile, certificationAuthorities } from '../../storage/schema/certification-authorities.ts';
import { authorityOf } from '../authorities/read-authority.ts';
import type { AuditEntry } from '../change.ts';
import type { CredentialRow } from '../credentials/credential.ts';
import { type MaterialColumns, readMaterial } from '../credentials/credential-material.ts';
import { insertCredential } from '../credentials/insert-credential.ts';
import { judgeCertificate } from '../credentials/judge-certificate.ts';
import { RegistryError } from '../registry-error.ts';
import { derOf } from '../trust-lists/listed-path.ts';
import type { Applicant } from './applicant.ts';
import { type CertificationContext, PROFILE_USAGE } from './certificate-request.ts';
import type { ParsedRequest } from './certificate-request-input.ts';
import { type CertificateSubject, certificateSubject } from './certificate-subject.ts';
import type { CertifiedAuthorityRow } from './certification-authority.ts';
import { listedFor } from './listed-for.ts';
import { type Renewable, supersede } from './renewable.ts';

export interface IssuePlan {
  applicant: Applicant;
  certificationAuthority: CertifiedAuthorityRow;
  profile: CertificateProfile;
  request: ParsedRequest;
  subject: CertificateSubject;
  /** What it takes the place of, if anything. */
  renewed: Renewable | undefined;
}

/** A certificate that nobody has yet: it is handed out once it is on record. */
export interface SignedCertificate {
  plan: IssuePlan;
  columns: MaterialColumns & Pick<CredentialRow, 'path' | 'pathJudgedAt'>;
}

/** Before now: clocks of others are behind. */
const BACKDATED_SECONDS = 300;
const DAY_SECONDS = 86_400;

/**
 * Has it made and signed, and judges it as one of somebody else's: what would not count is not issued.
 * @throws RegistryError chain_untrusted, subject_mismatch, certification_authority_not_active; whatever the issuer throws,
 *   such as when its token is away
 */
export async function signCertificate(context: CertificationContext, plan: IssuePlan): Promise<SignedCertificate> {
  const { applicant, certificationAuthority, profile, request, subject } = plan;
  const { now, db, issueCertificate } = context;
  await requireCounting(db, applicant, profile);
  const { der } = await issueCertificate({
    ...{ certificationAuthority, profile, ...subject, spki: request.spki },
    ...validityOf(certificationAuthority, profile, now),
  });
  const usage = PROFILE_USAGE[profile];
  const chain = [der, ...certificationAuthority.x5c.map(derOf)];
  const columns = await readMaterial({ certificate: chain.map((one) => encodePem(one)).join('') }, usage, now);
  try {
    const path = await judgeCertificate(db, applicant.entity, usage, columns, now);
    return { plan, columns: { ...columns, ...path } };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'chain_untrusted') throw error;
    throw await wouldNotCount(context, plan, error);
  }
}

/**
 * Where listed authorities alone are believed for `transport`, that is said of clients of TLS: a server's would never count.
 * @throws RegistryError chain_untrusted
 */
export async function requireCounting(
  db: Db | Tx,
  { entity }: Pick<Applicant, 'entity'>,
  profile: CertificateProfile,
): Promise<void> {
  if (profile !== 'server') return;
  const { listedPurposes } = await authorityOf(db, entity);
  if (!listedPurposes.includes('transport')) return;
  const message =
    'for transport this authority believes listed certification authorities alone, which is about clients of TLS: ' +
    'a certificate of a server would not count; ask for the profile client';
  throw new RegistryError('chain_untrusted', message);
}

async function wouldNotCount(
  { db }: CertificationContext,
  { certificationAuthority, profile }: IssuePlan,
  cause: RegistryError,
): Promise<RegistryError> {
  const usage = PROFILE_USAGE[profile];
  const isListed = (await listedFor(db, certificationAuthority)).some((purpose) => purpose === usage);
  const listIt = `Put it on the list: holdfast trust-list add root.pem --purpose ${usage}`;
  const wayOut = isListed ? '' : `. ${listIt}`;
  const message =
    `for ${usage} this authority believes what is below its trust list alone, and what ${certificationAuthority.name} ` +
    `issues for a ${profile} would not count: ${cause.message}${wayOut}`;
  return new RegistryError('chain_untrusted', message, cause.details, { cause });
}

/**
 * Until the profile, the certification authority or its own certificate ends it, whichever is first. An application has no
 * end of its own while it is active: when it leaves, so do its certificates.
 * @throws RegistryError certification_authority_not_active
 */
function validityOf(
  { name, validityDays, notBefore, notAfter }: CertifiedAuthorityRow,
  profile: CertificateProfile,
  now: Date,
): { notBefore: Date; notAfter: Date } {
  const second = Math.floor(now.getTime() / 1000);
  const begin = Math.max(second - BACKDATED_SECONDS, notBefore.getTime() / 1000);
  const days = Math.min(validityDays[profile], profileOf(profile).maxDays);
  // Both ends count (RFC 5280 §4.1.2.5).
  const end = Math.min(begin + days * DAY_SECONDS - 1, notAfter.getTime() / 1000);
  if (begin <= second && end > second) return { notBefore: new Date(begin * 1000), notAfter: new Date(end * 1000) };
  const message = `the certificate of ${name} is not valid now; bring another one, or name another certification authority`;
  throw new RegistryError('certification_authority_not_active', message);
}

/**
 * Writes it down as a credential, unless what it was signed for is not so any more; works on an applicant that is held.
 * @returns the id of the credential
 * @throws RegistryError certification_authority_not_active, evidence_changed, illegal_transition, limit_reached and what
 *   else keeps a credential from being added
 */
export async function recordCertificate(
  tx: Tx,
  { now, newId }: Pick<CertificationContext, 'now' | 'newId'>,
  { plan, columns }: SignedCertificate,
  { entity, organisation }: Applicant,
  record: (entry: AuditEntry) => void,
): Promise<string> {
  const { certificationAuthority, profile, subject, renewed } = plan;
  const { overlapDays } = await holdActive(tx, certificationAuthority);
  if (!isDeepStrictEqual(certificateSubject(entity, organisation, profile), subject)) {
    const message = 'the record of the entity or its organisation changed meanwhile; ask again';
    throw new RegistryError('evidence_changed', message);
  }
  if (renewed !== undefined) await supersede(tx, renewed, { overlapDays, now }, record);
  const id = newId();
  const credential = {
    ...columns,
    ...{ id, usage: PROFILE_USAGE[profile], possession: 'proven' as const },
    supersedes: renewed?.credential.id ?? null,
    certificationAuthorityId: certificationAuthority.id,
  };
  await insertCredential(tx, { now }, entity, credential, record);
  return id;
}

/** It stays as it is until the transaction ends. @throws RegistryError certification_authority_not_active, evidence_changed */
async function holdActive(
  tx: Tx,
  { id, name, x5tS256: certificate }: CertifiedAuthorityRow,
): Promise<{ overlapDays: number }> {
  const { state, overlapDays, x5tS256 } = certificationAuthorities;
  const [row] = await tx
    .select({ state, overlapDays, x5tS256 })
    .from(certificationAuthorities)
    .where(eq(certificationAuthorities.id, id))
    .for('share');
  if (row?.state === 'active' && row.x5tS256 === certificate) return row;
  if (row?.state === 'active') {
    throw new RegistryError('evidence_changed', `${name} got another certificate of its own meanwhile; ask again`);
  }
  throw new RegistryError('certification_authority_not_active', `${name} was retired meanwhile; name another one`);
}
