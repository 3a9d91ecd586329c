/** Approves or rejects a request for a certificate, or lets it lapse; what is approved is issued at once. */
import { eq } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { certificateRequests } from '../../storage/schema/certificate-requests.ts';
import { ACCESS } from '../access.ts';
import { type Actor, authorise, isMember, notFound } from '../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { holdApplicant, readApplicant } from './applicant.ts';
import {
  actorRecord,
  type CertificateOutcome,
  type CertificateRequest,
  type CertificateRequestRow,
  type CertificationContext,
  certificateRequestSnapshot,
  PROFILE_USAGE,
} from './certificate-request.ts';
import { inputCertificateRequest } from './certificate-request-input.ts';
import { certificateSubject } from './certificate-subject.ts';
import { recordCertificate, signCertificate } from './issue-for-entity.ts';
import { readCertificateRequest, readOutcome } from './read-certificate-requests.ts';
import { readActiveCertificationAuthority } from './read-certification-authority.ts';
import { readRenewable } from './renewable.ts';
import { requireUnseenKey } from './unseen-key.ts';

/**
 * Neither whoever asked for it nor whoever made the code that it came with approves it. Everything is judged anew, as the
 * registry is now.
 * @throws RegistryError not_found, role_missing, four_eyes, illegal_transition when it does not wait any more,
 *   version_mismatch, not_active, key_reuse, certification_authority_not_active, chain_untrusted, evidence_changed,
 *   limit_reached, and what keeps a credential from being added
 */
export async function approveCertificateRequest(
  context: CertificationContext,
  requestId: string,
  reason: string,
  expectedVersion?: number,
): Promise<CertificateOutcome> {
  const { db, actor, now } = context;
  const { authorityId, entityId } = await readCertificateRequest(db, actor, requestId);
  authorise(actor, ACCESS.approveCertificateRequest.roles, authorityId);
  const seen = await readRow(db, requestId);
  requireWaiting(seen, 'approve');
  requireVersion(seen, expectedVersion);
  requireOtherEyes(seen, actor);
  const { profile, replaces, certificationAuthorityId } = seen;
  const request = inputCertificateRequest(seen.request);
  const applicant = await readApplicant(db, entityId);
  const certificationAuthority = await readActiveCertificationAuthority(db, authorityId, certificationAuthorityId);
  const renewed = replaces === null ? undefined : await readRenewable(db, entityId, replaces, now);
  const subject = certificateSubject(applicant.entity, applicant.organisation, profile);
  const plan = { applicant, certificationAuthority, profile, request, subject, renewed };
  const signed = await signCertificate(context, plan);
  await changeRegistry(context, async (tx, record) => {
    const held = await holdApplicant(tx, applicant, { usage: PROFILE_USAGE[profile], ...request });
    const before = await lockRow(tx, requestId);
    requireWaiting(before, 'approve');
    requireVersion(before, seen.version);
    await requireUnseenKey(tx, request, requestId);
    const withReason = (entry: AuditEntry): void => record({ ...entry, reason });
    const credentialId = await recordCertificate(tx, context, signed, held, withReason);
    const decision = { state: 'issued' as const, credentialId, decidedBy: actorRecord(actor), reason };
    const after = await writeDecision(tx, before, decision, now);
    record(decisionEntry('approve', before, after));
  });
  return await readOutcome(db, actor, requestId);
}

/** @throws RegistryError not_found, role_missing, illegal_transition when it does not wait any more, version_mismatch */
export async function rejectCertificateRequest(
  context: ChangeContext,
  requestId: string,
  reason: string,
  expectedVersion?: number,
): Promise<CertificateOutcome> {
  const { db, actor } = context;
  const { authorityId } = await readCertificateRequest(db, actor, requestId);
  authorise(actor, ACCESS.rejectCertificateRequest.roles, authorityId);
  await closeRequest(context, requestId, { verb: 'reject', state: 'rejected', reason, expectedVersion });
  return await readOutcome(db, actor, requestId);
}

export interface RequestEnd {
  verb: 'reject' | 'lapse';
  state: 'rejected' | 'lapsed';
  reason: string;
  expectedVersion?: number | undefined;
}

/** @throws RegistryError not_found, illegal_transition, version_mismatch */
export async function closeRequest(
  context: ChangeContext,
  requestId: string,
  { verb, state, reason, expectedVersion }: RequestEnd,
): Promise<void> {
  await changeRegistry(context, async (tx, record) => {
    const before = await lockRow(tx, requestId);
    requireWaiting(before, verb);
    requireVersion(before, expectedVersion);
    const decision = { state, credentialId: null, decidedBy: actorRecord(context.actor), reason };
    const after = await writeDecision(tx, before, decision, context.now);
    record(decisionEntry(verb, before, after));
  });
}

function decisionEntry(
  verb: 'approve' | RequestEnd['verb'],
  before: CertificateRequestRow,
  after: CertificateRequestRow,
): AuditEntry {
  return {
    action: `certificate_request.${verb}`,
    authorityId: before.authorityId,
    subjectKind: 'certificate_request',
    subjectId: before.id,
    before: certificateRequestSnapshot(before),
    after: certificateRequestSnapshot(after),
    ...(after.reason !== null && { reason: after.reason }),
  };
}

type Decision = Pick<CertificateRequestRow, 'state' | 'credentialId' | 'reason'> & { decidedBy: JsonObject };

async function writeDecision(
  tx: Tx,
  before: CertificateRequestRow,
  decision: Decision,
  now: Date,
): Promise<CertificateRequestRow> {
  const change = { ...decision, decidedAt: now, version: before.version + 1 };
  await tx.update(certificateRequests).set(change).where(eq(certificateRequests.id, before.id));
  return { ...before, ...change };
}

async function readRow(db: ChangeContext['db'], id: CertificateRequest['id']): Promise<CertificateRequestRow> {
  const [row] = await db.select().from(certificateRequests).where(eq(certificateRequests.id, id));
  if (row === undefined) throw notFound('certificate request', id);
  return row;
}

async function lockRow(tx: Tx, id: string): Promise<CertificateRequestRow> {
  const [row] = await tx.select().from(certificateRequests).where(eq(certificateRequests.id, id)).for('update');
  if (row === undefined) throw notFound('certificate request', id);
  return row;
}

/** @throws RegistryError illegal_transition */
function requireWaiting({ state }: CertificateRequestRow, verb: string): void {
  if (state === 'pending') return;
  const message = `cannot ${verb} a request that is ${state}; that is final, ask with a new one`;
  throw new RegistryError('illegal_transition', message, { from: state, allowed: [] });
}

/** @throws RegistryError four_eyes */
function requireOtherEyes({ requestedBy }: CertificateRequestRow, actor: Actor): void {
  const { id, codeMadeBy } = requestedBy;
  const maker = typeof codeMadeBy === 'object' && codeMadeBy !== null && 'id' in codeMadeBy ? codeMadeBy.id : undefined;
  if (!isMember(actor) && actor.id !== id && actor.id !== maker) return;
  const who = actor.id === maker ? 'made the code of a request' : 'asked for a certificate';
  throw new RegistryError('four_eyes', `whoever ${who} does not approve it; ask somebody else`);
}
