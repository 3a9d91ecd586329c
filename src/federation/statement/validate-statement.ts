/** Validation of a single Entity Statement: claims, times, signature. @see OIDFED §3.2 */
import { FederationError } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import type { JwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import { parseSignedJwt, verifySignature } from '../signature.ts';
import { DEFAULT_LEEWAY_SECONDS, type NumericDate } from '../time.ts';
import { checkStatementClaims } from './checks.ts';
import { type EntityStatement, isEntityConfiguration, type StatementOptions } from './entity-statement.ts';

export interface ValidationOptions extends StatementOptions {
  /** The moment to judge by, seconds since the epoch. */
  now: NumericDate;
  /** Widens both time checks, in seconds. */
  leewaySeconds?: number;
}

/**
 * Parses a statement and checks all of its claims; neither times nor signature are looked at.
 * @throws FederationError any reason of a header, JSON or claim check
 */
export function parseEntityStatement(jwt: unknown, options: StatementOptions = {}): EntityStatement {
  const signed = parseSignedJwt(jwt, TYP.entityStatement);
  for (const parameter of ['trust_chain', 'peer_trust_chain']) {
    if (Object.hasOwn(signed.header, parameter)) {
      const message = 'must not occur in an Entity Configuration or Subordinate Statement (§4.3, §4.4)';
      throw new FederationError('header_parameter_forbidden', message, `header/${parameter}`);
    }
  }
  return { jwt: signed.jwt, header: signed.header, claims: checkStatementClaims(signed.claims, options) };
}

/** @throws FederationError statement_not_yet_valid, statement_expired */
export function checkStatementTimes(statement: EntityStatement, options: ValidationOptions): void {
  const leeway = options.leewaySeconds ?? DEFAULT_LEEWAY_SECONDS;
  const { iat, exp } = statement.claims;
  if (iat > options.now + leeway) {
    const message = `was issued ${Math.ceil(iat - options.now)} s in the future; compare the clocks`;
    throw new FederationError('statement_not_yet_valid', message, '/iat');
  }
  if (exp <= options.now - leeway) {
    const message = `expired ${Math.floor(options.now - exp)} s ago; its issuer must publish a fresh one`;
    throw new FederationError('statement_expired', message, '/exp');
  }
}

/**
 * Validates an Entity Configuration as retrieved from `subject`: its own identifier, times, and own signature.
 * @throws FederationError subject_mismatch, not_entity_configuration and all of §3.2
 */
export async function validateEntityConfiguration(
  jwt: unknown,
  subject: EntityIdentifier,
  options: ValidationOptions,
): Promise<EntityStatement> {
  const statement = parseEntityStatement(jwt, options);
  checkSubject(statement, subject);
  if (!isEntityConfiguration(statement.claims)) {
    throw new FederationError('not_entity_configuration', 'iss and sub must be the same entity', '/iss');
  }
  checkStatementTimes(statement, options);
  await verifySignature(statement, statement.claims.jwks);
  return statement;
}

/** The Immediate Superior that a Subordinate Statement is expected from. */
export interface ExpectedIssuer {
  entityIdentifier: EntityIdentifier;
  jwks: JwkSet;
}

/**
 * Validates a Subordinate Statement about `subject` as retrieved from its Immediate Superior.
 * @throws FederationError subject_mismatch, issuer_mismatch, not_subordinate_statement and all of §3.2
 */
export async function validateSubordinateStatement(
  jwt: unknown,
  subject: EntityIdentifier,
  issuer: ExpectedIssuer,
  options: ValidationOptions,
): Promise<EntityStatement> {
  const statement = parseEntityStatement(jwt, options);
  checkSubject(statement, subject);
  if (isEntityConfiguration(statement.claims)) {
    throw new FederationError('not_subordinate_statement', 'iss and sub must be different entities', '/iss');
  }
  if (statement.claims.iss !== issuer.entityIdentifier) {
    throw new FederationError('issuer_mismatch', `must be ${issuer.entityIdentifier}`, '/iss');
  }
  checkStatementTimes(statement, options);
  await verifySignature(statement, issuer.jwks);
  return statement;
}

function checkSubject(statement: EntityStatement, subject: EntityIdentifier): void {
  if (statement.claims.sub !== subject) {
    throw new FederationError('subject_mismatch', `must be ${subject}, character by character`, '/sub');
  }
}
