/** Judges a certificate that is handed in: its way to the trust list, and whether it names whom the record says. */
import { and, eq, inArray, ne, or } from 'drizzle-orm';
import { subjectIdentifiers } from '../../pki/names/subject-identifiers.ts';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import type { PathRefusal } from '../../pki/path/path-refusal.ts';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db } from '../../storage/connect.ts';
import type { CredentialUsage } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisationDomains } from '../../storage/schema/organisation-proofs.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorityOf } from '../authorities/read-authority.ts';
import { asField } from '../certificate-input.ts';
import type { Entity } from '../entities/entity.ts';
import { registrationOf } from '../organisations/registration.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import { derOf, findListedPath, isListable, readListedAnchors } from '../trust-lists/listed-path.ts';
import type { CredentialRow } from './credential.ts';
import { type NamedSubject, type OtherEntity, subjectComplaint } from './subject-complaint.ts';

type Owner = Pick<Entity, 'id' | 'authorityId' | 'organisationId' | 'entityIdentifier'>;
type PathColumns = Pick<CredentialRow, 'path' | 'pathJudgedAt'>;

const UNJUDGED: PathColumns = { path: null, pathJudgedAt: null };

/**
 * Where the authority believes nothing but its trust list, there has to be a way to it, and a bare key has none; elsewhere
 * the way is noted if there is one.
 * @throws RegistryError chain_untrusted with `reason`, `rule` and `certificate` of the refusal; subject_mismatch;
 *   validation_failed
 */
export async function judgeCertificate(
  db: Db,
  owner: Owner,
  usage: CredentialUsage,
  { x5c }: Pick<CredentialRow, 'x5c'>,
  now: Date,
): Promise<PathColumns> {
  const { listedPurposes } = await authorityOf(db, owner);
  const isListed = listedPurposes.some((purpose) => purpose === usage);
  if (x5c === null) {
    if (!isListed) return UNJUDGED;
    const message = `for ${usage} this authority believes certificates below its trust list, and no bare keys; send a certificate`;
    throw new RegistryError('chain_untrusted', message, { reason: 'certificate_missing' });
  }
  await requireSubject(db, owner, x5c, isListed);
  if (!isListable(usage)) return UNJUDGED;
  const anchors = await readListedAnchors(db, owner.authorityId, usage);
  const found = findListedPath(x5c, usage, anchors, now);
  if (!('reason' in found)) return { path: found, pathJudgedAt: now };
  if (isListed) throw untrusted(found);
  return { path: null, pathJudgedAt: now };
}

function untrusted({ reason, rule, message, certificate }: PathRefusal): RegistryError {
  const { from, index, subject, issuer, x5tS256 } = certificate;
  const which =
    from === 'leaf'
      ? 'the certificate'
      : `number ${index + 1} ${from === 'anchors' ? 'of the trust list' : 'above it'}`;
  const details = { reason, rule, certificate: { from, index, subject, issuer, x5tS256 } };
  return new RegistryError('chain_untrusted', `no path to the trust list: ${which} ${message}`, details);
}

async function requireSubject(db: Db, owner: Owner, [leaf = '']: readonly string[], isListed: boolean): Promise<void> {
  const { subject, alternativeNames } = asField('/certificate', () => parsePathCertificate(derOf(leaf)));
  const named: NamedSubject = { subject, ...subjectIdentifiers(subject, alternativeNames) };
  const [organisation] = await db.select().from(organisations).where(eq(organisations.id, owner.organisationId));
  const domains = await db
    .select({ domain: organisationDomains.domain, method: organisationDomains.method })
    .from(organisationDomains)
    .where(eq(organisationDomains.organisationId, owner.organisationId));
  const complaint = subjectComplaint(named, {
    ...owner,
    registration: organisation === undefined ? null : registrationOf(organisation),
    ...{ domains, isListed, others: await othersNamed(db, owner, named) },
  });
  if (complaint === undefined) return;
  throw new RegistryError('subject_mismatch', `the certificate ${complaint}`);
}

/** Other entities of the authority whom the certificate may be of, by what stands in it. */
async function othersNamed(db: Db, owner: Owner, { userIds, uris, dnsNames }: NamedSubject): Promise<OtherEntity[]> {
  const ids = userIds.filter(isRecordId);
  const identifiers = [...uris, ...dnsNames.map((name) => `https://${name}`)];
  if (ids.length === 0 && identifiers.length === 0) return [];
  const { id, organisationId, entityIdentifier } = entities;
  return await db
    .select({ id, organisationId, entityIdentifier })
    .from(entities)
    .where(
      and(
        eq(entities.authorityId, owner.authorityId),
        or(isAnyOf(id, ids), isAnyOf(entityIdentifier, identifiers)),
        inArray(entities.state, [...LIVE_STATES]),
        ne(id, owner.id),
      ),
    );
}
