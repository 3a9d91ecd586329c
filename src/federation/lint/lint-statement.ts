/** What must hold before anything of ours is signed: the rules we would apply as a reader, and house rules. */
import { FederationError, pointer } from '../errors.ts';
import { parseEntityIdentifier } from '../identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { checkJwkSet, type Jwk, type JwkSet } from '../jwk-set.ts';
import { TYP, type Typ } from '../media-types.ts';
import type { MetadataPolicy } from '../policy/parse-policy.ts';
import { ALGORITHM_NAMES, decodeJwt, keyComplaint } from '../signature.ts';
import { checkStatementClaims } from '../statement/checks.ts';
import { isEntityConfiguration, type StatementOptions, type TrustMarkEntry } from '../statement/entity-statement.ts';
import { isNumericDate } from '../time.ts';

/** Limits of this deployment on what it signs. */
export interface HouseRules extends StatementOptions {
  /** Longest life of anything signed, in seconds. */
  maxLifetimeSeconds: number;
}

/** Header parameters that something of ours may have. */
export interface StatementHeader {
  /** The issuer's own chain to the Trust Anchor (OIDFED §4.3). */
  trust_chain?: readonly string[];
}

/** Not exported: nobody else can make one, and its private fields keep look-alikes out. */
class Linted {
  readonly typ: Typ;
  /** Parameters of the JOSE header besides `typ`, `alg` and `kid`. */
  readonly header: StatementHeader;
  readonly #payload: string;
  #isSpent = false;

  constructor(typ: Typ, claims: JsonObject, header: StatementHeader) {
    this.typ = typ;
    this.header = header;
    this.#payload = JSON.stringify(claims);
  }

  /** The payload, once. @throws TypeError when it was taken before */
  spend(): string {
    if (this.#isSpent) throw new TypeError('a linted statement is signed once; lint the claims again');
    this.#isSpent = true;
    return this.#payload;
  }
}

/**
 * Claims that passed their lints, as the bytes to sign. Only a lint makes one, and it can be spent once, so that
 * nothing reaches a key unread or altered.
 */
export type LintedStatement = Linted;

function passed(
  typ: Typ,
  claims: JsonObject,
  lints: readonly (() => void)[],
  header: StatementHeader = {},
): LintedStatement {
  for (const lint of lints) lint();
  return new Linted(typ, claims, header);
}

/**
 * Lints an Entity Configuration or Subordinate Statement of ours.
 * @throws FederationError any reason of §3.2, lint_failed
 */
export function lintEntityStatement(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.entityStatement, claims, [
    () => checkStatementClaims(claims, rules),
    () => lintLifetime(claims, rules),
    () => lintKeys(claims['jwks'], '/jwks'),
    () => lintKeyExpiry(claims, claims['jwks'], '/jwks'),
    () => lintEmptyMembers(claims),
    () => lintEmptyPolicies(claims['metadata_policy'], '/metadata_policy'),
    () => lintTrustMarks(claims['trust_marks']),
  ]);
}

/**
 * Lints a resolve response (OIDFED §8.3.2).
 * @param header with the issuer's own chain to the Trust Anchor that `trust_chain` of the claims ends at
 * @throws FederationError entity_identifier_invalid, claim_missing, claim_invalid, lint_failed
 */
export function lintResolveResponse(
  claims: JsonObject,
  rules: HouseRules,
  header: StatementHeader = {},
): LintedStatement {
  const lints = [
    () => parseEntityIdentifier(claims['iss'], rules, '/iss'),
    () => parseEntityIdentifier(claims['sub'], rules, '/sub'),
    () => claims['aud'] === undefined || parseEntityIdentifier(claims['aud'], rules, '/aud'),
    () => lintLifetime(claims, rules),
    () => {
      if (!isJsonObject(claims['metadata'])) {
        throw new FederationError('claim_invalid', 'must be an object', '/metadata');
      }
      lintChain(claims['trust_chain'], '/trust_chain');
    },
    () => lintOwnChain(header, claims),
  ];
  return passed(TYP.resolveResponse, claims, lints, header);
}

function lintChain(chain: unknown, at: string): asserts chain is string[] {
  if (!Array.isArray(chain) || chain.length === 0 || !chain.every((jwt) => typeof jwt === 'string')) {
    throw new FederationError('claim_invalid', 'must be a non-empty array of JWTs', at);
  }
}

/** The header's chain is the issuer's, and ends where the subject's does. */
function lintOwnChain({ trust_chain: chain }: StatementHeader, { iss, trust_chain: subjectChain }: JsonObject): void {
  if (chain === undefined) return;
  lintChain(chain, 'header/trust_chain');
  lintChain(subjectChain, '/trust_chain');
  if (decodeJwt(chain[0]).claims['sub'] !== iss) {
    throw new FederationError('lint_failed', "is not the issuer's own", 'header/trust_chain');
  }
  if (decodeJwt(chain.at(-1)).claims['iss'] !== decodeJwt(subjectChain.at(-1)).claims['iss']) {
    throw new FederationError('lint_failed', 'ends at another Trust Anchor', 'header/trust_chain');
  }
}

/**
 * Lints a historical keys document (OIDFED §8.7.2).
 * @throws FederationError entity_identifier_invalid, claim_missing, jwks_invalid, jwk_private
 */
export function lintHistoricalKeys(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.jwkSet, claims, [
    () => parseEntityIdentifier(claims['iss'], rules, '/iss'),
    () => {
      if (!isNumericDate(claims['iat'])) throw new FederationError('claim_missing', 'is required', '/iat');
      if (!Array.isArray(claims['keys'])) throw new FederationError('claim_missing', 'is required', '/keys');
      if (claims['keys'].length > 0) checkJwkSet({ keys: claims['keys'] }, '');
      claims['keys'].forEach((key, index) => {
        lintHistoricalKey(key, pointer('keys', index));
      });
    },
  ]);
}

function lintHistoricalKey(key: JsonValue, at: string): void {
  if (!isJsonObject(key) || !isNumericDate(key['exp'])) {
    throw new FederationError('claim_missing', 'a historical key needs `exp`', `${at}/exp`);
  }
  const revoked = key['revoked'];
  if (revoked !== undefined && !(isJsonObject(revoked) && isNumericDate(revoked['revoked_at']))) {
    throw new FederationError('claim_missing', 'a revoked key needs `revoked_at`', `${at}/revoked/revoked_at`);
  }
}

function lintLifetime(claims: JsonObject, rules: HouseRules): void {
  const { iat, exp } = claims;
  if (!isNumericDate(iat)) throw new FederationError('claim_missing', 'is required', '/iat');
  if (!isNumericDate(exp)) throw new FederationError('claim_missing', 'is required', '/exp');
  if (exp <= iat) throw new FederationError('lint_failed', 'would expire before it is issued', '/exp');
  if (exp - iat > rules.maxLifetimeSeconds) {
    throw new FederationError('lint_failed', `would live longer than ${rules.maxLifetimeSeconds} s`, '/exp');
  }
}

/** Keys that no algorithm of ours could verify with would make a statement useless. */
function lintKeys(jwks: unknown, at: string): void {
  (jwks as JwkSet).keys.forEach((key, index) => {
    const complaint = publishedKeyComplaint(key);
    if (complaint !== undefined) throw new FederationError('lint_failed', complaint, `${at}${pointer('keys', index)}`);
  });
}

/** What a superior says about keys must not outlive them; a key that has expired already has no place in it at all. */
function lintKeyExpiry(claims: JsonObject, jwks: unknown, at: string): void {
  if (isEntityConfiguration(claims)) return;
  (jwks as JwkSet).keys.forEach((key, index) => {
    if (key.exp === undefined || key.exp >= Number(claims['exp'])) return;
    const message = `the statement would outlive the key ${key.kid}`;
    throw new FederationError('lint_failed', message, `${at}${pointer('keys', index, 'exp')}`);
  });
}

/** Why a key must not be vouched for as a Federation Entity Key; undefined when it may. */
export function publishedKeyComplaint(key: Jwk): string | undefined {
  if (ALGORITHM_NAMES.some((alg) => keyComplaint(key, alg) === undefined)) return undefined;
  return `the key ${key.kid} fits none of ${ALGORITHM_NAMES.join(', ')}, is too short, or is not for signatures`;
}

/** `[]` and `{}` say nothing; readers refuse some of them, so none is emitted. */
function lintEmptyMembers(claims: JsonObject): void {
  for (const claim of ['metadata_policy', 'metadata_policy_crit', 'constraints', 'crit', 'authority_hints']) {
    const value = claims[claim];
    const isEmpty = Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
    if (isEmpty) throw empty(pointer(claim));
  }
}

/** An Entity Type or parameter without operators is left out as well. */
function lintEmptyPolicies(policy: unknown, at: string): void {
  for (const [entityType, parameters] of Object.entries((policy ?? {}) as MetadataPolicy)) {
    if (Object.keys(parameters).length === 0) throw empty(at + pointer(entityType));
    for (const [parameter, operators] of Object.entries(parameters)) {
      if (Object.keys(operators).length === 0) throw empty(at + pointer(entityType, parameter));
    }
  }
}

/** Readers leave out a mark that they cannot read; we do not show one in the first place. */
function lintTrustMarks(marks: unknown): void {
  ((marks ?? []) as TrustMarkEntry[]).forEach(({ trust_mark: mark }, index) => {
    const at = pointer('trust_marks', index, 'trust_mark');
    if (typeof decodedAt(mark, at).claims['trust_mark_type'] === 'string') return;
    throw new FederationError('claim_missing', 'the Trust Mark has no type', `${at} /trust_mark_type`);
  });
}

function decodedAt(jwt: string, at: string): ReturnType<typeof decodeJwt> {
  try {
    return decodeJwt(jwt);
  } catch (error) {
    throw error instanceof FederationError ? error.within(at) : error;
  }
}

function empty(at: string): FederationError {
  return new FederationError('lint_failed', 'is left out instead of being empty', at);
}
