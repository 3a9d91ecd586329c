/** Entries of trust lists on the wire. */
import { z } from '@hono/zod-openapi';
import { encodePem, MAX_CERTIFICATE_BYTES } from '../../../pki/pem.ts';
import type { TrustListCoverage } from '../../../registry/trust-lists/trust-list-coverage.ts';
import { TRUST_LIST_PURPOSES, type TrustListEntry } from '../../../registry/trust-lists/trust-list-entry.ts';
import { FingerprintSchema } from '../credentials/credential-schema.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { NameSchema, TimeSchema } from '../text-schema.ts';

export const TrustListPurposeSchema = z.enum(TRUST_LIST_PURPOSES).openapi('TrustListPurpose', {
  description: 'What certificates below it are believed for: `transport` of TLS clients, or `signing`.',
});

const CertificateSchema = z
  .string()
  .min(1)
  .max(MAX_CERTIFICATE_BYTES * 1.5)
  .openapi({ example: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n' });

export const NewTrustListEntrySchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority of ours that believes it.' }),
    purpose: TrustListPurposeSchema,
    certificate: CertificateSchema.openapi({
      description:
        'One certificate as PEM, of an authority: basic constraints, `keyCertSign` where it has a key usage, SHA-2, RSA from 2048 bits, EC on P-256 or longer, or EdDSA; not expired. Self-signed or not. Compare its fingerprint out of band first.',
    }),
    name: NameSchema.optional().openapi({
      description: 'For people; the subject unless given.',
      example: 'Example CA',
    }),
  })
  .openapi('NewTrustListEntry');

export const TrustListEntrySchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    purpose: TrustListPurposeSchema,
    name: z.string().openapi({ example: 'Example CA' }),
    certificate: CertificateSchema.openapi({ description: 'PEM.' }),
    x5tS256: FingerprintSchema.openapi({ description: '`x5t#S256`: SHA-256 of its DER, base64url.' }),
    subject: z.string().openapi({ example: 'CN=Example CA,O=Example Ltd,C=GB' }),
    notBefore: TimeSchema,
    notAfter: TimeSchema.openapi({ description: 'Nothing below it counts after that.' }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('TrustListEntry');

const CoverageSchema = z
  .object({
    authorityId: RecordIdSchema,
    purpose: TrustListPurposeSchema,
    isListed: z.boolean().openapi({
      description: "Whether the purpose is among the authority's `listedPurposes`: nothing without a path counts.",
    }),
    live: z.int().openapi({ description: 'Credentials of the purpose that count, but for their path.', example: 120 }),
    withoutPath: z.int().openapi({
      description: 'Those of them without a path to the list: they count no more once the purpose is listed.',
      example: 3,
    }),
  })
  .openapi('TrustListCoverage');

export const TrustListPageSchema = pageSchema('TrustListPage', TrustListEntrySchema).extend({
  coverage: z.array(CoverageSchema).optional().openapi({
    description: 'Of each authority in reach, by purpose; on the first page.',
  }),
});

export function trustListEntryBody(entry: TrustListEntry): z.infer<typeof TrustListEntrySchema> {
  const { id, authorityId, purpose, name, certificate, x5tS256, subject, notBefore, notAfter, version } = entry;
  return {
    ...{ id, authorityId, purpose, name, x5tS256, subject, version },
    certificate: encodePem(Buffer.from(certificate, 'base64')),
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    createdAt: entry.createdAt.toISOString(),
  };
}

export function coverageBody(coverage: readonly TrustListCoverage[]): z.infer<typeof CoverageSchema>[] {
  return coverage.map((one) => ({ ...one }));
}
