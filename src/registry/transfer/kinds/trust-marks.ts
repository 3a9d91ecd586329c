/** Trust Marks in an export: types, who is granted one, and delegations that authorities gave as owners of types. */
import { eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import { FederationError } from '../../../federation/errors.ts';
import type { Jwk } from '../../../federation/jwk-set.ts';
import { decodeJwt } from '../../../federation/signature.ts';
import { validateOwnDelegation } from '../../../federation/trust-mark/delegation.ts';
import { trustMarkDelegations } from '../../../storage/schema/trust-mark-delegations.ts';
import { trustMarkTypes } from '../../../storage/schema/trust-mark-types.ts';
import { trustMarks } from '../../../storage/schema/trust-marks.ts';
import { inputIdentifier } from '../../claims-input.ts';
import { invalidField } from '../../registry-error.ts';
import {
  inputOwnership,
  inputTrustMarkClaims,
  inputTrustMarkLifetime,
  inputTrustMarkTypeName,
  inputTrustMarkTypeSettings,
} from '../../trust-marks/trust-mark-type-input.ts';
import { type CheckContext, iso, namedRecord, type RecordKind, readRows, references } from '../record-kind.ts';
import { claims, decidedState, id, jwks, line, moment, url } from '../record-schema.ts';

const jwt = z.string().min(1).max(8192);

const typeSchema = z.strictObject({
  ...{ id, authorityId: id, trustMarkType: url, name: line(200), description: line(2000).nullable() },
  ...{ logoUri: url.nullable(), ref: url.nullable(), lifetimeSeconds: z.int().nullable(), additionalClaims: claims },
  eligibility: z.strictObject({
    entityTypes: z.array(z.string().min(1).max(200)).max(50).optional(),
    trustMarkTypes: z.array(url).max(50).optional(),
    roles: z.array(id).max(50).optional(),
  }),
  approval: z.enum(['manual', 'automatic']),
  ownership: z.strictObject({ owner: url, jwks, delegation: jwt }).nullable(),
  state: z.enum(['active', 'retired']),
});

type TypeRecord = z.infer<typeof typeSchema>;

export const TRUST_MARK_TYPES: RecordKind<TypeRecord> = {
  name: 'trustMarkTypes',
  subjectKind: 'trust_mark_type',
  action: 'trust_mark_type.import',
  table: trustMarkTypes,
  schema: typeSchema,
  settings: [
    ...['name', 'description', 'logoUri', 'ref', 'lifetimeSeconds', 'additionalClaims', 'eligibility', 'approval'],
    'ownership',
  ],
  restored: ['state'],
  kept: [],
  nameOf: ({ trustMarkType }) => trustMarkType,
  read: async (db, which) =>
    (await readRows(db, trustMarkTypes, which)).map((row) => {
      const { version: _, createdAt: __, delegationExpiresAt: ___, owner, ownerJwks, delegation, ...type } = row;
      const isOwned = owner !== null && ownerJwks !== null && delegation !== null;
      return { ...type, ownership: isOwned ? { owner, jwks: ownerJwks, delegation } : null };
    }),
  references: ({ authorityId, eligibility }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('roles', eligibility.roles ?? [], '/eligibility/roles'),
  ],
  async check(record, context) {
    inputTrustMarkTypeName(record.trustMarkType);
    inputTrustMarkLifetime(record.lifetimeSeconds);
    inputTrustMarkTypeSettings(settingsOf(record));
    await ownershipColumns(record, context);
  },
  async columns(record, context) {
    const { authorityId, trustMarkType, state } = record;
    const settings = inputTrustMarkTypeSettings(settingsOf(record));
    return { authorityId, trustMarkType, state, ...settings, ...(await ownershipColumns(record, context)) };
  },
};

function settingsOf({
  id: _,
  authorityId: __,
  trustMarkType: ___,
  state: ____,
  ownership: _____,
  ...record
}: TypeRecord) {
  const { entityTypes, trustMarkTypes: types, roles } = record.eligibility;
  const eligibility = {
    ...(entityTypes && { entityTypes }),
    ...(types && { trustMarkTypes: types }),
    ...(roles && { roles }),
  };
  return { ...record, eligibility };
}

/** One that has expired is on record all the same: it is judged by the moment before its end. */
async function ownershipColumns({ authorityId, trustMarkType, ownership }: TypeRecord, context: CheckContext) {
  const issuer = authorityIdentifier(context, authorityId);
  const now = ownership === null ? context.now : momentOf(ownership.delegation, context.now);
  return await inputOwnership(ownership, { allowHttp: context.allowHttp === true, issuer, trustMarkType, now });
}

function authorityIdentifier({ known }: CheckContext, authorityId: string): string {
  const authority = namedRecord(known, 'authorities', authorityId);
  return String(Reflect.get(authority ?? {}, 'entityIdentifier'));
}

function momentOf(delegation: string, now: Date): Date {
  const end = claimsOf(delegation)?.['exp'];
  return typeof end === 'number' && end * 1000 <= now.getTime() ? new Date((Math.ceil(end) - 1) * 1000) : now;
}

function claimsOf(delegation: string) {
  try {
    return decodeJwt(delegation).claims;
  } catch (error) {
    if (error instanceof FederationError) return undefined;
    throw error;
  }
}

const markSchema = z.strictObject({
  ...{ id, authorityId: id, typeId: id, subject: url, entityId: id.nullable(), additionalClaims: claims },
  state: decidedState('pending', 'active'),
  expiresAt: moment.nullable(),
  requestedBy: z.enum(['entity', 'authority']),
});

/** Those that were rejected or withdrawn stay behind with the marks that were signed for them. */
export const TRUST_MARKS: RecordKind<z.infer<typeof markSchema>> = {
  name: 'trustMarks',
  subjectKind: 'trust_mark',
  action: 'trust_mark.import',
  table: trustMarks,
  schema: markSchema,
  settings: [],
  restored: ['state', 'expiresAt', 'additionalClaims'],
  kept: ['requestedBy', 'entityId'],
  nameOf: ({ subject }) => subject,
  read: async (db, which) =>
    (await readRows(db, trustMarks, which, inArray(trustMarks.state, ['pending', 'active']))).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, typeId: row.typeId, subject: row.subject },
      ...{ entityId: row.entityId, additionalClaims: row.additionalClaims, requestedBy: row.requestedBy },
      state: {
        is: row.state === 'active' ? ('active' as const) : ('pending' as const),
        ...{ reason: row.stateReason, since: row.stateChangedAt.toISOString() },
      },
      expiresAt: iso(row.expiresAt),
    })),
  references: ({ authorityId, typeId, entityId }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('trustMarkTypes', [typeId], '/typeId'),
    ...references('entities', [entityId], '/entityId'),
  ],
  arriving: (record) => ({ ...record, state: { ...record.state, is: 'pending', reason: null } }),
  check({ subject, entityId, additionalClaims }, context) {
    inputIdentifier(subject, context, '/subject');
    inputTrustMarkClaims(additionalClaims);
    const entity = entityId === null ? undefined : namedRecord(context.known, 'entities', entityId);
    if (entity === undefined || Reflect.get(entity, 'entityIdentifier') === subject) return;
    throw invalidField('/entityId', 'is the record of another Entity Identifier than its subject');
  },
  columns: ({ id: _, state, ...mark }) => ({
    ...mark,
    ...{ state: state.is, stateReason: state.reason, stateChangedAt: state.since },
  }),
};

const delegationSchema = z.strictObject({
  ...{ id, authorityId: id, trustMarkType: url, issuer: url, ref: url.nullable(), expiresAt: moment.nullable() },
  ...{ jwt, kid: z.string().min(1).max(512) },
});

type DelegationRecord = z.infer<typeof delegationSchema>;

export const TRUST_MARK_DELEGATIONS: RecordKind<DelegationRecord> = {
  name: 'trustMarkDelegations',
  subjectKind: 'trust_mark_delegation',
  action: 'trust_mark_delegation.import',
  table: trustMarkDelegations,
  schema: delegationSchema,
  settings: [],
  restored: [],
  kept: ['ref', 'expiresAt', 'jwt', 'kid'],
  nameOf: ({ trustMarkType, issuer }) => `${trustMarkType} for ${issuer}`,
  read: async (db, which) =>
    (await readRows(db, trustMarkDelegations, which, eq(trustMarkDelegations.state, 'active'))).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, trustMarkType: row.trustMarkType, issuer: row.issuer },
      ...{ ref: row.ref, expiresAt: iso(row.expiresAt), jwt: row.jwt, kid: row.kid },
    })),
  references: ({ authorityId }) => references('authorities', [authorityId], '/authorityId'),
  check: checkDelegation,
  columns: ({ id: _, ...delegation }) => delegation,
  beginning: () => ({ state: 'active', stateReason: null }),
};

/** It is signed by a key that its authority has or had, and says what the record says. */
async function checkDelegation(record: DelegationRecord, context: CheckContext): Promise<void> {
  const { authorityId, trustMarkType, issuer, kid } = record;
  const keys: unknown = Reflect.get(namedRecord(context.known, 'authorities', authorityId) ?? {}, 'keys');
  const jwksOfOwner = (Array.isArray(keys) ? keys : []).map((key: { publicJwk: Jwk }) => key.publicJwk);
  const given = {
    owner: authorityIdentifier(context, authorityId),
    ownerJwks: { keys: jwksOfOwner },
    issuer,
    trustMarkType,
  };
  const now = Math.floor(momentOf(record.jwt, context.now).getTime() / 1000);
  try {
    const options = { now, leewaySeconds: 0, allowHttp: context.allowHttp === true };
    const { header, claims: said } = await validateOwnDelegation(record.jwt, given, options);
    const end = record.expiresAt === null ? undefined : Math.floor(Date.parse(record.expiresAt) / 1000);
    if (header.kid !== kid) throw invalidField('/kid', 'is not that of the delegation');
    if ((said.ref ?? null) !== record.ref || (said.exp === undefined ? undefined : Math.floor(said.exp)) !== end) {
      throw invalidField('/jwt', 'says something else than the record');
    }
  } catch (error) {
    if (error instanceof FederationError) throw invalidField('/jwt', `${error.at} ${error.message}`.trim());
    throw error;
  }
}
