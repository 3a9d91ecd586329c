/** Organisations on the wire. */
import { z } from '@hono/zod-openapi';
import type { Organisation } from '../../../registry/organisations/organisation.ts';
import { allowedTransitions } from '../../../registry/states.ts';
import { pageSchema } from '../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, StateSchema, TransitionsSchema, VersionSchema } from '../record-schema.ts';
import { line, NameSchema, TimeSchema } from '../text-schema.ts';

const OrganisationNameSchema = NameSchema.openapi({ example: 'Example Bank Ltd' });

const ContactsSchema = z
  .array(
    z
      .strictObject({
        type: z.enum(['business', 'technical', 'security', 'incident', 'billing']),
        name: line(200).optional().openapi({ example: 'Duty engineer' }),
        email: z.email().max(320).openapi({ example: 'duty@bank.example' }),
      })
      .openapi('Contact'),
  )
  .max(50);

export const NewOrganisationSchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority that it takes part in.' }),
    name: OrganisationNameSchema,
    contacts: ContactsSchema.default([]),
  })
  .openapi('NewOrganisation');

export const OrganisationChangesSchema = z
  .strictObject({ name: OrganisationNameSchema.optional(), contacts: ContactsSchema.optional() })
  .refine(...NAMES_SOMETHING)
  .openapi('OrganisationChanges');

export const OrganisationSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    name: OrganisationNameSchema,
    contacts: ContactsSchema,
    state: StateSchema,
    allowedTransitions: TransitionsSchema,
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Organisation');

export const OrganisationPageSchema = pageSchema('OrganisationPage', OrganisationSchema);

export function organisationBody(organisation: Organisation): z.infer<typeof OrganisationSchema> {
  const { id, authorityId, name, contacts, state, stateReason, version } = organisation;
  return {
    id,
    authorityId,
    name,
    contacts,
    state,
    allowedTransitions: allowedTransitions(state),
    stateReason,
    stateChangedAt: organisation.stateChangedAt.toISOString(),
    version,
    createdAt: organisation.createdAt.toISOString(),
  };
}
