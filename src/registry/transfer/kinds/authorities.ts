/** Authorities in an export: their settings, and the public halves of their keys. */
import { z } from 'zod';
import { keyThumbprint } from '../../../federation/key-thumbprint.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { authorities } from '../../../storage/schema/authorities.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { authorityLocation, checkAuthorityPath } from '../../authorities/authority-location.ts';
import { ENDPOINT_AUTHENTICATIONS } from '../../authorities/endpoint-authentication.ts';
import { ENROLMENT_STEPS, MAX_APPROVALS, MAX_HOOK_SECONDS } from '../../authorities/enrolment-flow.ts';
import { MAX_RECOGNISED_ISSUERS } from '../../authorities/recognition-settings.ts';
import { inputAuthoritySettings } from '../../authorities/update-authority.ts';
import { inputIdentifier, inputJwkSet } from '../../claims-input.ts';
import { CONTACT_TYPES } from '../../organisations/contacts/contact.ts';
import { invalidField } from '../../registry-error.ts';
import { TRUST_LIST_PURPOSES } from '../../trust-lists/trust-list-entry.ts';
import { type Arrival, iso, type RecordKind, readChildren, readRows, type Which } from '../record-kind.ts';
import { claims, each, id, jwks, line, lines, moment, url, word } from '../record-schema.ts';

const seconds = z.int();

const step = z.discriminatedUnion('step', [
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
  z.strictObject({ step: z.literal('terms'), version: word, uri: url }),
  z.strictObject({
    step: z.literal('hook'),
    url,
    timeoutSeconds: z.int().min(1).max(MAX_HOOK_SECONDS).optional(),
  }),
  z.strictObject({
    step: z.literal('approvals'),
    count: z.int().min(1).max(MAX_APPROVALS).optional(),
    intermediates: z.int().min(1).max(MAX_APPROVALS).optional(),
  }),
]);

/** Most keys of one authority that an import brings. */
const MAX_AUTHORITY_KEYS = 1000;

const key = z.strictObject({
  kid: z.string().min(1).max(512),
  alg: z.string().min(1).max(32),
  publicJwk: claims,
  createdAt: moment,
  /** When it stopped to verify anything; null while it does. */
  expiresAt: moment.nullable(),
  revokedAt: moment.nullable(),
  revocationReason: lines(2000).nullable(),
});

const SETTINGS = {
  name: line(200),
  authorityHints: z.array(url).max(50),
  metadata: claims,
  defaultMetadataPolicy: claims,
  defaultConstraints: claims.nullable(),
  configurationLifetimeSeconds: seconds,
  statementLifetimeSeconds: seconds,
  resolveLifetimeSeconds: seconds,
  keyAnnounceSeconds: seconds.nullable(),
  keyRollIntervalSeconds: seconds.nullable(),
  isStandbyKeyKept: z.boolean(),
  trustMarkIssuers: z.record(url, z.array(url).max(MAX_RECOGNISED_ISSUERS)),
  trustMarkOwners: z.record(url, z.strictObject({ sub: url, jwks })),
  keyProposals: z.enum(['hold', 'accept']),
  endpointAuthentication: z.record(z.string(), z.enum(ENDPOINT_AUTHENTICATIONS)),
  requiredContactTypes: each(z.enum(CONTACT_TYPES), CONTACT_TYPES.length),
  contactConfirmationDays: z.int().min(1).max(3650).nullable(),
  lapseGraceDays: z.int().min(1).max(365),
  onLapse: z.enum(['none', 'suspend']),
  enrolmentFlow: z.array(step).min(1).max(ENROLMENT_STEPS.length).nullable(),
  fourEyes: z.enum(['off', 'on']),
  listedPurposes: each(z.enum(TRUST_LIST_PURPOSES), TRUST_LIST_PURPOSES.length),
};

const schema = z.strictObject({ id, entityIdentifier: url, ...SETTINGS, keys: z.array(key).max(MAX_AUTHORITY_KEYS) });

type AuthorityRecord = z.infer<typeof schema>;

export const AUTHORITIES: RecordKind<AuthorityRecord> = {
  name: 'authorities',
  subjectKind: 'authority',
  action: 'authority.import',
  table: authorities,
  schema,
  settings: Object.keys(SETTINGS),
  restored: [],
  kept: ['keys'],
  nameOf: ({ entityIdentifier }) => entityIdentifier,
  read: readAuthorityRecords,
  references: () => [],
  async check({ entityIdentifier, keys, ...settings }, context) {
    inputIdentifier(entityIdentifier, context, '/entityIdentifier');
    checkAuthorityPath(entityIdentifier);
    inputAuthoritySettings(settings, entityIdentifier, context);
    for (const [index, { kid, publicJwk, createdAt, revokedAt }] of keys.entries()) {
      for (const [member, time] of Object.entries({ createdAt, revokedAt })) {
        if (time === null || Date.parse(time) <= context.now.getTime()) continue;
        throw invalidField(`/keys/${index}/${member}`, 'is in the future');
      }
      const [jwk] = inputJwkSet({ keys: [publicJwk] }, `/keys/${index}/publicJwk`).keys;
      // A kid stands for one key in the whole deployment: the thumbprint can stand for no other.
      if (jwk === undefined || jwk.kid !== kid || (await keyThumbprint(jwk)) !== kid) {
        throw invalidField(`/keys/${index}/kid`, 'is not the thumbprint of the key (RFC 7638)');
      }
    }
  },
  columns({ entityIdentifier, keys: _, id: __, ...settings }, context) {
    const location = authorityLocation(entityIdentifier);
    return { entityIdentifier, location, ...inputAuthoritySettings(settings, entityIdentifier, context) };
  },
  children: ({ id: authorityId, keys }, arrival) => [
    { table: authorityKeys, by: 'kid', rows: keys.map((one) => historicalKey(authorityId, one, arrival)) },
  ],
};

/** Nobody here has the private half: it verifies what it signed, and signs nothing. */
function historicalKey(authorityId: string, given: z.infer<typeof key>, { newId, now }: Arrival) {
  const { kid, alg, publicJwk, createdAt, expiresAt, revokedAt, revocationReason } = given;
  return {
    ...{ id: newId(), authorityId, kid, alg, purpose: 'federation', publicJwk, custody: 'sealed' },
    ...{ state: revokedAt === null ? 'historical' : 'revoked', createdAt, longestLifetimeSeconds: 0 },
    // What it would sign from now on is not the authority's.
    expiresAt: revokedAt !== null && expiresAt === null ? null : earlier(expiresAt, now),
    ...{ revokedAt, revocationReason },
  };
}

function earlier(time: string | null, now: Date): string {
  return time !== null && Date.parse(time) < now.getTime() ? time : now.toISOString();
}

async function readAuthorityRecords(db: Db | Tx, which: Which): Promise<AuthorityRecord[]> {
  const rows = await readRows(db, authorities, which);
  const keys = await readChildren(
    db,
    authorityKeys,
    { owner: authorityKeys.authorityId, order: authorityKeys.kid },
    rows,
  );
  return rows.map(({ location: _, version: __, createdAt: ___, ...fields }) => ({
    ...fields,
    keys: (keys.get(fields.id) ?? []).map(({ kid, alg, publicJwk, revocationReason, ...dates }) => ({
      ...{ kid, alg, publicJwk, revocationReason },
      createdAt: dates.createdAt.toISOString(),
      expiresAt: iso(dates.expiresAt),
      revokedAt: iso(dates.revokedAt),
    })),
  }));
}
