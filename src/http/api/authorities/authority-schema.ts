/** Authorities on the wire. */
import { z } from '@hono/zod-openapi';
import { endpointUrl } from '../../../issuance/authority-endpoints.ts';
import { type Authority, DEFAULT_LIFETIMES } from '../../../registry/authorities/authority.ts';
import {
  allAuthentication,
  type ConfigurableEndpoint,
  ENDPOINT_AUTHENTICATIONS,
} from '../../../registry/authorities/endpoint-authentication.ts';
import { ENROLMENT_STEPS, MAX_APPROVALS, MAX_HOOK_SECONDS } from '../../../registry/authorities/enrolment-flow.ts';
import { MAX_ANNOUNCE_SECONDS, MAX_ROLL_INTERVAL_SECONDS } from '../../../registry/authorities/keys/key-settings.ts';
import { MAX_RECOGNISED_ISSUERS } from '../../../registry/authorities/recognition-settings.ts';
import { LIFETIME_SECONDS } from '../../../registry/claims-input.ts';
import { CONTACT_TYPES } from '../../../registry/organisations/contacts/contact.ts';
import { TRUST_LIST_PURPOSES } from '../../../registry/trust-lists/trust-list-entry.ts';
import {
  CONSTRAINTS_EXAMPLE,
  claims,
  EntityIdentifierSchema,
  JwkSetSchema,
  MetadataPolicySchema,
  nullableClaims,
} from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { EACH_ONCE, NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { NameSchema, TimeSchema, TokenSchema } from '../text-schema.ts';

const IDENTIFIER_EXAMPLE = 'https://trust-anchor.example';

const AuthorityNameSchema = NameSchema.openapi({
  description: '`organization_name` of its Entity Configuration.',
  example: 'Example Federation',
});

const HintsSchema = z.array(EntityIdentifierSchema).max(50).openapi({
  description: 'Its Immediate Superiors, `authority_hints`; without any it is a Trust Anchor.',
  example: [],
});

const InformationSchema = claims(
  'Informational parameters of its `federation_entity` metadata (§5.2.2). Endpoints and `organization_name` are set by Holdfast.',
  { contacts: ['ops@trust-anchor.example'], policy_uri: 'https://trust-anchor.example/policy' },
);

const DefaultConstraintsSchema = nullableClaims(
  'Constraints (§6.2) in every Subordinate Statement whose entity has none of its own.',
  CONSTRAINTS_EXAMPLE,
);

function lifetime(description: string, seconds: number): z.ZodInt {
  return z.int().min(LIFETIME_SECONDS.min).max(LIFETIME_SECONDS.max).openapi({ description, example: seconds });
}

const KeyAnnounceSchema = z.int().min(LIFETIME_SECONDS.min).max(MAX_ANNOUNCE_SECONDS).nullable().openapi({
  description:
    'How long a new key is published before it signs: one life of the Entity Configuration at least. null: five of them, a day at least.',
  example: null,
});

const KeyRollIntervalSchema = z.int().min(1).max(MAX_ROLL_INTERVAL_SECONDS).nullable().openapi({
  description: 'How long a key signs before the next one takes its place by itself. null: keys are rolled by hand.',
  example: 7_776_000,
});

const StandbyKeySchema = z.boolean().openapi({
  description: 'Keep a key announced at all times, so that an emergency finds one that others know already.',
  example: true,
});

const KeyProposalsSchema = z.enum(['hold', 'accept']).openapi({
  description:
    'Keys that the configuration of a subordinate, signed by a registered key, shows anew: held until a registrar accepts or refuses them, or registered at once. None is removed either way.',
  example: 'hold',
});

const AuthenticationSchema = z.enum(ENDPOINT_AUTHENTICATIONS);

const EndpointAuthenticationSchema = z.strictObject({
  fetch: AuthenticationSchema,
  list: AuthenticationSchema,
  resolve: AuthenticationSchema,
  trustMarkStatus: AuthenticationSchema,
  trustMarkList: AuthenticationSchema,
  trustMark: AuthenticationSchema,
  historicalKeys: AuthenticationSchema,
  extendedList: AuthenticationSchema,
  subordinateEvents: AuthenticationSchema,
  collection: AuthenticationSchema,
} satisfies Record<ConfigurableEndpoint, unknown>);

const AUTHENTICATION_TEXT =
  'By endpoint whether callers prove who they are by `private_key_jwt` (§8.8): `off`, `optional` or `required`; shown in its Entity Configuration.';

const TypeNameSchema = z.string().min(1).max(2048);

const TrustMarkIssuersSchema = z
  .record(TypeNameSchema, z.array(EntityIdentifierSchema).max(MAX_RECOGNISED_ISSUERS))
  .openapi({
    description:
      '`trust_mark_issuers` of its Entity Configuration: by Trust Mark type who may issue it; `[]` lets anybody. Counts in a Trust Anchor only (§3.1.2).',
    example: { 'https://trust-anchor.example/marks/member': ['https://trust-anchor.example'] },
  });

const TrustMarkOwnersSchema = z
  .record(TypeNameSchema, z.strictObject({ sub: EntityIdentifierSchema, jwks: JwkSetSchema }))
  .openapi({
    description:
      '`trust_mark_owners`: by Trust Mark type its owner with the keys that sign delegations. Every mark of such a type needs a delegation (§7.2).',
    example: {},
  });

const RequiredContactsSchema = z
  .array(z.enum(CONTACT_TYPES))
  .max(CONTACT_TYPES.length)
  .refine(...EACH_ONCE)
  .openapi({
    description:
      'Contacts without which none of its organisations becomes or stays active (`contact_missing`). What is active already when this changes stays so. At first `incident`.',
    example: ['incident'],
  });

const ContactConfirmationSchema = z.int().min(1).max(3650).nullable().openapi({
  description:
    'Days for which a contact counts as right after it was confirmed, or added. Then it is reminded by mail; after the grace days it is `contact_stale` in the findings. null: for good. At first 365.',
  example: 365,
});

const LapseGraceSchema = z.int().min(1).max(365).openapi({
  description:
    'Days from a reminder until what was not confirmed counts as lapsed, and again until `onLapse` acts; a certification is reminded of as many days before its end. At first 30.',
  example: 30,
});

const OnLapseSchema = z.enum(['none', 'suspend']).openapi({
  description:
    'What becomes of an active organisation without a confirmed contact of a required type (of any, where none is required), and of an entity whose API lost its certification: nothing, or a suspension (`attestation_lapsed`) that a person ends.',
  example: 'none',
});

const EnrolmentFlowSchema = z
  .array(
    z.discriminatedUnion('step', [
      z.strictObject({ step: z.literal('identity'), registration: z.boolean().optional() }),
      z.strictObject({
        step: z.literal('domain'),
        methods: z
          .array(z.enum(['https', 'dns']))
          .min(1)
          .max(2)
          .optional(),
      }),
      z.strictObject({ step: z.enum(['keys', 'configuration', 'metadata_policy', 'roles']) }),
      z.strictObject({
        step: z.literal('contacts'),
        types: z.array(z.enum(CONTACT_TYPES)).max(CONTACT_TYPES.length).optional(),
        confirmed: z.boolean().optional(),
      }),
      z.strictObject({ step: z.literal('terms'), version: TokenSchema, uri: z.url().max(2048) }),
      z.strictObject({
        step: z.literal('hook'),
        url: z.url().max(2048),
        timeoutSeconds: z.int().min(1).max(MAX_HOOK_SECONDS).optional(),
      }),
      z.strictObject({
        step: z.literal('approvals'),
        count: z.int().min(1).max(MAX_APPROVALS).optional(),
        intermediates: z.int().min(1).max(MAX_APPROVALS).optional(),
      }),
    ]),
  )
  .min(1)
  .max(ENROLMENT_STEPS.length)
  .nullable()
  .openapi('EnrolmentFlow', {
    description:
      'What enrolments go through, in this order; `identity`, `keys`, `configuration` and `metadata_policy` always, `approvals` last. `registration`: the organisation is in a register; `methods`: how control of the domain is proven, either way unless named; `types`: contacts that must be there, else `requiredContactTypes`, and whether somebody `confirmed` them; `terms` that count; a `hook` that is asked, HTTPS, by a signed request; how many people approve, and how many for `intermediates`. null: the usual flow, and `POST /api/v1/entities` does without. With a flow of its own an authority lets no entity in beside it that could be enrolled by it.',
    example: [
      { step: 'identity' },
      { step: 'domain', methods: ['https', 'dns'] },
      { step: 'keys' },
      { step: 'configuration' },
      { step: 'metadata_policy' },
      { step: 'roles' },
      { step: 'contacts', types: ['incident', 'technical'] },
      { step: 'terms', version: '2027-1', uri: 'https://trust-anchor.example/terms' },
      { step: 'approvals', count: 1, intermediates: 2 },
    ],
  });

const FourEyesSchema = z.enum(['off', 'on']).openapi({
  description:
    'Whether whoever added an entity by `POST /api/v1/entities` is kept from approving it. In an enrolment it is always so. At first `off`: with one token nobody could approve.',
  example: 'off',
});

const ListedPurposesSchema = z
  .array(z.enum(TRUST_LIST_PURPOSES))
  .max(TRUST_LIST_PURPOSES.length)
  .refine(...EACH_ONCE)
  .openapi({
    description:
      'For these it believes only certificates with a path to an authority of its trust list: others are refused (`chain_untrusted`), those on record without a path count no more, and bare keys neither. `coverage` of `GET /api/v1/trust-list` tells beforehand how many that are. At first none: whatever is registered counts.',
    example: ['transport'],
  });

/** What may be changed; all of it optional. */
const SETTINGS = {
  authorityHints: HintsSchema.optional(),
  metadata: InformationSchema.optional(),
  defaultMetadataPolicy: MetadataPolicySchema.optional(),
  defaultConstraints: DefaultConstraintsSchema.optional(),
  configurationLifetimeSeconds: lifetime(
    'Life of its Entity Configuration.',
    DEFAULT_LIFETIMES.configurationLifetimeSeconds,
  ).optional(),
  statementLifetimeSeconds: lifetime(
    'Life of its Subordinate Statements.',
    DEFAULT_LIFETIMES.statementLifetimeSeconds,
  ).optional(),
  resolveLifetimeSeconds: lifetime(
    'Longest life of its resolve answers.',
    DEFAULT_LIFETIMES.resolveLifetimeSeconds,
  ).optional(),
  keyAnnounceSeconds: KeyAnnounceSchema.optional(),
  keyRollIntervalSeconds: KeyRollIntervalSchema.optional(),
  isStandbyKeyKept: StandbyKeySchema.optional(),
  keyProposals: KeyProposalsSchema.optional(),
  endpointAuthentication: EndpointAuthenticationSchema.partial()
    .openapi({
      description: `${AUTHENTICATION_TEXT} Endpoints that are not named stay as they are; at first all are \`off\`, resolve \`optional\`. Until they are named, \`extendedList\` is as strict as the stricter of \`list\` and \`fetch\`, \`collection\` as \`list\`, \`subordinateEvents\` as \`fetch\`.`,
      example: { resolve: 'required' },
    })
    .optional(),
  requiredContactTypes: RequiredContactsSchema.optional(),
  enrolmentFlow: EnrolmentFlowSchema.optional(),
  fourEyes: FourEyesSchema.optional(),
  listedPurposes: ListedPurposesSchema.optional(),
  contactConfirmationDays: ContactConfirmationSchema.optional(),
  lapseGraceDays: LapseGraceSchema.optional(),
  onLapse: OnLapseSchema.optional(),
  trustMarkIssuers: TrustMarkIssuersSchema.optional(),
  trustMarkOwners: TrustMarkOwnersSchema.optional(),
};

export const NewAuthoritySchema = z
  .strictObject({
    entityIdentifier: EntityIdentifierSchema.openapi({
      description: 'Where it will be served: this host must reach Holdfast. Cannot be changed.',
      example: IDENTIFIER_EXAMPLE,
    }),
    name: AuthorityNameSchema,
    ...SETTINGS,
  })
  .openapi('NewAuthority');

export const AuthorityChangesSchema = z
  .strictObject({ name: AuthorityNameSchema.optional(), ...SETTINGS })
  .refine(...NAMES_SOMETHING)
  .openapi('AuthorityChanges');

export const AuthoritySchema = z
  .object({
    id: RecordIdSchema,
    entityIdentifier: EntityIdentifierSchema.openapi({ example: IDENTIFIER_EXAMPLE }),
    kind: z.enum(['trust_anchor', 'intermediate']),
    name: AuthorityNameSchema,
    authorityHints: HintsSchema,
    metadata: InformationSchema,
    defaultMetadataPolicy: MetadataPolicySchema,
    defaultConstraints: DefaultConstraintsSchema,
    configurationLifetimeSeconds: z.int(),
    statementLifetimeSeconds: z.int(),
    resolveLifetimeSeconds: z.int(),
    keyAnnounceSeconds: KeyAnnounceSchema,
    keyRollIntervalSeconds: KeyRollIntervalSchema,
    isStandbyKeyKept: StandbyKeySchema,
    keyProposals: KeyProposalsSchema,
    endpointAuthentication: EndpointAuthenticationSchema.openapi({ description: AUTHENTICATION_TEXT }),
    requiredContactTypes: RequiredContactsSchema,
    enrolmentFlow: EnrolmentFlowSchema,
    fourEyes: FourEyesSchema,
    listedPurposes: ListedPurposesSchema,
    contactConfirmationDays: ContactConfirmationSchema,
    lapseGraceDays: LapseGraceSchema,
    onLapse: OnLapseSchema,
    trustMarkIssuers: TrustMarkIssuersSchema,
    trustMarkOwners: TrustMarkOwnersSchema,
    endpoints: z.object({
      configuration: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/.well-known/openid-federation` }),
      fetch: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/fetch` }),
      list: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/list` }),
      resolve: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/resolve` }),
      trustMarkStatus: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/trust-mark-status` }),
      trustMarkList: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/trust-marks` }),
      trustMark: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/trust-mark` }),
      historicalKeys: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/historical-keys` }),
      subordinateKeys: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/subordinate-keys` }),
      subordinateRefresh: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/subordinate-refresh` }),
      enrolmentRequest: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/enrolment-request` }),
    }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Authority');

export const AuthorityPageSchema = pageSchema('AuthorityPage', AuthoritySchema);

export function authorityBody(authority: Authority): z.infer<typeof AuthoritySchema> {
  const { id, entityIdentifier, name, authorityHints, metadata, defaultMetadataPolicy } = authority;
  return {
    id,
    entityIdentifier,
    kind: authorityHints.length === 0 ? 'trust_anchor' : 'intermediate',
    name,
    authorityHints,
    metadata,
    defaultMetadataPolicy,
    defaultConstraints: authority.defaultConstraints,
    configurationLifetimeSeconds: authority.configurationLifetimeSeconds,
    statementLifetimeSeconds: authority.statementLifetimeSeconds,
    resolveLifetimeSeconds: authority.resolveLifetimeSeconds,
    keyAnnounceSeconds: authority.keyAnnounceSeconds,
    keyRollIntervalSeconds: authority.keyRollIntervalSeconds,
    isStandbyKeyKept: authority.isStandbyKeyKept,
    keyProposals: authority.keyProposals,
    endpointAuthentication: allAuthentication(authority),
    requiredContactTypes: authority.requiredContactTypes,
    enrolmentFlow: authority.enrolmentFlow,
    fourEyes: authority.fourEyes,
    listedPurposes: authority.listedPurposes,
    contactConfirmationDays: authority.contactConfirmationDays,
    lapseGraceDays: authority.lapseGraceDays,
    onLapse: authority.onLapse,
    trustMarkIssuers: authority.trustMarkIssuers,
    trustMarkOwners: authority.trustMarkOwners,
    endpoints: {
      configuration: endpointUrl(entityIdentifier, 'configuration'),
      fetch: endpointUrl(entityIdentifier, 'fetch'),
      list: endpointUrl(entityIdentifier, 'list'),
      resolve: endpointUrl(entityIdentifier, 'resolve'),
      trustMarkStatus: endpointUrl(entityIdentifier, 'trustMarkStatus'),
      trustMarkList: endpointUrl(entityIdentifier, 'trustMarkList'),
      trustMark: endpointUrl(entityIdentifier, 'trustMark'),
      historicalKeys: endpointUrl(entityIdentifier, 'historicalKeys'),
      subordinateKeys: endpointUrl(entityIdentifier, 'subordinateKeys'),
      subordinateRefresh: endpointUrl(entityIdentifier, 'subordinateRefresh'),
      enrolmentRequest: endpointUrl(entityIdentifier, 'enrolmentRequest'),
    },
    version: authority.version,
    createdAt: authority.createdAt.toISOString(),
  };
}
