/** Writes a new credential; works in the transaction of the verb that adds it, which holds the records of the identifier. */
import { and, count, eq, inArray, isNotNull, or, sql } from 'drizzle-orm';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import type { Tx } from '../../storage/connect.ts';
import { certificationAuthorities } from '../../storage/schema/certification-authorities.ts';
import { type CredentialRevocationReason, credentials } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import type { AuditEntry, ChangeContext } from '../change.ts';
import type { EntityRow } from '../entities/entity.ts';
import { RegistryError } from '../registry-error.ts';
import { derOf } from '../trust-lists/listed-path.ts';
import { type CredentialRow, credentialSnapshot, MAX_OPEN_CREDENTIALS } from './credential.ts';
import type { MaterialColumns } from './credential-material.ts';
import { isOpen } from './credential-standing.ts';
import { requireOneEnvironment } from './one-environment.ts';
import { claimTransportKey } from './transport-keys.ts';

export type CredentialPlan = MaterialColumns &
  Pick<CredentialRow, 'id' | 'usage' | 'possession' | 'supersedes' | 'path' | 'pathJudgedAt'> & {
    /** Who of ours issued it; left out of what others did. */
    certificationAuthorityId?: string;
  };

/** @throws RegistryError wrong_environment, key_barred, credential_exists, credential_in_use, limit_reached */
export async function insertCredential(
  tx: Tx,
  { now }: Pick<ChangeContext, 'now'>,
  entity: EntityRow,
  plan: CredentialPlan,
  record: (entry: AuditEntry) => void,
): Promise<void> {
  const { authorityId, id: entityId, environment } = entity;
  const { certificationAuthorityId = null } = plan;
  await requireOneEnvironment(tx, entity, now);
  await requireUnbarred(tx, entity, plan);
  if (certificationAuthorityId === null) await requireForeign(tx, entity, plan);
  await requireNew(tx, entityId, plan, now);
  if (plan.usage === 'transport') await claimTransportKey(tx, plan, entity, now, record);
  const credential: CredentialRow = {
    ...plan,
    authorityId,
    entityId,
    source: certificationAuthorityId === null ? 'external' : 'issued',
    certificationAuthorityId,
    environment,
    state: 'active',
    stateReason: null,
    stateChangedAt: now,
    revocationReason: null,
    revokedAt: null,
    supersededAt: null,
    version: 1,
    createdAt: now,
  };
  await tx.insert(credentials).values(credential);
  record({
    action: certificationAuthorityId === null ? 'credential.add' : 'credential.issue',
    authorityId,
    subjectKind: 'credential',
    subjectId: plan.id,
    after: credentialSnapshot(credential),
  });
}

/**
 * A key that somebody else has is nobody's proof any more, under whatever certificate and for whomever; nor is a certificate
 * that is not to be believed, whoever signs it. A member's word bars it from its own organisation only, unless he proved
 * that the key was his.
 */
async function requireUnbarred(
  tx: Tx,
  { authorityId, organisationId }: EntityRow,
  { spkiSha256, x5tS256 }: CredentialPlan,
): Promise<void> {
  const [barring] = await tx
    .select({ reason: credentials.revocationReason })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .where(
      and(
        eq(credentials.spkiSha256, spkiSha256),
        eq(credentials.authorityId, authorityId),
        or(
          eq(credentials.revocationReason, 'key_compromise'),
          and(inArray(credentials.revocationReason, DISBELIEVED), eq(credentials.x5tS256, x5tS256 ?? '')),
        ),
        or(
          eq(entities.organisationId, organisationId),
          eq(credentials.possession, 'proven'),
          revokedByStaff('credentials'),
        ),
      ),
    )
    .limit(1);
  if (barring === undefined) return;
  const message =
    barring.reason === 'key_compromise'
      ? 'this key is compromised and does not return; make a new one'
      : `this certificate was revoked (${barring.reason}) and does not return; have another one issued`;
  throw new RegistryError('key_barred', message);
}

/**
 * What a certification authority of ours issued is on record since then, or was before a restore: it never counts beside that
 * record, which lists of revocations and OCSP go by.
 * @throws RegistryError key_barred
 */
async function requireForeign(tx: Tx, { authorityId }: EntityRow, { x5c }: CredentialPlan): Promise<void> {
  const [leaf] = x5c ?? [];
  if (leaf === undefined) return;
  const issuers = await tx
    .select({ name: certificationAuthorities.name, x5c: certificationAuthorities.x5c })
    .from(certificationAuthorities)
    .where(and(eq(certificationAuthorities.authorityId, authorityId), isNotNull(certificationAuthorities.x5c)));
  const { issuer, authorityKeyId } = parsePathCertificate(derOf(leaf));
  for (const { name, x5c: path } of issuers) {
    const { subject, subjectKeyId } = parsePathCertificate(derOf(path?.[0] ?? ''));
    if (issuer.key !== subject.key || (authorityKeyId !== null && authorityKeyId !== subjectKeyId)) continue;
    const message = `this certificate was issued here, by ${name}, and is on record as such or not at all; ask for another one`;
    throw new RegistryError('key_barred', message);
  }
}

/** Reasons by which what the certificate says is not true any more. */
export const DISBELIEVED: CredentialRevocationReason[] = ['ca_compromise', 'affiliation_changed'];

/** Neither a machine of an entity revoked it nor a token of organisations. @param alias of `credentials` in the query */
export const revokedByStaff = (alias: string) => sql`EXISTS (
  SELECT 1 FROM audit LEFT JOIN api_tokens ON api_tokens.id::text = audit.actor ->> 'id'
  WHERE audit.subject_kind = 'credential' AND audit.subject_id = ${sql.identifier(alias)}.id::text
    AND audit.action = 'credential.revoke' AND audit.actor ->> 'kind' <> 'entity'
    AND api_tokens.organisation_ids IS NULL)`;

async function requireNew(tx: Tx, entityId: string, plan: CredentialPlan, now: Date): Promise<void> {
  const { usage, kind, x5tS256, kid, spkiSha256 } = plan;
  const open = and(eq(credentials.entityId, entityId), isOpen(now));
  const isSame =
    x5tS256 === null
      ? and(eq(credentials.kind, kind), or(eq(credentials.spkiSha256, spkiSha256), eq(credentials.kid, kid)))
      : eq(credentials.x5tS256, x5tS256);
  const [same] = await tx
    .select({ id: credentials.id })
    .from(credentials)
    .where(and(open, eq(credentials.usage, usage), isSame))
    .limit(1);
  if (same !== undefined) {
    const message = `its ${usage} credential ${same.id} has this ${kind === 'x509' ? 'certificate' : 'key, or its kid,'} already`;
    throw new RegistryError('credential_exists', message, { credential: same.id });
  }
  const [counted] = await tx.select({ open: count() }).from(credentials).where(open);
  if ((counted?.open ?? 0) < MAX_OPEN_CREDENTIALS) return;
  throw new RegistryError('limit_reached', `an entity has at most ${MAX_OPEN_CREDENTIALS} credentials that may count`);
}
