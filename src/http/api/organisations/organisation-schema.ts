/** Organisations on the wire. */
import { z } from '@hono/zod-openapi';
import { MAX_CONTACTS } from '../../../registry/organisations/contacts/contact.ts';
import type { Organisation } from '../../../registry/organisations/organisation.ts';
import { registrationOf } from '../../../registry/organisations/registration.ts';
import { allowedTransitions } from '../../../registry/states.ts';
import { pageSchema } from '../paging.ts';
import {
  EACH_ONCE,
  NAMES_SOMETHING,
  RecordIdSchema,
  StateSchema,
  TransitionsSchema,
  VersionSchema,
} from '../record-schema.ts';
import { line, NameSchema, TimeSchema, TokenSchema } from '../text-schema.ts';
import { STATE_DETAILS, stateDetailsBody, TRANSITIONED } from '../transition-schema.ts';
import { ContactSchema, contactBody, NewContactSchema } from './contacts/contact-schema.ts';

const LegalNameSchema = NameSchema.openapi({ example: 'Example Bank Ltd' });

const MAX_TAGS = 32;

export const RegistrationNumberSchema = line(100).openapi({ example: '05123456' });

export const CountrySchema = z
  .string()
  .regex(/^[A-Z]{2}$/, 'is a country of ISO 3166-1 in two capital letters')
  .openapi({ example: 'GB' });

const RegistrationSchema = z
  .strictObject({
    number: RegistrationNumberSchema,
    register: line(200).openapi({ description: 'Name of the register.', example: 'Companies House' }),
    country: CountrySchema,
  })
  .nullable()
  .openapi({
    description:
      'Where it is registered. In an authority one open record has a registration, however it is spelt: another gets `organisation_exists`. null: not known.',
  });

const TagsSchema = z
  .array(TokenSchema)
  .max(MAX_TAGS)
  .refine(...EACH_ONCE)
  .openapi({ example: ['bank', 'pilot'] });

const ParentSchema = RecordIdSchema.nullable().openapi({
  description: 'The organisation that it belongs to, of the same authority. Each has its own state.',
});

const PreviousSchema = RecordIdSchema.openapi({
  description:
    'The closed record that it follows: who was rejected, withdrawn or revoked comes back as a new one. Without it, the latest closed record of the same registration.',
});

export const NewOrganisationSchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority that it takes part in.' }),
    legalName: LegalNameSchema,
    registration: RegistrationSchema.default(null),
    previousId: PreviousSchema.optional(),
    parentId: ParentSchema.default(null),
    tags: TagsSchema.default([]),
    contacts: z.array(NewContactSchema).max(MAX_CONTACTS).default([]),
  })
  .openapi('NewOrganisation');

export const OrganisationChangesSchema = z
  .strictObject({
    legalName: LegalNameSchema.optional(),
    registration: RegistrationSchema.optional(),
    parentId: ParentSchema.optional(),
    tags: TagsSchema.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('OrganisationChanges');

export const OrganisationSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    legalName: LegalNameSchema,
    registration: RegistrationSchema,
    previousId: PreviousSchema.nullable(),
    parentId: ParentSchema,
    tags: TagsSchema,
    contacts: z.array(ContactSchema),
    state: StateSchema,
    allowedTransitions: TransitionsSchema,
    stateReason: z.string().nullable(),
    ...STATE_DETAILS,
    stateChangedAt: TimeSchema,
    version: VersionSchema.openapi({ description: 'Grows with every change, of its contacts too; its `ETag`.' }),
    createdAt: TimeSchema,
  })
  .openapi('Organisation');

export const TransitionedOrganisationSchema =
  OrganisationSchema.extend(TRANSITIONED).openapi('TransitionedOrganisation');

export const OrganisationPageSchema = pageSchema('OrganisationPage', OrganisationSchema);

export function organisationBody(organisation: Organisation): z.infer<typeof OrganisationSchema> {
  const { id, authorityId, legalName, previousId, parentId, tags, state, stateReason, version } = organisation;
  return {
    id,
    authorityId,
    legalName,
    registration: registrationOf(organisation),
    previousId,
    parentId,
    tags,
    contacts: organisation.contacts.map(contactBody),
    state,
    allowedTransitions: allowedTransitions(state),
    stateReason,
    ...stateDetailsBody(organisation),
    stateChangedAt: organisation.stateChangedAt.toISOString(),
    version,
    createdAt: organisation.createdAt.toISOString(),
  };
}
