/** Authorization servers on the wire. */
import { z } from '@hono/zod-openapi';
import type { AuthorizationServer } from '../../../registry/authorization-servers/authorization-server.ts';
import { offerState } from '../../../registry/offers/offer-state.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { OFFER_DATES, OfferStateSchema, textOf } from '../offer-schema.ts';
import { pageSchema } from '../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, StateSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

export const NewAuthorizationServerSchema = z
  .strictObject({
    entityId: RecordIdSchema.openapi({
      description: 'The entity that runs it: an `openid_provider` or `oauth_authorization_server`.',
    }),
    deprecatedAt: OFFER_DATES.deprecatedAt.default(null),
    retiresAt: OFFER_DATES.retiresAt.default(null),
    supersededBy: OFFER_DATES.supersededBy.default(null),
  })
  .openapi('NewAuthorizationServer');

export const AuthorizationServerChangesSchema = z
  .strictObject({
    deprecatedAt: OFFER_DATES.deprecatedAt.optional(),
    retiresAt: OFFER_DATES.retiresAt.optional(),
    supersededBy: OFFER_DATES.supersededBy.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('AuthorizationServerChanges');

export const AuthorizationServerSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    entityId: RecordIdSchema,
    issuer: EntityIdentifierSchema.openapi({ description: 'Its Entity Identifier (§5.1.3, §5.1.4).' }),
    state: OfferStateSchema,
    entityState: StateSchema.openapi({ description: 'What counts of the entity that runs it.' }),
    ...OFFER_DATES,
    removedAt: TimeSchema.nullable(),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('AuthorizationServer');

export const AuthorizationServerPageSchema = pageSchema('AuthorizationServerPage', AuthorizationServerSchema);

export function authorizationServerBody(
  server: AuthorizationServer,
  now: Date,
): z.infer<typeof AuthorizationServerSchema> {
  const { id, authorityId, entityId, issuer, entityState, supersededBy, version } = server;
  return {
    id,
    authorityId,
    entityId,
    issuer,
    state: offerState(server, now),
    entityState,
    deprecatedAt: textOf(server.deprecatedAt),
    retiresAt: textOf(server.retiresAt),
    supersededBy,
    removedAt: textOf(server.removedAt),
    version,
    createdAt: server.createdAt.toISOString(),
  };
}
