/** Renews the certificate whose private key a client showed to have, such as that of its TLS connection. @see RFC 7030 §4.2.2 */
import { and, desc, eq } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { certificateRequests } from '../../storage/schema/certificate-requests.ts';
import { credentialStanding } from '../credentials/credential-standing.ts';
import { readCredential } from '../credentials/read-credential.ts';
import { RegistryError } from '../registry-error.ts';
import { type Applicant, entityActor, readApplicant } from './applicant.ts';
import {
  actorRecord,
  type CertificateOutcome,
  type CertificateRequestRow,
  type Reenrolment,
  type TokenlessCertificationContext,
} from './certificate-request.ts';
import { inputCertificateRequest, type ParsedRequest } from './certificate-request-input.ts';
import { requestComplaint } from './certificate-subject.ts';
import { readSettledOutcome } from './read-certificate-requests.ts';
import { readProfile } from './renewable.ts';
import { submitRequest } from './submit-request.ts';

/**
 * For the same use of the same entity, and of no other. The same request again has the same outcome, for who did not hear of
 * it or waits for approval.
 * @throws RegistryError not_active unless what is presented counts, role_missing when the request names another entity,
 *   csr_signature_invalid, weak_key, and as submitRequest
 */
export async function reenrol(
  context: TokenlessCertificationContext,
  { presented, request, certificationAuthorityId }: Reenrolment,
): Promise<CertificateOutcome> {
  const { db, now } = context;
  const { profile, entityId } = await readProfile(db, presented);
  const applicant = await readApplicant(db, entityId);
  const actor = entityActor(applicant);
  const { refusal } = credentialStanding(await readCredential(db, actor, presented), now);
  if (refusal !== null) {
    throw new RegistryError('not_active', `the certificate presented does not count: ${refusal}`, { reason: refusal });
  }
  const parsed = inputCertificateRequest(request);
  requireOwn(parsed, applicant);
  const asEntity = { ...context, actor };
  const earlier = await earlierRequest(db, presented, parsed);
  if (earlier !== undefined) return await readSettledOutcome(asEntity, earlier.id);
  try {
    return await submitRequest(asEntity, applicant, {
      ...{ request: parsed, profile, replaces: presented, certificationAuthorityId },
      ...{ channel: 'est', requestedBy: actorRecord(actor) },
    });
  } catch (error) {
    // The same request at the same time may have been taken in meanwhile.
    const meanwhile = await earlierRequest(db, presented, parsed);
    if (meanwhile === undefined) throw error;
    return await readSettledOutcome(asEntity, meanwhile.id);
  }
}

/** @throws RegistryError role_missing */
function requireOwn(request: ParsedRequest, { entity, organisation }: Applicant): void {
  const complaint = requestComplaint(request, entity, organisation);
  if (complaint === undefined) return;
  const message = `the request ${complaint}, and a certificate renews none but itself; leave the subject as it was`;
  throw new RegistryError('role_missing', message);
}

async function earlierRequest(
  db: Db,
  presented: string,
  { der }: ParsedRequest,
): Promise<Pick<CertificateRequestRow, 'id'> | undefined> {
  const { id, replaces, request } = certificateRequests;
  const [earlier] = await db
    .select({ id })
    .from(certificateRequests)
    .where(and(eq(replaces, presented), eq(request, der)))
    .orderBy(desc(id))
    .limit(1);
  return earlier;
}
