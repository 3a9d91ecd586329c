/** Asks for a certificate for an entity, with a token. */
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type Idempotency, madeBefore } from '../change.ts';
import { readEntity } from '../entities/read-entity.ts';
import { readApplicant } from './applicant.ts';
import {
  actorRecord,
  type CertificateOutcome,
  type CertificationContext,
  type NewCertificateRequest,
} from './certificate-request.ts';
import { inputCertificateRequest } from './certificate-request-input.ts';
import { readOutcome } from './read-certificate-requests.ts';
import { submitRequest } from './submit-request.ts';

/**
 * Subject and alternative names are those of the registry, whatever the request says. Somebody else has to approve it, but
 * for a renewal that says the same.
 * @throws RegistryError not_found, role_missing, organisation_suspended, csr_signature_invalid, weak_key, and as
 *   submitRequest
 */
export async function requestCertificate(
  context: CertificationContext,
  entityId: string,
  { request, ...wanted }: NewCertificateRequest,
  idempotency?: Idempotency,
): Promise<CertificateOutcome> {
  const { db, actor } = context;
  const { authorityId, organisationId } = await readEntity(db, actor, entityId);
  authorise(actor, ACCESS.requestCertificate.roles, authorityId, organisationId, entityId);
  const made = await outcomeBefore();
  if (made !== undefined) return made;
  const parsed = inputCertificateRequest(request);
  const applicant = await readApplicant(db, entityId);
  const requestedBy = actorRecord(actor);
  try {
    return await submitRequest(context, applicant, {
      ...{ ...wanted, request: parsed, channel: 'api', requestedBy, idempotency },
    });
  } catch (error) {
    // The same request at the same time may have been taken in meanwhile, and its key has been seen since then.
    const meanwhile = await outcomeBefore();
    if (meanwhile === undefined) throw error;
    return meanwhile;
  }

  async function outcomeBefore(): Promise<CertificateOutcome | undefined> {
    const id = idempotency === undefined ? undefined : await madeBefore(db, actor, idempotency);
    return id === undefined ? undefined : await readOutcome(db, actor, id);
  }
}
