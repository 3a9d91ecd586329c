/** Makes a certification authority: its key, and the request for its certificate. It issues nothing before it has that. */
import { and, count, eq, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import { COMMON_NAME, ORGANISATION } from '../../pki/names/attribute-types.ts';
import type { NamePart } from '../../pki/names/write-name.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { certificationAuthorities } from '../../storage/schema/certification-authorities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import type { Authority } from '../authorities/authority.ts';
import { claimTokenObject } from '../authorities/keys/token-objects-in-making.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import {
  type ChangeContext,
  changeRegistry,
  createOnce,
  type Idempotency,
  madeBefore,
  withChanges,
} from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  type CertificationAlgorithm,
  type CertificationAuthority,
  type CertificationAuthorityRow,
  type CertificationSettings,
  certificationAuthoritySnapshot,
  DEFAULT_CERTIFICATION_SETTINGS,
  type GenerateCertificationKey,
  MAX_CERTIFICATION_AUTHORITIES,
  MAX_CERTIFICATION_NAME_LENGTH,
} from './certification-authority.ts';
import { requireValidSettings } from './certification-settings.ts';
import { readCertificationAuthority } from './read-certification-authority.ts';

export interface NewCertificationAuthority extends Partial<Omit<CertificationSettings, 'validityDays'>> {
  /** The common name of its certificate as well. */
  name: string;
  validityDays?: Partial<CertificationSettings['validityDays']>;
  /** That of its key; that of other keys of the deployment unless given. */
  alg?: CertificationAlgorithm;
}

export interface CertificationDefaults {
  generateKey: GenerateCertificationKey;
  /** Where clients reach the service. */
  publicUrl: string;
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed, certification_authority_exists, limit_reached,
 *   key_not_ready, idempotency_key_reused; CustodyUnavailable
 */
export async function createCertificationAuthority(
  context: ChangeContext,
  authorityId: string,
  { alg, validityDays = {}, ...input }: NewCertificationAuthority,
  { generateKey, publicUrl }: CertificationDefaults,
  idempotency?: Idempotency,
): Promise<CertificationAuthority> {
  const { actor, db, now } = context;
  authorise(actor, ACCESS.createCertificationAuthority.roles, authorityId);
  const authority = await readAuthority(db, actor, authorityId);
  const defaults: CertificationSettings = { ...DEFAULT_CERTIFICATION_SETTINGS, publicUrl, name: input.name };
  const settings = {
    ...withChanges(defaults, input),
    validityDays: withChanges(defaults.validityDays, validityDays),
  };
  requireValidSettings(settings);
  // Before a key is made for nothing. In this order: who finds the name taken may have taken it himself.
  const isTaken = await isNameTaken(db, authorityId, settings.name);
  const earlier = idempotency && (await madeBefore(db, actor, idempotency));
  if (earlier !== undefined) return readCertificationAuthority(db, actor, earlier);
  if (isTaken) throw nameTaken(settings.name);
  const newId = context.newId();
  // A token may take its time: neither a lock nor a connection is held for so long.
  const key = await generateKey({ certificationAuthorityId: newId, alg, subject: subjectOf(authority, settings.name) });
  const { id } = await changeRegistry(context, async (tx, record) => {
    const create = async (): Promise<void> => {
      const { kid, publicJwk, sealedPrivateKey, custody = 'sealed', tokenObject = null, request } = key;
      const row: CertificationAuthorityRow = {
        ...{ id: newId, authorityId, ...settings, state: 'pending', purpose: 'certification-authority' },
        ...{ kid, alg: key.alg, publicJwk: publicJwk as JsonObject, custody, tokenObject, request },
        sealedPrivateKey: sealedPrivateKey === null ? null : Buffer.from(sealedPrivateKey),
        ...{ x5c: null, x5tS256: null, notBefore: null, notAfter: null, activatedAt: null, retiredAt: null },
        ...{ revocationListNumber: 0, version: 1, createdAt: now },
      };
      if (tokenObject !== null) await claimTokenObject(tx, tokenObject);
      await insertRow(tx, row);
      record({
        action: 'certification_authority.create',
        authorityId,
        subjectKind: 'certification_authority',
        subjectId: newId,
        after: certificationAuthoritySnapshot(row),
      });
    };
    return await createOnce(tx, context, idempotency, create, newId);
  });
  return readCertificationAuthority(db, actor, id);
}

/** Names of authorities may be longer than names in certificates (RFC 5280 Appendix A.1): those are left out. */
function subjectOf({ name: organisation }: Authority, name: string): NamePart[] {
  const isShort = organisation.length <= MAX_CERTIFICATION_NAME_LENGTH;
  return [...(isShort ? [{ type: ORGANISATION, text: organisation }] : []), { type: COMMON_NAME, text: name }];
}

async function isNameTaken(db: Db, authorityId: string, name: string): Promise<boolean> {
  const table = certificationAuthorities;
  const isSame = sql`lower(${table.name}) = lower(${name})`;
  const there = await db
    .select({ id: table.id })
    .from(table)
    .where(and(eq(table.authorityId, authorityId), isSame))
    .limit(1);
  return there.length > 0;
}

async function insertRow(tx: Tx, row: CertificationAuthorityRow): Promise<void> {
  const table = certificationAuthorities;
  try {
    await tx.insert(table).values(row);
  } catch (error) {
    if (!isUniqueViolation(error, 'certification_authorities_name')) throw error;
    throw nameTaken(row.name, error);
  }
  const [counted] = await tx.select({ rows: count() }).from(table).where(eq(table.authorityId, row.authorityId));
  if ((counted?.rows ?? 0) <= MAX_CERTIFICATION_AUTHORITIES) return;
  const message = `an authority has at most ${MAX_CERTIFICATION_AUTHORITIES} certification authorities, with those that are retired`;
  throw new RegistryError('limit_reached', message);
}

export function nameTaken(name: string, cause?: unknown): RegistryError {
  const message = `this authority has a certification authority ${name} already; certificates tell them apart by name`;
  return new RegistryError('certification_authority_exists', message, {}, { cause });
}
