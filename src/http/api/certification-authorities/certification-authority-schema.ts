/** Certification authorities on the wire. */
import { z } from '@hono/zod-openapi';
import { certificationUrls } from '../../../issuance/certificates/certification-urls.ts';
import { displayName } from '../../../pki/names/name-string.ts';
import { parsePathCertificate } from '../../../pki/path/path-certificate.ts';
import { encodePem, encodePemBlock, MAX_PEM_LENGTH } from '../../../pki/pem.ts';
import {
  CERTIFICATION_ALGORITHMS,
  CERTIFICATION_AUTHORITY_STATES,
  type CertificationAuthority,
  DEFAULT_CERTIFICATION_SETTINGS,
  MAX_CERTIFICATION_NAME_LENGTH,
  MAX_VALIDITY_DAYS,
  REVOCATION_LIST_LIFETIME,
} from '../../../registry/certification/certification-authority.ts';
import { MAX_OVERLAP_DAYS } from '../../../registry/credentials/credential.ts';
import { FingerprintSchema } from '../credentials/credential-schema.ts';
import { textOf } from '../offer-schema.ts';
import { pageSchema } from '../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { line, ReasonSchema, TimeSchema } from '../text-schema.ts';
import { TrustListPurposeSchema } from '../trust-list/trust-list-schema.ts';

export const CertificationAuthorityStateSchema = z
  .enum(CERTIFICATION_AUTHORITY_STATES)
  .openapi('CertificationAuthorityState', {
    description:
      '`pending` until it has its certificate; `active`: it issues; `retired`, for good: it issues nothing, and goes on answering for what it issued.',
  });

const DaysSchema = z.int().min(1).max(MAX_VALIDITY_DAYS).openapi({ example: 397 });

const VALIDITY_DAYS = { client: DaysSchema, server: DaysSchema, signing: DaysSchema };

const ValidityDaysSchema = z.object(VALIDITY_DAYS).openapi('ValidityDays', {
  description: 'Longest validity of what it issues, in days, by profile. Nothing that it issues outlasts its own.',
});

const { validityDays, overlapDays, revocationListLifetimeSeconds } = DEFAULT_CERTIFICATION_SETTINGS;

const NewValidityDaysSchema = z
  .strictObject({
    client: DaysSchema.optional(),
    server: DaysSchema.optional(),
    signing: DaysSchema.optional(),
  })
  .openapi('NewValidityDays', {
    description: `Longest validity of what it issues, in days; ${validityDays.client} unless said.`,
  });

const SETTINGS = {
  publicUrl: z.string().min(1).max(200).openapi({
    description:
      'Where clients find its list of revocations, its responder and its certificate; these URLs stand in each certificate. The address of the service unless given; `http` is as good as `https`.',
    example: 'https://fed.example.org',
  }),
  validityDays: NewValidityDaysSchema,
  overlapDays: z
    .int()
    .min(0)
    .max(MAX_OVERLAP_DAYS)
    .openapi({
      description: `How long an old certificate counts beside the one that renews it; ${overlapDays} unless said.`,
      example: overlapDays,
    }),
  revocationListLifetimeSeconds: z
    .int()
    .min(REVOCATION_LIST_LIFETIME.min)
    .max(REVOCATION_LIST_LIFETIME.max)
    .openapi({
      description: `From one list of revocations to the end of its life, in seconds; ${revocationListLifetimeSeconds} unless said. The next one is made long before, and with each revocation.`,
      example: revocationListLifetimeSeconds,
    }),
};

const NameSchema = line(MAX_CERTIFICATION_NAME_LENGTH).openapi({ example: 'Example Issuing CA' });

const ChainSchema = z
  .string()
  .min(1)
  .max(MAX_PEM_LENGTH)
  .openapi({ example: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n' });

export const NewCertificationAuthoritySchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority of ours for whose entities it issues.' }),
    name: NameSchema.openapi({ description: 'The common name of its certificate, too. One authority has it once.' }),
    alg: z.enum(CERTIFICATION_ALGORITHMS).optional().openapi({
      description:
        'Of its key, by the name in JOSE; unless given `HOLDFAST_KEY_ALGORITHM` of the service, and `RS256` where that is `PS256`, which many TLS libraries do not take.',
    }),
    publicUrl: SETTINGS.publicUrl.optional(),
    validityDays: SETTINGS.validityDays.optional(),
    overlapDays: SETTINGS.overlapDays.optional(),
    revocationListLifetimeSeconds: SETTINGS.revocationListLifetimeSeconds.optional(),
  })
  .openapi('NewCertificationAuthority');

export const CertificationChangesSchema = z
  .strictObject({
    name: NameSchema.optional().openapi({ description: 'For people; that in its certificate stays.' }),
    publicUrl: SETTINGS.publicUrl.optional(),
    validityDays: SETTINGS.validityDays.optional(),
    overlapDays: SETTINGS.overlapDays.optional(),
    revocationListLifetimeSeconds: SETTINGS.revocationListLifetimeSeconds.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('CertificationChanges');

export const ActivationSchema = z
  .strictObject({
    certificate: ChainSchema.openapi({
      description:
        'PEM: its own certificate first, each signed by the next, up to the root. Of its key; CA:TRUE, `keyCertSign` and `cRLSign`; SHA-2; valid now.',
    }),
  })
  .openapi('CertificationAuthorityActivation');

export const RetirementSchema = z.strictObject({ reason: ReasonSchema }).openapi('CertificationAuthorityRetirement');

const UrlSchema = z.string().openapi({ format: 'uri' });

export const CertificationAuthoritySchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    name: NameSchema,
    state: CertificationAuthorityStateSchema,
    kid: z.string().openapi({ description: 'Thumbprint of its key (RFC 7638).' }),
    alg: z.enum(CERTIFICATION_ALGORITHMS),
    custody: z.enum(['sealed', 'pkcs11']).openapi({
      description: 'Who holds its key: the database, sealed, or a PKCS#11 token.',
    }),
    request: z.string().openapi({
      description: 'PKCS#10 as PEM, for whoever certifies it.',
      example: '-----BEGIN CERTIFICATE REQUEST-----\nMIIB…\n-----END CERTIFICATE REQUEST-----\n',
    }),
    certificate: ChainSchema.nullable().openapi({ description: 'PEM, its own first; null until it has one.' }),
    subject: z.string().nullable().openapi({ example: 'O=Example Federation, CN=Example Issuing CA' }),
    x5tS256: FingerprintSchema.nullable(),
    notBefore: TimeSchema.nullable(),
    notAfter: TimeSchema.nullable().openapi({
      description: 'When the first certificate of its chain ends: nothing that it issues counts for longer.',
    }),
    publicUrl: UrlSchema,
    urls: z
      .object({ certificate: UrlSchema, chain: UrlSchema, revocationList: UrlSchema, ocsp: UrlSchema })
      .openapi({ description: 'What is published of it, for everybody.' }),
    validityDays: ValidityDaysSchema,
    overlapDays: z.int(),
    revocationListLifetimeSeconds: z.int(),
    listedFor: z.array(TrustListPurposeSchema).openapi({
      description:
        'The trust lists of its authority that have it, or one above it. Where the authority believes listed ones only, what it issues counts for these.',
    }),
    activatedAt: TimeSchema.nullable(),
    retiredAt: TimeSchema.nullable(),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('CertificationAuthority');

export const CertificationAuthorityPageSchema = pageSchema('CertificationAuthorityPage', CertificationAuthoritySchema);

export function certificationAuthorityBody(
  record: CertificationAuthority,
): z.infer<typeof CertificationAuthoritySchema> {
  const { id, authorityId, name, state, kid, alg, custody, request, x5c, x5tS256, publicUrl } = record;
  const { validityDays, overlapDays, revocationListLifetimeSeconds, listedFor, version, createdAt } = record;
  const ders = x5c?.map((certificate) => Buffer.from(certificate, 'base64'));
  const [own] = ders ?? [];
  const urls = certificationUrls(record);
  return {
    ...{ id, authorityId, name, state, kid, alg, custody, x5tS256, publicUrl, listedFor, version },
    ...{ validityDays, overlapDays, revocationListLifetimeSeconds },
    request: encodePemBlock('CERTIFICATE REQUEST', request),
    certificate: ders?.map(encodePem).join('') ?? null,
    subject: own === undefined ? null : displayName(parsePathCertificate(own).subject),
    notBefore: textOf(record.notBefore),
    notAfter: textOf(record.notAfter),
    urls: {
      certificate: urls.issuer,
      chain: `${publicUrl}/ca/${id}/chain.pem`,
      revocationList: urls.revocationList,
      ocsp: urls.ocsp,
    },
    activatedAt: textOf(record.activatedAt),
    retiredAt: textOf(record.retiredAt),
    createdAt: createdAt.toISOString(),
  };
}
