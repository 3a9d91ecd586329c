/** Audit checkpoints, documents of ours: an authority's word on what the audit was at a seq. */
import { FederationError } from './errors.ts';
import { type IdentifierOptions, parseEntityIdentifier } from './identifiers.ts';
import type { JsonObject } from './json.ts';
import { TYP } from './media-types.ts';
import { parseSignedJwt, type SignedJwt } from './signature.ts';
import { isNumericDate, type NumericDate } from './time.ts';

export type AuditCheckpointClaims = {
  /** Entity Identifier of the authority. */
  iss: string;
  iat: NumericDate;
  /** Number of the last change. */
  seq: number;
  /** Of the last row under `seq`, SHA-256 in base64url; it stands for all rows before it. */
  hash: string;
  /** Number of rows up to and under `seq`. */
  rows: number;
};

const SHA_256 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** @throws FederationError entity_identifier_invalid, claim_missing, claim_invalid */
export function checkAuditCheckpointClaims(
  claims: JsonObject,
  options: IdentifierOptions,
): asserts claims is AuditCheckpointClaims {
  parseEntityIdentifier(claims['iss'], options, '/iss');
  if (!isNumericDate(claims['iat'])) throw new FederationError('claim_missing', 'is required', '/iat');
  for (const count of ['seq', 'rows']) {
    const value = claims[count];
    if (value === undefined) throw new FederationError('claim_missing', 'is required', `/${count}`);
    if (!Number.isSafeInteger(value) || Number(value) < 0) {
      throw new FederationError('claim_invalid', 'must be a whole number', `/${count}`);
    }
  }
  if (typeof claims['hash'] !== 'string' || !SHA_256.test(claims['hash'])) {
    throw new FederationError('claim_invalid', 'must be a SHA-256 in base64url', '/hash');
  }
}

/**
 * Takes a checkpoint apart; its signature is for the caller to verify.
 * @throws FederationError those of parseSignedJwt and checkAuditCheckpointClaims
 */
export function parseAuditCheckpoint(jwt: unknown, options: IdentifierOptions): SignedJwt<AuditCheckpointClaims> {
  const { claims, ...signed } = parseSignedJwt(jwt, TYP.auditCheckpoint);
  checkAuditCheckpointClaims(claims, options);
  return { ...signed, claims };
}
