/** Requests for certificates on the wire. */
import { z } from '@hono/zod-openapi';
import {
  CERTIFICATE_PROFILES,
  CERTIFICATE_REQUEST_STATES,
  type CertificateOutcome,
  type CertificateRequest,
  MAX_REQUEST_LENGTH,
  REQUEST_LIFETIME_DAYS,
} from '../../../registry/certification/certificate-request.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { CredentialSchema, credentialBody, FingerprintSchema } from '../credentials/credential-schema.ts';
import { textOf } from '../offer-schema.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

export const CertificateProfileSchema = z.enum(CERTIFICATE_PROFILES).openapi('CertificateProfile', {
  description: '`client` and `server`: the ends of TLS connections (`transport`); `signing`: under what is signed.',
});

export const CertificateRequestStateSchema = z.enum(CERTIFICATE_REQUEST_STATES).openapi('CertificateRequestState', {
  description: `\`pending\` until somebody approves or rejects it; \`lapsed\` after ${REQUEST_LIFETIME_DAYS} days, or with its entity.`,
});

const IssuerSchema = RecordIdSchema.openapi({
  description: 'The certification authority that is asked; may be left out where only one is active.',
});

export const NewCertificateRequestSchema = z
  .strictObject({
    request: z.string().min(1).max(MAX_REQUEST_LENGTH).openapi({
      description:
        'PKCS#10 (RFC 2986) as PEM, signed with the key that it is for: EC on P-256 or longer, Ed25519, or RSA from 2048 bits, that was never seen here. Of what it says of its subject nothing is taken over.',
      example: '-----BEGIN CERTIFICATE REQUEST-----\nMIIB…\n-----END CERTIFICATE REQUEST-----\n',
    }),
    profile: CertificateProfileSchema,
    replaces: RecordIdSchema.optional().openapi({
      description:
        'The credential that the new one takes the place of: issued here, to this entity, for the same. It counts beside the new one for the `overlapDays` of the certification authority.',
    }),
    certificationAuthorityId: IssuerSchema.optional(),
  })
  .openapi('NewCertificateRequest');

export const NewCertificateCodeSchema = z
  .strictObject({ profile: CertificateProfileSchema, certificationAuthorityId: IssuerSchema.optional() })
  .openapi('NewCertificateCode');

export const CertificateCodeSchema = z
  .object({
    id: RecordIdSchema,
    entityId: RecordIdSchema,
    certificationAuthorityId: RecordIdSchema,
    profile: CertificateProfileSchema,
    isApproval: z.boolean().openapi({ description: 'Whether what is asked with it is issued at once.' }),
    expiresAt: TimeSchema,
    code: z.string().openapi({ description: 'Kept nowhere: shown this once.' }),
  })
  .openapi('CertificateCode');

const WhoSchema = z.object({
  kind: z.enum(['token', 'operator', 'system', 'entity']),
  id: z.string().openapi({ description: 'Of the API token; of an entity its Entity Identifier.' }),
  name: z.string().openapi({ description: 'As it was at that time.', example: 'Jo, onboarding' }),
});

export const CertificateRequestSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    organisationId: RecordIdSchema,
    entityId: RecordIdSchema,
    entityIdentifier: EntityIdentifierSchema,
    certificationAuthorityId: RecordIdSchema,
    profile: CertificateProfileSchema,
    state: CertificateRequestStateSchema,
    spkiSha256: FingerprintSchema.openapi({ description: 'SHA-256 of the SubjectPublicKeyInfo, base64url.' }),
    replaces: RecordIdSchema.nullable(),
    credentialId: RecordIdSchema.nullable().openapi({ description: 'The certificate, once it is issued.' }),
    channel: z.enum(['api', 'est']),
    requestedBy: WhoSchema,
    codeMadeBy: WhoSchema.nullable().openapi({ description: 'Of a request that came with a code.' }),
    decidedBy: WhoSchema.nullable().openapi({ description: '`null` while it waits, and where nobody had to decide.' }),
    decidedAt: TimeSchema.nullable(),
    reason: z.string().nullable().openapi({ description: 'Why it was decided so.' }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('CertificateRequest');

export const CertificateRequestPageSchema = pageSchema('CertificateRequestPage', CertificateRequestSchema);

export const CertificateOutcomeSchema = CertificateRequestSchema.extend({
  credential: z.union([CredentialSchema, z.null()]).openapi({
    description: 'The certificate is the first of its `x5c`; `null` while the request waits, or came to nothing.',
  }),
}).openapi('CertificateOutcome');

export function certificateRequestBody(request: CertificateRequest): z.infer<typeof CertificateRequestSchema> {
  const { id, authorityId, organisationId, entityId, entityIdentifier, certificationAuthorityId, profile } = request;
  const { state, spkiSha256, replaces, credentialId, channel, requestedBy, decidedBy, reason, version } = request;
  return {
    ...{ id, authorityId, organisationId, entityId, entityIdentifier, certificationAuthorityId, profile },
    ...{ state, spkiSha256, replaces, credentialId, channel },
    requestedBy: WhoSchema.parse(requestedBy),
    codeMadeBy: WhoSchema.nullable().parse(requestedBy['codeMadeBy'] ?? null),
    decidedBy: WhoSchema.nullable().parse(decidedBy),
    decidedAt: textOf(request.decidedAt),
    ...{ reason, version },
    createdAt: request.createdAt.toISOString(),
  };
}

export function certificateOutcomeBody(
  { request, credential }: CertificateOutcome,
  now: Date,
): z.infer<typeof CertificateOutcomeSchema> {
  return {
    ...certificateRequestBody(request),
    credential: credential === null ? null : credentialBody(credential, now),
  };
}
