/** Enforcement points as records: gateways and servers that ask who may pass, how they are known, what they ask for. */
import { hash, randomBytes } from 'node:crypto';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import { isEndpointUrl } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import { parseCertificates } from '../../pki/parse-certificate.ts';
import type { Tx } from '../../storage/connect.ts';
import type {
  CertificateHeaderForm,
  EnforcementPointState,
  enforcementPoints,
} from '../../storage/schema/enforcement-points.ts';
import type { Actor } from '../actor.ts';
import type { CanaryTrial } from '../canary/canary-trials.ts';
import { asField, refusedField } from '../certificate-input.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { isOfferedApi } from './offered-api.ts';

export type EnforcementPointRow = typeof enforcementPoints.$inferSelect;

/** One as it may be shown: without the digest of its token. */
export interface EnforcementPoint extends Omit<EnforcementPointRow, 'tokenDigest'> {
  hasToken: boolean;
  /** When it last asked, and by which `seq` it was answered then; null: never. */
  lastSeenAt: Date | null;
  lastSeq: number | null;
  /** null: the canary never knocked there, or does not any more. */
  lastCanaryTrial: CanaryTrial | null;
}

/** What may be changed. */
export interface EnforcementPointFields {
  name: string;
  apiId: string | null;
  maxStalenessSeconds: number;
  isTokenRequired: boolean;
  certificateHeader: CertificateHeaderForm;
  clientX5tS256: string | null;
  allowSample: number;
  canaryUrl: string | null;
}

export const CERTIFICATE_HEADER_FORMS = [
  ...['rfc9440', 'nginx', 'xfcc', 'traefik', 'caddy', 'apache'],
] as const satisfies readonly CertificateHeaderForm[];

export const ENFORCEMENT_POINT_STATES = [
  ...['active', 'suspended', 'removed'],
] as const satisfies readonly EnforcementPointState[];

export const MAX_STALENESS_SECONDS = 86_400;
export const MAX_ALLOW_SAMPLE = 1_000_000;

export const ENFORCEMENT_POINT_DEFAULTS = {
  apiId: null,
  maxStalenessSeconds: 60,
  isTokenRequired: false,
  certificateHeader: 'rfc9440',
  clientX5tS256: null,
  allowSample: 100,
  canaryUrl: null,
} as const satisfies Omit<EnforcementPointFields, 'name'>;

/** 256 random bits; the prefix lets secret scanners recognise a leaked token. */
export function newEnforcementPointToken(): { token: string; tokenDigest: string } {
  const token = `hfep_${randomBytes(32).toString('base64url')}`;
  return { token, tokenDigest: hash('sha256', token, 'base64url') };
}

/**
 * `x5t#S256` of a certificate that somebody hands in: whose it is says the handshake, so anybody may have issued it.
 * @throws RegistryError validation_failed, with the `reason` of a CertificateError or certificate_expired
 */
export function clientFingerprint(pem: string, now: Date): string {
  const field = '/clientCertificate';
  const [{ x5tS256, notAfter }] = asField(field, () => parseCertificates(pem));
  if (notAfter * 1000 >= now.getTime()) return x5tS256;
  throw refusedField(field, 'certificate_expired', `has expired at ${new Date(notAfter * 1000).toISOString()}`);
}

/** @throws RegistryError validation_failed */
export async function requireValidFields(
  tx: Tx,
  before: Partial<EnforcementPointRow> | undefined,
  { authorityId, apiId, canaryUrl }: EnforcementPointRow,
  options: IdentifierOptions,
): Promise<void> {
  if (canaryUrl !== null && !isEndpointUrl(canaryUrl, options)) {
    throw invalidField('/canaryUrl', 'is no https URL without user info and fragment');
  }
  if (apiId === null || apiId === before?.apiId) return;
  if (!isRecordId(apiId) || !(await isOfferedApi(tx, authorityId, apiId))) {
    throw invalidField('/apiId', 'is no API resource of this authority');
  }
}

/**
 * Nobody proves that a certificate is his. Who is known by one alone is so in the whole deployment: for an admin of one
 * authority to say, it would take the gateways of others.
 * @throws RegistryError role_missing
 */
export function requireMayBeKnownBy(
  { authorities }: Actor,
  before: EnforcementPointRow | undefined,
  { tokenDigest, clientX5tS256 }: EnforcementPointRow,
): void {
  if (tokenDigest !== null || clientX5tS256 === null || authorities === 'all') return;
  if (before?.tokenDigest === null && before.clientX5tS256 === clientX5tS256) return;
  const message =
    'to be known by its certificate alone needs a token that reaches all authorities: keep its token as well';
  throw new RegistryError('role_missing', message);
}

/** @throws RegistryError enforcement_point_exists */
export async function withUniqueness(write: () => PromiseLike<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const message = isUniqueViolation(error, 'enforcement_points_name')
      ? 'an enforcement point of this authority has the name already'
      : isUniqueViolation(error, 'enforcement_points_client')
        ? 'another enforcement point is known by this certificate alone: each needs its own'
        : undefined;
    if (message === undefined) throw error;
    throw new RegistryError('enforcement_point_exists', message, {}, { cause: error });
  }
}

export function enforcementPointSnapshot(point: EnforcementPointRow): JsonObject {
  const { name, mode, environment, apiId, maxStalenessSeconds, isTokenRequired, certificateHeader } = point;
  const { tokenDigest, clientX5tS256, allowSample, canaryUrl, state, stateReason } = point;
  return {
    ...{ name, mode, environment, apiId, maxStalenessSeconds, isTokenRequired, certificateHeader },
    ...{ hasToken: tokenDigest !== null, clientX5tS256, allowSample, canaryUrl, state, stateReason },
  };
}

/** What an entry of the audit says about whom it is of. */
export function auditedPoint({ id, authorityId }: EnforcementPointRow) {
  return { authorityId, subjectKind: 'enforcement_point', subjectId: id } as const;
}
