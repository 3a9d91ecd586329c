/** Credentials in an export: the certificate or key itself, from which all else is read anew. */
import { z } from 'zod';
import { credentials } from '../../../storage/schema/credentials.ts';
import {
  CREDENTIAL_KINDS,
  CREDENTIAL_POSSESSIONS,
  CREDENTIAL_USAGES,
  REVOCATION_REASONS,
} from '../../credentials/credential.ts';
import { type MaterialColumns, readMaterial } from '../../credentials/credential-material.ts';
import { invalidField } from '../../registry-error.ts';
import { iso, namedRecord, nameIn, type RecordKind, readRows, references } from '../record-kind.ts';
import { claims, decidedState, id, moment, word } from '../record-schema.ts';
import { counts } from './roles.ts';

const schema = z
  .strictObject({
    ...{ id, authorityId: id, entityId: id },
    kind: z.enum(CREDENTIAL_KINDS),
    usage: z.enum(CREDENTIAL_USAGES),
    possession: z.enum(CREDENTIAL_POSSESSIONS),
    environment: word,
    /** Of a certificate: it and those above it, base64 of their DER. */
    x5c: z.array(z.string().min(1).max(24_000)).min(1).max(6).nullable(),
    /** Of a bare key. */
    publicJwk: claims.nullable(),
    /** Of a bare key: the last moment of its validity. */
    notAfter: moment.nullable(),
    state: decidedState('active', 'on_hold', 'revoked'),
    revocation: z.strictObject({ reason: z.enum(REVOCATION_REASONS), at: moment }).nullable(),
    supersedes: id.nullable(),
    supersededAt: moment.nullable(),
  })
  .refine(({ kind, x5c, publicJwk, notAfter }) => {
    return kind === 'x509'
      ? x5c !== null && publicJwk === null && notAfter === null
      : x5c === null && publicJwk !== null;
  }, 'has x5c for a certificate, publicJwk for a key')
  .refine(
    ({ state, revocation }) => (state.is === 'revoked') === (revocation !== null),
    'is revoked with a reason, or is not',
  );

export type CredentialTransferRecord = z.infer<typeof schema>;

export const CREDENTIALS: RecordKind<CredentialTransferRecord> = {
  name: 'credentials',
  subjectKind: 'credential',
  action: 'credential.import',
  table: credentials,
  schema,
  settings: [],
  restored: ['state', 'revocation', 'supersededAt', 'possession'],
  kept: [],
  nameOf: ({ kind, usage, entityId }, known) =>
    `${usage} ${kind === 'x509' ? 'certificate' : 'key'} of ${nameIn(known, 'entities', entityId, 'entityIdentifier')}`,
  read: async (db, which) =>
    (await readRows(db, credentials, which)).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, entityId: row.entityId, kind: row.kind, usage: row.usage },
      ...{ possession: row.possession, environment: row.environment, x5c: row.x5c },
      ...(row.kind === 'jwk'
        ? { publicJwk: row.publicJwk, notAfter: iso(row.notAfter) }
        : { publicJwk: null, notAfter: null }),
      state: { is: row.state, reason: row.stateReason, since: row.stateChangedAt.toISOString() },
      revocation:
        row.revocationReason === null || row.revokedAt === null
          ? null
          : { reason: row.revocationReason, at: row.revokedAt.toISOString() },
      ...{ supersedes: row.supersedes, supersededAt: iso(row.supersededAt) },
    })),
  references: ({ authorityId, entityId, supersedes }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('entities', [entityId], '/entityId'),
    ...references('credentials', [supersedes], '/supersedes'),
  ],
  // The proof was shown elsewhere: the document only says so.
  arriving: (record) => ({ ...record, possession: 'unproven' }),
  isHeldBack: ({ entityId }, here) => counts(here, 'entities', entityId),
  async check(record, { known }) {
    const entity = namedRecord(known, 'entities', record.entityId);
    if (entity !== undefined && Reflect.get(entity, 'environment') !== record.environment) {
      throw invalidField('/environment', 'is not that of its entity');
    }
    if (record.supersedes !== null) {
      const former = namedRecord(known, 'credentials', record.supersedes);
      const isItsOwn = former !== undefined && Reflect.get(former, 'entityId') === record.entityId;
      if (!isItsOwn || record.supersedes === record.id) throw invalidField('/supersedes', 'is none of this entity');
    }
    await materialOf(record);
  },
  async columns(record) {
    const { authorityId, entityId, usage, possession, environment, state, revocation, supersedes, supersededAt } =
      record;
    return {
      ...(await materialOf(record)),
      ...{ authorityId, entityId, usage, possession, environment },
      ...{ state: state.is, stateReason: state.reason, stateChangedAt: state.since },
      ...{ revocationReason: revocation?.reason ?? null, revokedAt: revocation?.at ?? null, supersedes, supersededAt },
    };
  },
  // Its issuer is none of ours here: certification authorities do not move.
  beginning: () => ({ source: 'external', path: null, pathJudgedAt: null }),
};

/** As far back as certificates go: one that has expired is on record all the same. */
const LONG_AGO = new Date(0);

/** @throws RegistryError validation_failed */
export async function materialOf(record: CredentialTransferRecord): Promise<MaterialColumns> {
  const { x5c, publicJwk, usage, notAfter } = record;
  if (x5c === null) {
    const end = notAfter === null ? null : new Date(notAfter);
    return await readMaterial({ jwk: publicJwk ?? {}, notAfter: end }, usage, LONG_AGO);
  }
  const pem = x5c.map((der) => `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`).join('');
  return await readMaterial({ certificate: pem }, usage, LONG_AGO);
}
