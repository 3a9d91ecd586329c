/** Takes in a request for a certificate, whoever shows by what that he may: it is issued at once, or waits for approval. */
import { and, count, eq } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { certificateRequests } from '../../storage/schema/certificate-requests.ts';
import type { CertificateProfile } from '../../storage/schema/certification-authorities.ts';
import { changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { type Applicant, holdApplicant } from './applicant.ts';
import {
  type CertificateOutcome,
  type CertificateRequestRow,
  type CertificationContext,
  certificateRequestSnapshot,
  MAX_WAITING_REQUESTS,
  PROFILE_USAGE,
} from './certificate-request.ts';
import type { ParsedRequest } from './certificate-request-input.ts';
import { certificateSubject, requestComplaint } from './certificate-subject.ts';
import { recordCertificate, requireCounting, signCertificate } from './issue-for-entity.ts';
import { readOutcome } from './read-certificate-requests.ts';
import { readActiveCertificationAuthority } from './read-certification-authority.ts';
import { readRenewable, saysTheSame } from './renewable.ts';
import { requireUnseenKey } from './unseen-key.ts';

export interface Submission {
  request: ParsedRequest;
  profile: CertificateProfile;
  /** Id of the credential whose place it takes. */
  replaces?: string | undefined;
  certificationAuthorityId?: string | undefined;
  channel: CertificateRequestRow['channel'];
  requestedBy: JsonObject;
  /** Whoever may approve it and did so beforehand. */
  approvedBy?: JsonObject | undefined;
  idempotency?: Idempotency | undefined;
  /** Runs in the transaction that records the request, after it was written. */
  alongside?: (tx: Tx, requestId: string) => Promise<void>;
}

/**
 * A renewal that says of the entity what the certificate before says is issued at once, as is what was approved beforehand;
 * all else waits for somebody who may approve it.
 * @throws RegistryError not_found, not_active, key_reuse, subject_mismatch, validation_failed, illegal_transition,
 *   certification_authority_not_active, chain_untrusted, evidence_changed, limit_reached, idempotency_key_reused, and what
 *   keeps a credential from being added
 */
export async function submitRequest(
  context: CertificationContext,
  applicant: Applicant,
  { request, profile, replaces, channel, requestedBy, approvedBy, ...submission }: Submission,
): Promise<CertificateOutcome> {
  const { db, now } = context;
  const { entity, organisation } = applicant;
  const renewed = replaces === undefined ? undefined : await readRenewable(db, entity.id, replaces, now);
  if (renewed !== undefined && renewed.profile !== profile) {
    throw invalidField('/profile', `is that of the certificate before: ${renewed.profile}`);
  }
  const asked = submission.certificationAuthorityId ?? renewed?.activeIssuer;
  const certificationAuthority = await readActiveCertificationAuthority(db, entity.authorityId, asked);
  requireOwnRequest(request, applicant);
  const subject = certificateSubject(entity, organisation, profile);
  await requireUnseenKey(db, request);
  const isIssued = approvedBy !== undefined || (renewed !== undefined && saysTheSame(renewed, subject));
  const plan = { applicant, certificationAuthority, profile, request, subject, renewed };
  const signed = isIssued ? await signCertificate(context, plan) : undefined;
  // What would never count is not left waiting.
  if (!isIssued) await requireCounting(db, applicant, profile);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, submission.idempotency, async (requestId) => {
      const held = await holdApplicant(tx, applicant, { usage: PROFILE_USAGE[profile], ...request });
      await requireUnseenKey(tx, request);
      if (signed === undefined) await requireRoom(tx, entity.id);
      const credentialId = signed === undefined ? null : await recordCertificate(tx, context, signed, held, record);
      const row: CertificateRequestRow = {
        ...{ id: requestId, authorityId: entity.authorityId, entityId: entity.id, profile, channel, requestedBy },
        ...{ certificationAuthorityId: certificationAuthority.id, credentialId, replaces: replaces ?? null },
        ...{ request: request.der, spkiSha256: request.spkiSha256, reason: null, version: 1, createdAt: now },
        ...(credentialId === null
          ? { state: 'pending', decidedBy: null, decidedAt: null }
          : { state: 'issued', decidedBy: approvedBy ?? null, decidedAt: now }),
      };
      await tx.insert(certificateRequests).values(row);
      record({
        action: 'certificate_request.submit',
        authorityId: entity.authorityId,
        subjectKind: 'certificate_request',
        subjectId: requestId,
        after: certificateRequestSnapshot(row),
      });
      await submission.alongside?.(tx, requestId);
    });
  });
  return await readOutcome(db, context.actor, id);
}

/** @throws RegistryError subject_mismatch */
function requireOwnRequest(request: ParsedRequest, { entity, organisation }: Applicant): void {
  const complaint = requestComplaint(request, entity, organisation);
  if (complaint === undefined) return;
  const message = `the request ${complaint}; leave its subject empty, which is rebuilt from the registry anyway`;
  throw new RegistryError('subject_mismatch', message);
}

/** Works on an entity that is held. @throws RegistryError limit_reached */
async function requireRoom(tx: Tx, entityId: string): Promise<void> {
  const { entityId: ofEntity, state } = certificateRequests;
  const [waiting] = await tx
    .select({ requests: count() })
    .from(certificateRequests)
    .where(and(eq(ofEntity, entityId), eq(state, 'pending')));
  if ((waiting?.requests ?? 0) < MAX_WAITING_REQUESTS) return;
  const message = `an entity has at most ${MAX_WAITING_REQUESTS} requests that wait; have them approved or rejected first`;
  throw new RegistryError('limit_reached', message);
}
