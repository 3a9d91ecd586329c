/** Access tokens that anybody can verify, and what an authorization server says of others. @see RFC 9068, RFC 8705 §3, RFC 7662, RFC 9701 */
import { FederationError } from '../federation/errors.ts';
import { isJsonObject, type JsonObject } from '../federation/json.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import { ALGORITHMS, type Algorithm, checkBase64url, decodeJwt, verifySignature } from '../federation/signature.ts';
import type { NumericDate } from '../federation/time.ts';
import type { TokenVerdict } from './admission-question.ts';
import type { DenyReason } from './deny-reasons.ts';

/** An authorization server whose tokens an authority lists. */
export interface TokenIssuer {
  /** `iss`, compared byte by byte. @see RFC 8414 §2 */
  issuer: string;
  /** A token must be meant for one of them. */
  audiences: readonly string[];
  /** Whether a JWT that does not say what it is may be an access token. @see RFC 9068 §2.1 */
  acceptsUntypedTokens: boolean;
}

/** How far ahead of ours an authorization server's clock may be, in seconds. Nothing is added to the end of a token. */
const LEEWAY_SECONDS = 30;

/** What a JWT access token is called; a JWT for another purpose, such as an ID Token with `typ`, is none. */
const ACCESS_TOKEN_TYPS: ReadonlySet<unknown> = new Set(['at+jwt', 'application/at+jwt']);
const ACCESS_TOKEN_TYPS_AND_NONE: ReadonlySet<unknown> = new Set([...ACCESS_TOKEN_TYPS, undefined, 'JWT']);
/** @see RFC 9701 §5 */
const INTROSPECTION_TYPS: ReadonlySet<unknown> = new Set([
  'token-introspection+jwt',
  'application/token-introspection+jwt',
]);

/** Compared without case. @see RFC 6749 §5.1, RFC 8705 §3 */
const TOKEN_TYPES: ReadonlySet<unknown> = new Set([undefined, 'bearer']);
/** What those that name the use of a token call that of an access token. */
const ACCESS_TOKEN_USES: ReadonlySet<unknown> = new Set([undefined, 'access_token', 'access']);

/** Characters of an access token, whatever kind it is. @see RFC 6750 §2.1 */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const MAX_TOKEN_LENGTH = 16 * 1024;

export type DecodedJwt = ReturnType<typeof decodeJwt>;

/** What an access token says of its origin before anything is verified. */
export type TokenOrigin =
  | { kind: 'jwt'; issuer: string; decoded: DecodedJwt }
  /** Only the authorization server knows what it is. */
  | { kind: 'opaque' }
  | { kind: 'malformed' };

/** Finds out who has to vouch for a token. */
export function originOf(token: string): TokenOrigin {
  if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) return { kind: 'malformed' };
  if (token.split('.').length !== 3) return { kind: 'opaque' };
  try {
    const decoded = decodeJwt(token);
    const { iss } = decoded.claims;
    return typeof iss === 'string' ? { kind: 'jwt', issuer: iss, decoded } : { kind: 'malformed' };
  } catch {
    return { kind: 'opaque' };
  }
}

/** Verifies a JWT access token with the keys of its issuer. */
export async function validateJwtAccessToken(
  token: DecodedJwt,
  issuer: TokenIssuer,
  jwks: JwkSet,
  now: NumericDate,
): Promise<TokenVerdict> {
  const typs = issuer.acceptsUntypedTokens ? ACCESS_TOKEN_TYPS_AND_NONE : ACCESS_TOKEN_TYPS;
  const verified = await verifiedClaims(token, typs, jwks);
  if ('reason' in verified) return verified;
  const { claims } = verified;
  if (typeof claims['exp'] !== 'number') return refusal('token_invalid', 'it has no exp');
  return judgeClaims(claims, issuer, now, claims['exp']);
}

/**
 * Judges what an authorization server answered about a token. That it has no end means that it holds now, no longer.
 * @param answer the members of a JSON answer, or of `token_introspection` in a signed one
 */
export function judgeIntrospection(answer: JsonObject, issuer: TokenIssuer, now: NumericDate): TokenVerdict {
  if (answer['active'] === false)
    return refusal('token_inactive', 'its authorization server says that it is not active');
  if (answer['active'] !== true) return refusal('token_unverifiable', 'the answer about it has no active');
  const { exp, token_type: type, token_use: use } = answer;
  // Refresh tokens are introspected as well; some authorization servers say so, by one or the other.
  const isAccessToken = TOKEN_TYPES.has(lowerCase(type)) && ACCESS_TOKEN_USES.has(use);
  if (!isAccessToken)
    return refusal('token_invalid', 'its authorization server says that it is no bearer access token');
  if (exp !== undefined && typeof exp !== 'number') return refusal('token_invalid', 'its exp is no number');
  return judgeClaims({ iss: issuer.issuer, ...answer }, issuer, now, exp ?? now + 1);
}

/**
 * Verifies a signed answer, which must be for us and about now.
 * @param audience how the authorization server knows whoever asked
 */
export async function validateSignedIntrospection(
  jwt: string,
  issuer: TokenIssuer,
  { jwks, audience, now }: { jwks: JwkSet; audience: string; now: NumericDate },
): Promise<TokenVerdict> {
  const verified = await verifiedClaims(decodedOf(jwt), INTROSPECTION_TYPS, jwks);
  if ('reason' in verified) return refusal('token_unverifiable', `the signed answer about it: ${verified.detail}`);
  const { iss, aud, iat, token_introspection: answer } = verified.claims;
  const isOurs = iss === issuer.issuer && listOf(aud).includes(audience);
  const isFresh = typeof iat === 'number' && Math.abs(now - iat) <= LEEWAY_SECONDS;
  if (!isOurs || !isFresh || !isJsonObject(answer)) {
    return refusal('token_unverifiable', 'the signed answer about it is by or for somebody else, or not of now');
  }
  return judgeIntrospection(answer, issuer, now);
}

function judgeClaims(claims: JsonObject, issuer: TokenIssuer, now: NumericDate, expiresAt: NumericDate): TokenVerdict {
  const { iss, aud, nbf, iat, client_id: clientId, cnf } = claims;
  if (iss !== issuer.issuer) return refusal('token_issuer_unknown', 'its iss is another');
  if (!issuer.audiences.some((audience) => listOf(aud).includes(audience))) {
    return refusal('audience_mismatch', 'its aud names none of those that are expected here');
  }
  if (!(now < expiresAt)) return refusal('token_expired', 'its exp is over');
  for (const begin of [nbf, iat]) {
    if (begin !== undefined && typeof begin !== 'number')
      return refusal('token_invalid', 'its nbf or iat is no number');
    if (begin !== undefined && begin > now + LEEWAY_SECONDS) {
      return refusal('token_not_yet_valid', 'its nbf or iat is still to come');
    }
  }
  // Bound to anything else, or to something else besides, it would count as bound to nothing.
  const { 'x5t#S256': boundTo, ...others } = isJsonObject(cnf) ? cnf : {};
  if (cnf !== undefined && (typeof boundTo !== 'string' || Object.keys(others).length > 0)) {
    return refusal('token_invalid', 'its cnf is not x5t#S256, a string, and nothing else');
  }
  return {
    boundTo: typeof boundTo === 'string' ? boundTo : undefined,
    clientId: typeof clientId === 'string' ? clientId : undefined,
    expiresAt,
  };
}

/** The claims of a JWT whose signature verifies; keys that the JWT brings along or points to count for nothing. */
async function verifiedClaims(
  decoded: DecodedJwt | undefined,
  typs: ReadonlySet<unknown>,
  jwks: JwkSet,
): Promise<{ claims: JsonObject } | { reason: DenyReason; detail: string }> {
  if (decoded === undefined) return refusal('token_malformed', 'it is no JWT');
  try {
    const { jwt, header, claims, signature } = decoded;
    const { typ, alg, kid, crit, b64 } = header;
    if (!typs.has(typ)) return refusal('token_invalid', 'its typ is that of something else');
    if (crit !== undefined || b64 !== undefined) return refusal('token_invalid', 'no header extension is understood');
    if (typeof alg !== 'string' || !Object.hasOwn(ALGORITHMS, alg)) {
      return refusal('token_invalid', `its alg is not one of ${Object.keys(ALGORITHMS).join(', ')}`);
    }
    if (typeof kid !== 'string') return refusal('token_invalid', 'it has no kid');
    checkBase64url(signature, 'signature');
    await verifySignature({ jwt, header: { ...header, typ: String(typ), alg: alg as Algorithm, kid } }, jwks);
    return { claims };
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return error.reason === 'jwt_malformed'
      ? refusal('token_malformed', error.message)
      : refusal('token_invalid', error.message);
  }
}

/** Which key a JWT says that it was signed with; undefined if it says none, or is no JWT. */
export function kidOf(jwt: string): unknown {
  return decodedOf(jwt)?.header['kid'];
}

function decodedOf(jwt: string): DecodedJwt | undefined {
  try {
    return decodeJwt(jwt);
  } catch (error) {
    if (error instanceof FederationError) return undefined;
    throw error;
  }
}

function lowerCase(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

function listOf(aud: unknown): unknown[] {
  return Array.isArray(aud) ? aud : [aud];
}

function refusal(reason: DenyReason, detail: string): { reason: DenyReason; detail: string } {
  return { reason, detail };
}
