/** Codes by which a machine without a token gets its first certificate: 160 random bits, of which only the SHA-256 is kept. */
import { createHash, randomBytes } from 'node:crypto';
import { and, count, eq, gt, isNull } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { certificateCodes } from '../../storage/schema/certificate-requests.ts';
import type { CertificateProfile } from '../../storage/schema/certification-authorities.ts';
import { ACCESS } from '../access.ts';
import { type Actor, authorise, isMember } from '../actor.ts';
import { authorityOf } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { lockEntity } from '../entities/lock-entity.ts';
import { readEntity } from '../entities/read-entity.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';
import { entityActor, readApplicant } from './applicant.ts';
import {
  actorRecord,
  type CertificateOutcome,
  MAX_WAITING_REQUESTS,
  type RequestWithCode,
  type TokenlessCertificationContext,
} from './certificate-request.ts';
import { inputCertificateRequest } from './certificate-request-input.ts';
import { certificateSubject } from './certificate-subject.ts';
import { readSettledOutcome } from './read-certificate-requests.ts';
import { readActiveCertificationAuthority } from './read-certification-authority.ts';
import { submitRequest } from './submit-request.ts';

type CertificateCodeRow = typeof certificateCodes.$inferSelect;

/** A code as it may be shown, once, to whoever made it. */
export interface NewCertificateCode
  extends Pick<
    CertificateCodeRow,
    'id' | 'entityId' | 'certificationAuthorityId' | 'profile' | 'isApproval' | 'expiresAt'
  > {
  code: string;
}

export interface CertificateCodeOrder {
  profile: CertificateProfile;
  /** Left out: the only active one of the authority. */
  certificationAuthorityId?: string;
}

const CODE_LIFETIME_SECONDS = 86_400;

/** The prefix lets secret scanners recognise a leaked code. */
const PREFIX = 'holdfast_code_';
const CODE_BYTES = 20;

/**
 * Makes a code for one request of one entity, for one use. Made by whoever may approve requests it approves of that one
 * beforehand, but not where the authority asks for four eyes.
 * @throws RegistryError not_found, role_missing, organisation_suspended, not_active, certification_authority_not_active,
 *   validation_failed, limit_reached
 */
export async function makeCertificateCode(
  context: ChangeContext,
  entityId: string,
  { profile, certificationAuthorityId }: CertificateCodeOrder,
): Promise<NewCertificateCode> {
  const { db, actor, now } = context;
  const { authorityId, organisationId } = await readEntity(db, actor, entityId);
  authorise(actor, ACCESS.makeCertificateCode.roles, authorityId, organisationId, entityId);
  const { entity, organisation } = await readApplicant(db, entityId);
  const issuer = await readActiveCertificationAuthority(db, authorityId, certificationAuthorityId);
  certificateSubject(entity, organisation, profile);
  const code = `${PREFIX}${randomBytes(CODE_BYTES).toString('base64url')}`;
  const { fourEyes } = await authorityOf(db, { authorityId });
  const row: CertificateCodeRow = {
    ...{ id: context.newId(), authorityId, entityId, certificationAuthorityId: issuer.id, profile },
    ...{ codeSha256: digestOf(code), isApproval: fourEyes === 'off' && mayApprove(actor), madeBy: actorRecord(actor) },
    ...{ createdAt: now, expiresAt: new Date(now.getTime() + CODE_LIFETIME_SECONDS * 1000) },
    ...{ usedAt: null, requestSha256: null, requestId: null },
  };
  const { id, isApproval, expiresAt } = row;
  const shown = { id, entityId, certificationAuthorityId: issuer.id, profile, isApproval, expiresAt };
  await changeRegistry(context, async (tx, record) => {
    await lockEntity(tx, entityId);
    await readApplicant(tx, entityId);
    await requireRoom(tx, entityId, now);
    await tx.insert(certificateCodes).values(row);
    record({
      action: 'certificate_code.make',
      authorityId,
      subjectKind: 'certificate_code',
      subjectId: id,
      after: { ...shown, expiresAt: expiresAt.toISOString() },
    });
  });
  return { ...shown, code };
}

/**
 * Asks for a certificate with a code, which is good for the first request that comes with it: the same may be sent again
 * until the code expires and has the same outcome.
 * @throws RegistryError code_invalid, csr_signature_invalid, weak_key, and as submitRequest and readSettledOutcome
 */
export async function requestWithCode(
  context: TokenlessCertificationContext,
  { code, request, certificationAuthorityId }: RequestWithCode,
): Promise<CertificateOutcome> {
  const { db, now } = context;
  const codeSha256 = digestOf(code);
  const found = await readCode(db, codeSha256, now);
  if (certificationAuthorityId !== undefined && found.certificationAuthorityId !== certificationAuthorityId) {
    throw invalidCode();
  }
  const parsed = inputCertificateRequest(request);
  const requestSha256 = digestOf(parsed.der);
  const applicant = await readApplicant(db, found.entityId);
  const asEntity = { ...context, actor: entityActor(applicant) };
  if (found.requestId !== null) return await outcomeAgain(found);
  try {
    const requestedBy = { ...actorRecord(asEntity.actor), codeMadeBy: found.madeBy };
    // The authority may ask for four eyes since it was made.
    const { fourEyes } = await authorityOf(db, found);
    const approvedBy = found.isApproval && fourEyes === 'off' ? found.madeBy : undefined;
    return await submitRequest(asEntity, applicant, {
      ...{ request: parsed, profile: found.profile, certificationAuthorityId: found.certificationAuthorityId },
      ...{ channel: 'est', requestedBy, approvedBy },
      alongside: (tx, requestId) => consume(tx, found, { requestId, requestSha256, usedAt: now }),
    });
  } catch (error) {
    // It may have been used meanwhile: then that is what counts, and by the same request it is no error.
    const seen = await readCode(db, codeSha256, now);
    if (seen.requestId === null) throw error;
    return await outcomeAgain(seen);
  }

  async function outcomeAgain({ requestId, requestSha256: before }: CertificateCodeRow): Promise<CertificateOutcome> {
    if (requestId === null || before !== requestSha256) throw invalidCode();
    return await readSettledOutcome(asEntity, requestId);
  }
}

/** Of uses at once one finds it unused. @throws RegistryError code_invalid */
async function consume(
  tx: Tx,
  { id }: CertificateCodeRow,
  use: Pick<CertificateCodeRow, 'requestId' | 'requestSha256' | 'usedAt'>,
): Promise<void> {
  const consumed = await tx
    .update(certificateCodes)
    .set(use)
    .where(and(eq(certificateCodes.id, id), isNull(certificateCodes.usedAt)))
    .returning({ id: certificateCodes.id });
  if (consumed.length === 0) throw invalidCode();
}

/** A code ends when the token is revoked that it was made with; it may outlive one that ends by itself. @throws RegistryError code_invalid */
async function readCode(db: Db, codeSha256: string, now: Date): Promise<CertificateCodeRow> {
  const [code] = await db
    .select()
    .from(certificateCodes)
    .where(and(eq(certificateCodes.codeSha256, codeSha256), gt(certificateCodes.expiresAt, now)));
  if (code === undefined || (await isTokenRevoked(db, code))) throw invalidCode();
  return code;
}

async function isTokenRevoked(db: Db, { madeBy: { kind, id } }: CertificateCodeRow): Promise<boolean> {
  if (kind !== 'token' || typeof id !== 'string' || !isRecordId(id)) return false;
  const [token] = await db.select({ revokedAt: apiTokens.revokedAt }).from(apiTokens).where(eq(apiTokens.id, id));
  return token === undefined || token.revokedAt !== null;
}

/** Why is not told: whoever has no code that counts learns nothing. */
function invalidCode(): RegistryError {
  const message = 'this code is unknown, over, or was used for another request; have another one made';
  return new RegistryError('code_invalid', message);
}

function mayApprove(actor: Actor): boolean {
  const deciders: readonly string[] = ACCESS.approveCertificateRequest.roles;
  return !isMember(actor) && actor.roles.some((role) => deciders.includes(role));
}

/** Works on an entity that is held. @throws RegistryError limit_reached */
async function requireRoom(tx: Tx, entityId: string, now: Date): Promise<void> {
  const { entityId: ofEntity, usedAt, expiresAt } = certificateCodes;
  const [open] = await tx
    .select({ codes: count() })
    .from(certificateCodes)
    .where(and(eq(ofEntity, entityId), isNull(usedAt), gt(expiresAt, now)));
  if ((open?.codes ?? 0) < MAX_WAITING_REQUESTS) return;
  const message = `an entity has at most ${MAX_WAITING_REQUESTS} codes that nobody used yet; use those, or wait until they expire`;
  throw new RegistryError('limit_reached', message);
}

function digestOf(secret: string | Uint8Array): string {
  return createHash('sha256').update(secret).digest('base64url');
}
