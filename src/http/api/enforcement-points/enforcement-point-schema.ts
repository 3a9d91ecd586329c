/** Enforcement points on the wire. */
import { z } from '@hono/zod-openapi';
import { MAX_PEM_LENGTH } from '../../../pki/pem.ts';
import {
  CERTIFICATE_HEADER_FORMS,
  clientFingerprint,
  ENFORCEMENT_POINT_DEFAULTS,
  ENFORCEMENT_POINT_STATES,
  type EnforcementPoint,
  type EnforcementPointFields,
  MAX_ALLOW_SAMPLE,
  MAX_STALENESS_SECONDS,
} from '../../../registry/enforcement-points/enforcement-point.ts';
import { ENTITY_MODES } from '../../../registry/entities/entity-attributes.ts';
import { FingerprintSchema } from '../credentials/credential-schema.ts';
import { textOf } from '../offer-schema.ts';
import { pageSchema } from '../paging.ts';
import { CanaryTrialSchema, canaryTrialBody } from '../propagation/canary-trial-schema.ts';
import { NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { NameSchema, TimeSchema, TokenSchema } from '../text-schema.ts';

export const EnforcementPointStateSchema = z.enum(ENFORCEMENT_POINT_STATES).openapi('EnforcementPointState', {
  description: 'active ⇄ suspended; removed for good. Whatever is not active gets no answer.',
});

const FIELDS = {
  apiId: RecordIdSchema.nullable().openapi({
    description: 'The API resource that is behind it; requests may name no other. null: requests may name one.',
  }),
  maxStalenessSeconds: z.int().min(1).max(MAX_STALENESS_SECONDS).openapi({
    description: 'How old the state of the registry may be; above, everybody is denied (`state_stale`).',
    example: ENFORCEMENT_POINT_DEFAULTS.maxStalenessSeconds,
  }),
  isTokenRequired: z.boolean().openapi({
    description: 'Whether nobody passes without an access token that is bound to the certificate.',
    example: true,
  }),
  certificateHeader: z.enum(CERTIFICATE_HEADER_FORMS).openapi({
    description:
      'In which header, and how written, it passes client certificates on to `/api/v1/admission/http`; any other is refused.',
    example: 'rfc9440',
  }),
  clientX5tS256: FingerprintSchema.nullable().openapi({
    description:
      '`x5t#S256` of the certificate that it connects with; null: none. Beside a token, both are needed. Without one, each has its own, and who records it needs a token that reaches all authorities.',
  }),
  allowSample: z.int().min(0).max(MAX_ALLOW_SAMPLE).openapi({
    description: 'One in so many allows is logged: 1 all, 0 none. Denies always are.',
    example: ENFORCEMENT_POINT_DEFAULTS.allowSample,
  }),
  canaryUrl: z.string().min(1).max(2048).nullable().openapi({
    description: 'Where a member that is always suspended knocks; null: nowhere.',
    example: 'https://api.bank.example/payments/v2/health',
  }),
};

const CLIENT_CERTIFICATE = {
  clientCertificate: z.string().min(1).max(MAX_PEM_LENGTH).optional().openapi({
    description: 'In place of `clientX5tS256`: the certificate as PEM, whoever issued it; not expired.',
    example: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n',
  }),
};

interface ClientOnTheWire {
  clientCertificate?: string | undefined;
  clientX5tS256?: string | null | undefined;
}

const ONE_CLIENT: [(body: ClientOnTheWire) => boolean, { error: string; path: string[] }] = [
  ({ clientCertificate, clientX5tS256 }) => clientCertificate === undefined || clientX5tS256 === undefined,
  { error: 'is said by clientX5tS256 already', path: ['clientCertificate'] },
];

const NAME = NameSchema.openapi({ description: 'For people; unique in its authority.', example: 'gw-payments-1' });

const MODE = z.enum(ENTITY_MODES).openapi({ description: 'Which entities it lets in.', example: 'live' });
const ENVIRONMENT = TokenSchema.openapi({
  description: 'Where these are enrolled for.',
  example: 'production',
});

export const NewEnforcementPointSchema = z
  .strictObject({
    authorityId: RecordIdSchema,
    name: NAME,
    mode: MODE.optional().openapi({ description: 'Which entities it lets in, for good: `live` unless given.' }),
    environment: ENVIRONMENT.optional().openapi({
      description: 'Where these are enrolled for, for good; without it what is usual for the mode.',
    }),
    hasToken: z.boolean().optional().openapi({
      description: 'false: it is known by its client certificate, or by its own socket, and gets no token.',
    }),
    apiId: FIELDS.apiId.optional(),
    maxStalenessSeconds: FIELDS.maxStalenessSeconds.optional(),
    isTokenRequired: FIELDS.isTokenRequired.optional(),
    certificateHeader: FIELDS.certificateHeader.optional(),
    clientX5tS256: FIELDS.clientX5tS256.optional(),
    ...CLIENT_CERTIFICATE,
    allowSample: FIELDS.allowSample.optional(),
    canaryUrl: FIELDS.canaryUrl.optional(),
  })
  .refine(...ONE_CLIENT)
  .openapi('NewEnforcementPoint');

export const EnforcementPointChangesSchema = z
  .strictObject({
    name: NAME.optional(),
    hasToken: z.literal(false).optional().openapi({ description: 'Ends its token at once.' }),
    apiId: FIELDS.apiId.optional(),
    maxStalenessSeconds: FIELDS.maxStalenessSeconds.optional(),
    isTokenRequired: FIELDS.isTokenRequired.optional(),
    certificateHeader: FIELDS.certificateHeader.optional(),
    clientX5tS256: FIELDS.clientX5tS256.optional(),
    ...CLIENT_CERTIFICATE,
    allowSample: FIELDS.allowSample.optional(),
    canaryUrl: FIELDS.canaryUrl.optional(),
  })
  .refine(...ONE_CLIENT)
  .refine(...NAMES_SOMETHING)
  .openapi('EnforcementPointChanges');

export const EnforcementPointSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    name: NAME,
    mode: MODE,
    environment: ENVIRONMENT,
    ...FIELDS,
    hasToken: z.boolean(),
    state: EnforcementPointStateSchema,
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    lastSeenAt: TimeSchema.nullable().openapi({ description: 'When it last asked; null: never.' }),
    lastSeq: z.int().nullable().openapi({ description: 'By which `seq` it was answered then.', example: 4711 }),
    lastCanaryTrial: CanaryTrialSchema.nullable(),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('EnforcementPoint');

export const EnforcementPointWithTokenSchema = EnforcementPointSchema.extend({
  token: z.string().nullable().openapi({
    description: 'Shown this once, kept nowhere; goes into `Holdfast-Enforcement-Point`. null: it has none.',
    example: 'hfep_kXq3N0mVYk1sC7uT2nJ8bW5rZ4pL6dQ9eF0aG3hI1jM',
  }),
}).openapi('EnforcementPointWithToken');

export const EnforcementPointPageSchema = pageSchema('EnforcementPointPage', EnforcementPointSchema);

/** What a body says, as the registry takes it. */
export function enforcementPointFields<T extends ClientOnTheWire>(
  { clientCertificate, ...body }: T,
  now: Date,
): Omit<T, 'clientCertificate'> & Pick<Partial<EnforcementPointFields>, 'clientX5tS256'> {
  if (clientCertificate === undefined) return body;
  return { ...body, clientX5tS256: clientFingerprint(clientCertificate, now) };
}

export function enforcementPointBody(point: EnforcementPoint): z.infer<typeof EnforcementPointSchema> {
  return {
    ...point,
    stateChangedAt: point.stateChangedAt.toISOString(),
    lastSeenAt: textOf(point.lastSeenAt),
    lastCanaryTrial: point.lastCanaryTrial && canaryTrialBody(point.lastCanaryTrial),
    createdAt: point.createdAt.toISOString(),
  };
}
