/** How requests for certificates are shown. */
import { z } from 'zod';
import { encodePem } from '../../pki/pem.ts';
import { credentialSchema } from '../credential/credential-records.ts';
import { describeCredential } from '../credential/credential-report.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';

const who = z.looseObject({ id: z.string(), name: z.string() });

export const certificateRequestSchema = z.looseObject({
  id: z.string(),
  entityId: z.string(),
  entityIdentifier: z.string(),
  certificationAuthorityId: z.string(),
  profile: z.string(),
  state: z.string(),
  spkiSha256: z.string(),
  replaces: z.string().nullable(),
  credentialId: z.string().nullable(),
  channel: z.string(),
  requestedBy: who,
  codeMadeBy: who.nullable(),
  decidedBy: who.nullable(),
  decidedAt: z.string().nullable(),
  reason: z.string().nullable(),
  version: z.number(),
  createdAt: z.string(),
  /** Where one is read, not in lists. */
  credential: credentialSchema.nullish(),
});

export type CertificateRequestRecord = z.infer<typeof certificateRequestSchema>;

export const CERTIFICATE_REQUEST_COLUMNS = ['ID', 'ENTITY', 'PROFILE', 'STATE', 'ASKED FOR BY', 'AT'];

export function certificateRequestRow(request: CertificateRequestRecord): string[] {
  const { id, entityIdentifier, profile, state, requestedBy, createdAt } = request;
  return [id, entityIdentifier, profile, state, requestedBy.name, shortMoment(createdAt)];
}

export function describeCertificateRequest(report: Report, request: CertificateRequestRecord): void {
  const { decidedAt, decidedBy, credential } = request;
  report.heading(titleOf(request));
  report.facts([
    ['id', request.id],
    ['state', request.state],
    ['asked for by', `${request.requestedBy.name}, ${momentText(request.createdAt)}`],
    ['with a code of', request.codeMadeBy?.name],
    [
      'decided',
      decidedAt === null ? undefined : `${momentText(decidedAt)}, by ${decidedBy?.name ?? 'nobody: a renewal'}`,
    ],
    ['reason', request.reason ?? undefined],
    ['takes the place of', request.replaces ?? undefined],
    ['certification authority', request.certificationAuthorityId],
    ['key (SPKI SHA-256)', request.spkiSha256],
    ['version', String(request.version)],
  ]);
  if (credential != null) describeCredential(report, credential);
}

export function titleOf({ profile, entityIdentifier }: CertificateRequestRecord): string {
  return `${profile} certificate for ${entityIdentifier}`;
}

/** The certificate and those above it, the leaf first; undefined while there is none. */
export function chainOf({ credential }: CertificateRequestRecord): string | undefined {
  return credential?.x5c?.map((base64) => encodePem(Buffer.from(base64, 'base64'))).join('');
}
