/** Trust Marks that our authorities show, on the wire. */
import { z } from '@hono/zod-openapi';
import type { HeldTrustMark } from '../../../registry/trust-marks/held-trust-mark.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';
import { TrustMarkTypeNameSchema } from '../trust-mark-types/trust-mark-type-schema.ts';

const IssuerSchema = EntityIdentifierSchema.openapi({ example: 'https://issuer.example' });

export const NewHeldTrustMarkSchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority that bears the mark.' }),
    trustMark: z
      .string()
      .min(1)
      .max(16_384)
      .optional()
      .openapi({ description: 'The mark, a compact JWT; without it the issuer is asked.', example: 'eyJ0eXAi…' }),
    issuer: IssuerSchema.optional(),
    trustMarkType: TrustMarkTypeNameSchema.optional(),
  })
  .refine(
    ({ trustMark, issuer, trustMarkType }) =>
      trustMark === undefined
        ? issuer !== undefined && trustMarkType !== undefined
        : issuer === undefined && trustMarkType === undefined,
    'has either `trustMark`, or `issuer` and `trustMarkType`',
  )
  .openapi('NewHeldTrustMark');

export const HeldTrustMarkSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    trustMarkType: TrustMarkTypeNameSchema,
    issuer: IssuerSchema,
    trustMark: z.string(),
    expiresAt: TimeSchema.nullable(),
    refreshedAt: TimeSchema,
    nextRefreshAt: TimeSchema.nullable(),
    refreshProblem: z.string().nullable().openapi({ description: 'Why the last attempt to refresh it failed.' }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('HeldTrustMark');

export const HeldTrustMarksSchema = z.object({ items: z.array(HeldTrustMarkSchema) }).openapi('HeldTrustMarks');

export function heldTrustMarkBody(held: HeldTrustMark): z.infer<typeof HeldTrustMarkSchema> {
  const { id, authorityId, trustMarkType, issuer, jwt, refreshProblem, version } = held;
  return {
    ...{ id, authorityId, trustMarkType, issuer, trustMark: jwt, refreshProblem, version },
    expiresAt: held.expiresAt?.toISOString() ?? null,
    refreshedAt: held.refreshedAt.toISOString(),
    nextRefreshAt: held.nextRefreshAt?.toISOString() ?? null,
    createdAt: held.createdAt.toISOString(),
  };
}
