/** Settings of a Trust Mark type as a caller hands them in: refused where nobody could sign or accept its marks. */
import { FederationError, pointer } from '../../federation/errors.ts';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import { lintTrustMark, MAX_TRUST_MARK_SECONDS } from '../../federation/lint/lint-trust-mark.ts';
import { validateOwnDelegation } from '../../federation/trust-mark/delegation.ts';
import { trustMarkTypeComplaint } from '../../federation/trust-mark/trust-mark-type.ts';
import type { Eligibility } from '../../storage/schema/trust-mark-types.ts';
import { inputIdentifier, inputJwkSet } from '../claims-input.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import type { TrustMark } from './trust-mark.ts';
import { buildTrustMark, endOfMark, type MarkedType } from './trust-mark-claims.ts';
import type { Ownership, TrustMarkType, TrustMarkTypeSettings } from './trust-mark-type.ts';

/** Shortest and longest life of a mark, in seconds: each that is signed is on record for a week after it ended. */
export const TRUST_MARK_LIFETIME_SECONDS = { min: 600, max: MAX_TRUST_MARK_SECONDS } as const;

const MAX_RULES = 50;

/** Claims that the standard defines for marks, and those by which JWT libraries judge by themselves. */
const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'trust_mark_type', 'iat', 'exp', 'logo_uri', 'ref', 'delegation'],
  ...['aud', 'nbf', 'crit'],
]);

export type TypeColumns = Omit<
  TrustMarkType,
  'id' | 'authorityId' | 'trustMarkType' | 'state' | 'version' | 'createdAt'
>;

export interface TypeInputContext extends IdentifierOptions {
  /** Entity Identifier of the authority. */
  issuer: string;
  trustMarkType: string;
  now: Date;
}

/** @throws RegistryError validation_failed */
export function inputTrustMarkTypeName(trustMarkType: string): void {
  const complaint = trustMarkTypeComplaint(trustMarkType);
  if (complaint !== undefined) throw invalidField('/trustMarkType', complaint);
}

/** The settings as they will be kept, ownership and lifetime aside. @throws RegistryError validation_failed */
export function inputTrustMarkTypeSettings(
  settings: Omit<TrustMarkTypeSettings, 'ownership'>,
): Omit<TrustMarkTypeSettings, 'ownership'> {
  inputTrustMarkClaims(settings.additionalClaims);
  return { ...settings, eligibility: inputEligibility(settings.eligibility) };
}

/** @throws RegistryError validation_failed */
export function inputTrustMarkLifetime(seconds: number | null): void {
  const { min, max } = TRUST_MARK_LIFETIME_SECONDS;
  if (seconds === null || (Number.isInteger(seconds) && seconds >= min && seconds <= max)) return;
  throw invalidField('/lifetimeSeconds', `is a whole number of seconds from ${min} to ${max}, or null for no end`);
}

/** Claims that stand beside those of the standard. @throws RegistryError validation_failed */
export function inputTrustMarkClaims(claims: JsonObject): void {
  const reserved = Object.keys(claims).find((claim) => RESERVED_CLAIMS.has(claim));
  if (reserved === undefined) return;
  throw invalidField(`/additionalClaims${pointer(reserved)}`, 'is set by Holdfast itself, or by none');
}

function inputEligibility({ entityTypes, trustMarkTypes, roles }: Eligibility): Eligibility {
  const rules: Eligibility = {};
  for (const [name, values] of Object.entries({ entityTypes, trustMarkTypes, roles })) {
    if (values === undefined) continue;
    const field = `/eligibility/${name}`;
    if (values.length === 0 || values.length > MAX_RULES) throw invalidField(field, `names 1 to ${MAX_RULES} of them`);
    if (new Set(values).size !== values.length) throw invalidField(field, 'names something twice');
    rules[name as keyof Eligibility] = values;
  }
  return rules;
}

/**
 * The columns of a foreign owner. Its delegation must hold now, as relying parties will judge it.
 * @throws RegistryError validation_failed
 */
export async function inputOwnership(
  ownership: Ownership | null,
  { issuer, trustMarkType, now, allowHttp }: TypeInputContext,
): Promise<Pick<TrustMarkType, 'owner' | 'ownerJwks' | 'delegation' | 'delegationExpiresAt'>> {
  if (ownership === null) return { owner: null, ownerJwks: null, delegation: null, delegationExpiresAt: null };
  const owner = inputIdentifier(ownership.owner, { allowHttp }, '/ownership/owner');
  const jwks = inputJwkSet(ownership.jwks, '/ownership/jwks');
  try {
    const given = { owner, ownerJwks: jwks, issuer, trustMarkType };
    const time = { now: now.getTime() / 1000, leewaySeconds: 0, allowHttp };
    const { claims } = await validateOwnDelegation(ownership.delegation, given, time);
    const delegationExpiresAt = claims.exp === undefined ? null : new Date(Math.floor(claims.exp) * 1000);
    const ownerJwks = jwks as TrustMarkType['ownerJwks'];
    return { owner, ownerJwks, delegation: ownership.delegation, delegationExpiresAt };
  } catch (error) {
    throw atField('/ownership/delegation', error);
  }
}

/**
 * Refuses claims that no mark could be signed with.
 * @throws RegistryError validation_failed
 */
export function requireSignable(
  issuer: string,
  type: MarkedType,
  mark: Pick<TrustMark, 'subject' | 'additionalClaims' | 'expiresAt'>,
  { now, allowHttp }: { now: Date } & IdentifierOptions,
): void {
  try {
    const claims = { ...buildTrustMark(issuer, type, mark), iat: Math.floor(now.getTime() / 1000) };
    const end = endOfMark(type, mark, now);
    // While its end has passed nothing is signed; what it says may be changed all the same.
    const isOver = end !== undefined && end.exp <= claims.iat;
    const lasting = isOver ? withoutDelegation(claims) : { ...claims, ...end };
    lintTrustMark(lasting, { allowHttp, maxLifetimeSeconds: MAX_TRUST_MARK_SECONDS });
  } catch (error) {
    throw atField(placeOf(error), error);
  }
}

function withoutDelegation({ delegation: _, ...claims }: JsonObject & { iat: number }): JsonObject {
  return claims;
}

const PLACES: Readonly<Record<string, string>> = {
  '/logo_uri': '/logoUri',
  '/ref': '/ref',
  '/sub': '/subject',
  '/exp': '/expiresAt',
  '/trust_mark_type': '/trustMarkType',
};

function placeOf(error: unknown): string {
  const at = error instanceof FederationError ? error.at : '';
  return PLACES[at] ?? (at.startsWith('/delegation') ? '/ownership/delegation' : '/additionalClaims');
}

function atField(field: string, error: unknown): unknown {
  if (!(error instanceof FederationError)) return error;
  const detail = field.endsWith('/delegation') && error.at !== '' ? `${error.at} ${error.message}` : error.message;
  const errors = [{ pointer: field, detail }];
  return new RegistryError(
    'validation_failed',
    `${field} ${detail}`,
    { errors, reason: error.reason },
    { cause: error },
  );
}
