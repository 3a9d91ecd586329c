/** Contacts on the wire. */
import { z } from '@hono/zod-openapi';
import { internationalAddress } from '../../../../registry/domain-names.ts';
import { CONTACT_TYPES, type Contact } from '../../../../registry/organisations/contacts/contact.ts';
import { pageSchema } from '../../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, recordIdParam, VersionSchema } from '../../record-schema.ts';
import { InternationalDomainSchema, line, TimeSchema } from '../../text-schema.ts';

export const ContactTypeSchema = z.enum(CONTACT_TYPES).openapi('ContactType', {
  description: 'What it is about: `business`, `technical`, `security`, `incident` (around the clock) or `billing`.',
});

const ContactNameSchema = line(200).nullable().openapi({ example: 'Duty engineer' });

/** ASCII only: the domain of an internationalised address is written in its `xn--` form. */
const EmailSchema = z.email().max(320).openapi({ example: 'duty@bank.example' });

const PgpFingerprintSchema = z
  .string()
  .regex(/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/, 'is an OpenPGP fingerprint: 40 or 64 hexadecimal digits, capitals')
  .nullable()
  .openapi({
    description: 'Fingerprint of the OpenPGP key to encrypt to.',
    example: '0123456789ABCDEF0123456789ABCDEF01234567',
  });

export const NewContactSchema = z
  .strictObject({
    type: ContactTypeSchema,
    email: EmailSchema,
    name: ContactNameSchema.default(null),
    pgpFingerprint: PgpFingerprintSchema.default(null),
  })
  .openapi('NewContact');

export const ContactChangesSchema = z
  .strictObject({
    type: ContactTypeSchema.optional(),
    email: EmailSchema.optional().openapi({ description: 'Another address has to be confirmed anew.' }),
    name: ContactNameSchema.optional(),
    pgpFingerprint: PgpFingerprintSchema.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('ContactChanges');

export const ContactSchema = z
  .object({
    id: RecordIdSchema,
    organisationId: RecordIdSchema,
    type: ContactTypeSchema,
    email: EmailSchema,
    internationalDomain: InternationalDomainSchema,
    name: ContactNameSchema,
    pgpFingerprint: PgpFingerprintSchema,
    verifiedAt: TimeSchema.nullable().openapi({ description: 'When the address was confirmed for the first time.' }),
    lastConfirmedAt: TimeSchema.nullable(),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Contact');

export const ContactPageSchema = pageSchema('ContactPage', ContactSchema);

export const CONTACT_PARAMS = recordIdParam('organisationId').extend(recordIdParam('contactId').shape);

export function contactBody(contact: Contact): z.infer<typeof ContactSchema> {
  const { id, organisationId, type, email, name, pgpFingerprint, verifiedAt, lastConfirmedAt, version } = contact;
  return {
    id,
    organisationId,
    type,
    email,
    internationalDomain: internationalAddress(email),
    name,
    pgpFingerprint,
    verifiedAt: verifiedAt?.toISOString() ?? null,
    lastConfirmedAt: lastConfirmedAt?.toISOString() ?? null,
    version,
    createdAt: contact.createdAt.toISOString(),
  };
}
