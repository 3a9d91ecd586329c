/** Trust Marks on the wire: grants, from the request to the withdrawal. */
import { z } from '@hono/zod-openapi';
import {
  allowedTrustMarkTransitions,
  type NamedTrustMark,
  TRUST_MARK_TRANSITION_NAMES,
} from '../../../registry/trust-marks/trust-mark.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';
import { MarkClaimsSchema, TrustMarkTypeNameSchema } from '../trust-mark-types/trust-mark-type-schema.ts';

export const TrustMarkStateSchema = z.enum(['pending', 'active', 'rejected', 'withdrawn']).openapi('TrustMarkState', {
  description: 'pending → active or rejected; active → withdrawn. Rejected and withdrawn are final.',
});

const EndSchema = TimeSchema.nullable().openapi({ description: 'End of the grant; null: none.' });

export const NewTrustMarkSchema = z
  .strictObject({
    typeId: RecordIdSchema.openapi({ description: 'The Trust Mark type.' }),
    subject: EntityIdentifierSchema.openapi({ description: 'Who bears the mark, enrolled here or not.' }),
    additionalClaims: MarkClaimsSchema.optional(),
    expiresAt: EndSchema.optional(),
  })
  .openapi('NewTrustMark');

export const TrustMarkRequestSchema = z
  .strictObject({ typeId: RecordIdSchema, subject: EntityIdentifierSchema })
  .openapi('TrustMarkRequest');

export const TrustMarkRenewalSchema = z
  .strictObject({ additionalClaims: MarkClaimsSchema.optional(), expiresAt: EndSchema.optional() })
  .refine(...NAMES_SOMETHING)
  .openapi('TrustMarkRenewal');

export const TrustMarkSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    typeId: RecordIdSchema,
    trustMarkType: TrustMarkTypeNameSchema,
    subject: EntityIdentifierSchema,
    entityId: RecordIdSchema.nullable().openapi({
      description: 'Its record under the same authority: the mark stands only while that is active.',
    }),
    state: TrustMarkStateSchema,
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    allowedTransitions: z.array(z.enum(TRUST_MARK_TRANSITION_NAMES)),
    additionalClaims: MarkClaimsSchema,
    expiresAt: EndSchema,
    requestedBy: z.enum(['entity', 'authority']),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('TrustMark');

export const TrustMarkPageSchema = pageSchema('TrustMarkPage', TrustMarkSchema);

export function trustMarkBody(mark: NamedTrustMark): z.infer<typeof TrustMarkSchema> {
  return {
    ...mark,
    allowedTransitions: allowedTrustMarkTransitions(mark.state),
    stateChangedAt: mark.stateChangedAt.toISOString(),
    expiresAt: mark.expiresAt?.toISOString() ?? null,
    createdAt: mark.createdAt.toISOString(),
  };
}

/** A time as the registry takes it: what is not given stays as it is. */
export function endOf({ expiresAt }: { expiresAt?: string | null | undefined }): { expiresAt?: Date | null } {
  if (expiresAt === undefined) return {};
  return { expiresAt: expiresAt === null ? null : new Date(expiresAt) };
}
