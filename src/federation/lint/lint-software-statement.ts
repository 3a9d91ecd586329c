/** What must hold before a software statement is signed: what an authority says of an application for registration. */
import { FederationError, pointer } from '../errors.ts';
import { parseEntityIdentifier } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import { TYP } from '../media-types.ts';
import { type HouseRules, lintLifetime, lintReadable } from './house-rules.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

/** Whoever takes it keeps nothing older. */
const MAX_LIFETIME_SECONDS = 600;
/** It names roles and addresses of one application. */
const MAX_BYTES = 256 * 1024;

/**
 * Lints a software statement: about one application that is active, as its organisation is, and of a short life.
 * @throws FederationError entity_identifier_invalid, claim_missing, claim_invalid, lint_failed
 * @see RFC 7591 §2.3
 */
export function lintSoftwareStatement(claims: JsonObject, rules: HouseRules): LintedStatement {
  const maxLifetimeSeconds = Math.min(rules.maxLifetimeSeconds, MAX_LIFETIME_SECONDS);
  return passed(TYP.softwareStatement, claims, [
    () => parseEntityIdentifier(claims['iss'], rules, '/iss'),
    () => parseEntityIdentifier(claims['software_client_id'], rules, '/software_client_id'),
    () => lintLifetime(claims, { ...rules, maxLifetimeSeconds }),
    () => lintSubject(claims),
    (payload) => lintReadable(payload, MAX_BYTES),
  ]);
}

function lintSubject(claims: JsonObject): void {
  for (const name of ['jti', 'sub', 'software_id', 'org_id', 'org_name']) {
    const value = claims[name];
    if (typeof value !== 'string' || value === '') {
      throw new FederationError('claim_missing', 'is required', pointer(name));
    }
  }
  if (claims['sub'] !== claims['software_id']) throw new FederationError('lint_failed', 'is not the software', '/sub');
  for (const name of ['org_status', 'software_status']) {
    if (claims[name] !== 'Active') {
      throw new FederationError('lint_failed', 'is not Active: nothing is stated then', pointer(name));
    }
  }
}
