/** Reads requests for certificates, with whose they are, as far as the reader reaches. */
import { and, asc, eq, getTableColumns, gt, type SQL } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { type CertificateRequestState, certificateRequests } from '../../storage/schema/certificate-requests.ts';
import type { CertificateProfile } from '../../storage/schema/certification-authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import type { ChangeContext } from '../change.ts';
import { credentialStanding } from '../credentials/credential-standing.ts';
import { readCredential } from '../credentials/read-credential.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';
import type { CertificateOutcome, CertificateRequest } from './certificate-request.ts';

const KIND = 'certificate request';
const { request: _, ...COLUMNS } = getTableColumns(certificateRequests);

/** @throws RegistryError not_found (also when it belongs to somebody out of reach), role_missing */
export async function readCertificateRequest(db: Db | Tx, actor: Actor, id: string): Promise<CertificateRequest> {
  requireRole(actor, ACCESS.readCertificateRequest.roles);
  const [found] = isRecordId(id) ? await select(db, eq(certificateRequests.id, id), 1) : [];
  if (found === undefined || !reaches(actor, found.authorityId, found.organisationId, found.entityId)) {
    throw notFound(KIND, id);
  }
  return found;
}

/** A request with what came of it. @throws RegistryError not_found, role_missing */
export async function readOutcome(db: Db, actor: Actor, id: string): Promise<CertificateOutcome> {
  const request = await readCertificateRequest(db, actor, id);
  const { credentialId } = request;
  return { request, credential: credentialId === null ? null : await readCredential(db, actor, credentialId) };
}

/**
 * The same for who sends his request again.
 * @throws RegistryError illegal_transition when it was rejected or lapsed, or its certificate does not count any more
 */
export async function readSettledOutcome(
  { db, actor, now }: Pick<ChangeContext, 'db' | 'actor' | 'now'>,
  id: string,
): Promise<CertificateOutcome> {
  const { request, credential } = await readOutcome(db, actor, id);
  const { state, reason } = request;
  if (state === 'rejected' || state === 'lapsed') {
    const message = `this request was ${state}${reason === null ? '' : `: ${reason}`}; ask again with a new key`;
    throw new RegistryError('illegal_transition', message, { from: state, allowed: [] });
  }
  const refusal = credential === null ? null : credentialStanding(credential, now).refusal;
  if (refusal === null) return { request, credential };
  const message = `the certificate of this request does not count any more: ${refusal}; ask again with a new key`;
  throw new RegistryError('illegal_transition', message, { reason: refusal, from: state, allowed: [] });
}

export interface CertificateRequestFilter {
  authorityId?: string;
  organisationId?: string;
  entityId?: string;
  certificationAuthorityId?: string;
  profile?: CertificateProfile;
  state?: CertificateRequestState;
}

/** Oldest first. @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listCertificateRequests(
  db: Db,
  actor: Actor,
  { authorityId, organisationId, entityId, certificationAuthorityId, profile, state }: CertificateRequestFilter,
  request: PageRequest,
): Promise<Page<CertificateRequest>> {
  const table = certificateRequests;
  const columns = { authority: table.authorityId, organisation: entities.organisationId, entity: entities.id };
  const reached = inReach(actor, ACCESS.listCertificateRequests.roles, columns, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      reached,
      organisationId === undefined ? undefined : eq(entities.organisationId, organisationId),
      entityId === undefined ? undefined : eq(table.entityId, entityId),
      certificationAuthorityId === undefined ? undefined : eq(table.certificationAuthorityId, certificationAuthorityId),
      profile === undefined ? undefined : eq(table.profile, profile),
      state === undefined ? undefined : eq(table.state, state),
      after === undefined ? undefined : gt(table.id, after),
    ),
    request.limit + 1,
  );
  return pageOf(found, request);
}

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<CertificateRequest[]> {
  const rows = await db
    .select({
      request: COLUMNS,
      entityIdentifier: entities.entityIdentifier,
      organisationId: entities.organisationId,
    })
    .from(certificateRequests)
    .innerJoin(entities, eq(entities.id, certificateRequests.entityId))
    .where(where)
    .orderBy(asc(certificateRequests.id))
    .limit(limit);
  return rows.map(({ request, ...entity }) => ({ ...request, ...entity }));
}
