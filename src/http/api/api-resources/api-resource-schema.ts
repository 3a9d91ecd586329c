/** API resources on the wire. */
import { z } from '@hono/zod-openapi';
import {
  type ApiResource,
  CERTIFICATION_STATUSES,
  type Certification,
  certificationOf,
  isCertified,
  MAX_ENDPOINTS,
} from '../../../registry/api-resources/api-resource.ts';
import { offerState, stricterOfferState } from '../../../registry/offers/offer-state.ts';
import { momentOf, OFFER_DATES, OfferStateSchema, offerDates, textOf } from '../offer-schema.ts';
import { pageSchema } from '../paging.ts';
import { EACH_ONCE, NAMES_SOMETHING, RecordIdSchema, StateSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema, TokenSchema } from '../text-schema.ts';

export const FamilySchema = TokenSchema.openapi({
  description: 'What all versions of the API are called.',
  example: 'payments',
});

const NUMBER = '(?:0|[1-9]\\d*)';
const IDENTIFIERS = (identifier: string) => `${identifier}(?:\\.${identifier})*`;
const SEMANTIC_VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${IDENTIFIERS(`(?:${NUMBER}|\\d*[A-Za-z-][0-9A-Za-z-]*)`)})?(?:\\+${IDENTIFIERS('[0-9A-Za-z-]+')})?$`,
);

const ApiVersionSchema = z
  .string()
  .max(64)
  .regex(SEMANTIC_VERSION, 'is a version by Semantic Versioning, such as 2.1.0')
  .openapi({ description: 'Version of the API, by Semantic Versioning.', example: '2.1.0' });

const UrlSchema = z
  .string()
  .min(1)
  .max(2048)
  .openapi({ format: 'uri', example: 'https://api.bank.example/payments/v2' });

const EndpointsSchema = z
  .array(UrlSchema)
  .max(MAX_ENDPOINTS)
  .refine(...EACH_ONCE);

export const CertificationStatusSchema = z.enum(CERTIFICATION_STATUSES).openapi('CertificationStatus');

const CertificationSchema = z
  .strictObject({
    status: CertificationStatusSchema,
    uri: UrlSchema.nullable().default(null).openapi({ description: 'Where the certification can be read.' }),
    from: TimeSchema.nullable().default(null),
    to: TimeSchema.nullable().default(null).openapi({ description: 'Its end, which acts by itself.' }),
  })
  .openapi('Certification');

const RequiredRolesSchema = z
  .array(RecordIdSchema)
  .max(50)
  .refine(...EACH_ONCE)
  .openapi({
    description:
      'Roles of the authority: at enforcement points, whoever holds one of them may come in; none: whoever is active. Set by `admin` or `registrar`, not by members.',
  });

const AudienceSchema = z.string().min(1).max(2048).nullable().openapi({
  description:
    'At enforcement points, access tokens must have it in `aud`, and their issuer must list it; null: any audience that is listed of the issuer. Set by `admin` or `registrar`, not by members.',
  example: 'https://api.bank.example/payments',
});

export const NewApiResourceSchema = z
  .strictObject({
    authorizationServerId: RecordIdSchema.openapi({ description: 'What protects it.' }),
    family: FamilySchema,
    apiVersion: ApiVersionSchema,
    endpoints: EndpointsSchema.default([]),
    requiredRoles: RequiredRolesSchema.default([]),
    audience: AudienceSchema.default(null),
    certification: CertificationSchema.optional().openapi({ description: 'Without it: `awaiting`.' }),
    deprecatedAt: OFFER_DATES.deprecatedAt.default(null),
    retiresAt: OFFER_DATES.retiresAt.default(null),
    supersededBy: OFFER_DATES.supersededBy.default(null),
  })
  .openapi('NewApiResource');

export const ApiResourceChangesSchema = z
  .strictObject({
    endpoints: EndpointsSchema.optional(),
    requiredRoles: RequiredRolesSchema.optional(),
    audience: AudienceSchema.optional(),
    certification: CertificationSchema.optional(),
    deprecatedAt: OFFER_DATES.deprecatedAt.optional(),
    retiresAt: OFFER_DATES.retiresAt.optional(),
    supersededBy: OFFER_DATES.supersededBy.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('ApiResourceChanges');

export const ApiResourceSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    authorizationServerId: RecordIdSchema,
    family: FamilySchema,
    apiVersion: ApiVersionSchema,
    endpoints: EndpointsSchema,
    requiredRoles: RequiredRolesSchema,
    audience: AudienceSchema,
    certification: z.object({
      status: CertificationStatusSchema,
      uri: UrlSchema.nullable(),
      from: TimeSchema.nullable(),
      to: TimeSchema.nullable(),
    }),
    isCertified: z.boolean().openapi({ description: 'Whether it is certified, by itself or others, at this moment.' }),
    state: OfferStateSchema.openapi({ description: "The stricter of its own and its authorization server's." }),
    entityState: StateSchema.openapi({ description: 'What counts of the entity that runs its authorization server.' }),
    ...OFFER_DATES,
    removedAt: TimeSchema.nullable(),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('ApiResource');

export const ApiResourcePageSchema = pageSchema('ApiResourcePage', ApiResourceSchema);

/** What a body says of an API, as the registry takes it. */
export function apiResourceFields(
  body: z.infer<typeof ApiResourceChangesSchema>,
): Omit<typeof body, 'certification' | 'deprecatedAt' | 'retiresAt'> &
  ReturnType<typeof offerDates> & { certification?: Certification } {
  const { certification, deprecatedAt, retiresAt, ...rest } = body;
  const fields = { ...rest, ...offerDates({ deprecatedAt, retiresAt }) };
  if (certification === undefined) return fields;
  const { status, uri, from, to } = certification;
  return { ...fields, certification: { status, uri, from: momentOf(from), to: momentOf(to) } };
}

export function apiResourceBody(api: ApiResource, now: Date): z.infer<typeof ApiResourceSchema> {
  const { id, authorityId, authorizationServerId, family, apiVersion, endpoints, requiredRoles } = api;
  const { audience, supersededBy, version } = api;
  const certification = certificationOf(api);
  const { status, uri, from, to } = certification;
  return {
    id,
    authorityId,
    authorizationServerId,
    family,
    apiVersion,
    endpoints,
    requiredRoles,
    audience,
    certification: { status, uri, from: textOf(from), to: textOf(to) },
    isCertified: isCertified(certification, now),
    state: stricterOfferState(offerState(api, now), offerState(api.serverDates, now)),
    entityState: api.entityState,
    deprecatedAt: textOf(api.deprecatedAt),
    retiresAt: textOf(api.retiresAt),
    supersededBy,
    removedAt: textOf(api.removedAt),
    version,
    createdAt: api.createdAt.toISOString(),
  };
}
