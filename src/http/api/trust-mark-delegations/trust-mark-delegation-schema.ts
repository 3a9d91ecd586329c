/** Delegations that we give, on the wire. */
import { z } from '@hono/zod-openapi';
import type { TrustMarkDelegationRecord } from '../../../registry/trust-marks/trust-mark-delegation.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';
import { TrustMarkTypeNameSchema } from '../trust-mark-types/trust-mark-type-schema.ts';

const EndSchema = TimeSchema.nullable().openapi({ description: '`exp` of the delegation; null: it never expires.' });
const RefSchema = z.string().min(1).max(2048).nullable().openapi({ example: 'https://owner.example/terms' });
const IssuerSchema = EntityIdentifierSchema.openapi({
  description: 'Who may issue marks of the type.',
  example: 'https://issuer.example',
});

export const NewTrustMarkDelegationSchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority of ours that owns the type.' }),
    trustMarkType: TrustMarkTypeNameSchema,
    issuer: IssuerSchema,
    ref: RefSchema.optional(),
    expiresAt: EndSchema.optional(),
  })
  .openapi('NewTrustMarkDelegation');

export const TrustMarkDelegationRenewalSchema = z
  .strictObject({ ref: RefSchema.optional(), expiresAt: EndSchema.optional() })
  .openapi('TrustMarkDelegationRenewal');

export const TrustMarkDelegationSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    trustMarkType: TrustMarkTypeNameSchema,
    issuer: IssuerSchema,
    ref: RefSchema,
    expiresAt: EndSchema,
    state: z.enum(['active', 'withdrawn']),
    stateReason: z.string().nullable(),
    jwt: z.string().openapi({ description: 'For the issuer, who puts it into each mark.', example: 'eyJ0eXAi…' }),
    kid: z.string(),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('TrustMarkDelegation');

export const TrustMarkDelegationPageSchema = pageSchema('TrustMarkDelegationPage', TrustMarkDelegationSchema);

export function trustMarkDelegationBody(
  delegation: TrustMarkDelegationRecord,
): z.infer<typeof TrustMarkDelegationSchema> {
  return {
    ...delegation,
    expiresAt: delegation.expiresAt?.toISOString() ?? null,
    createdAt: delegation.createdAt.toISOString(),
  };
}
