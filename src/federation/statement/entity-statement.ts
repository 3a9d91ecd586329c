/** Entity Statements: Entity Configurations and Subordinate Statements, as claims and as parsed JWTs. @see OIDFED §3 */
import type { Constraints } from '../constraints.ts';
import type { EntityIdentifier, IdentifierOptions } from '../identifiers.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { JwkSet } from '../jwk-set.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { OperatorRegistry } from '../policy/operator.ts';
import type { MetadataPolicy } from '../policy/parse-policy.ts';
import type { JoseHeader } from '../signature.ts';
import type { NumericDate } from '../time.ts';

export interface TrustMarkEntry {
  trust_mark_type: string;
  trust_mark: string;
}

/** Claims of both kinds of statement after every check of §3.2 that needs no clock and no key. */
export interface EntityStatementClaims {
  iss: EntityIdentifier;
  sub: EntityIdentifier;
  iat: NumericDate;
  exp: NumericDate;
  jwks: JwkSet;
  metadata?: Metadata;
  crit?: string[];
  /** Entity Configuration only. */
  authority_hints?: EntityIdentifier[];
  trust_anchor_hints?: EntityIdentifier[];
  trust_marks?: TrustMarkEntry[];
  trust_mark_issuers?: Record<string, EntityIdentifier[]>;
  trust_mark_owners?: Record<string, { sub: EntityIdentifier; jwks: JwkSet }>;
  /** Subordinate Statement only. */
  metadata_policy?: MetadataPolicy;
  metadata_policy_crit?: string[];
  constraints?: Constraints;
  source_endpoint?: string;
  [claim: string]: JsonValue | undefined | object;
}

export interface EntityStatement {
  /** The compact JWT exactly as received. */
  jwt: string;
  header: JoseHeader;
  claims: EntityStatementClaims;
}

/** An Entity Configuration speaks about its own issuer. @see OIDFED §3 */
export function isEntityConfiguration(claims: { iss?: unknown; sub?: unknown }): boolean {
  return claims.iss === claims.sub;
}

/** What the syntax checks have to know besides the statement. */
export interface StatementOptions extends IdentifierOptions {
  /** Extension claims that the caller processes when they stand in `crit` (§13.4). */
  understoodClaims?: ReadonlySet<string>;
  /** Metadata policy operators known; the seven standard ones when absent. */
  operators?: OperatorRegistry;
}

/** Claims that the standard defines for Entity Statements; none of them may stand in `crit`. @see OIDFED §13.4 */
export const STATEMENT_CLAIMS: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'iat',
  'exp',
  'jwks',
  'metadata',
  'crit',
  'authority_hints',
  'trust_anchor_hints',
  'trust_marks',
  'trust_mark_issuers',
  'trust_mark_owners',
  'constraints',
  'metadata_policy',
  'metadata_policy_crit',
  'source_endpoint',
  'aud',
  'trust_anchor',
]);

/** Statements and everything else that signed JSON carries: used where a claim is passed on as it is. */
export type ClaimsObject = JsonObject;
