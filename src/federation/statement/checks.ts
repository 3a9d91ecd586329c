/** The checks of §3.2 on the claims of an Entity Statement, one function a step; none needs a clock or a key. */
import { checkConstraints } from '../constraints.ts';
import { FederationError, pointer } from '../errors.ts';
import { isEndpointUrl, parseEntityIdentifier } from '../identifiers.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { checkJwkSet } from '../jwk-set.ts';
import { checkMetadata } from '../metadata/metadata.ts';
import { checkMetadataPolicyCrit, parseMetadataPolicy } from '../policy/parse-policy.ts';
import { decodeJwt } from '../signature.ts';
import { isNumericDate } from '../time.ts';
import {
  type EntityStatementClaims,
  isEntityConfiguration,
  STATEMENT_CLAIMS,
  type StatementOptions,
} from './entity-statement.ts';

type Check = (claims: JsonObject, options: StatementOptions) => void;

/** Every step of §3.2 that looks at claims alone, in the order of the section. */
const CHECKS: readonly Check[] = [
  checkIssuerAndSubject,
  checkTimes,
  checkKeys,
  checkCrit,
  checkPlacement,
  checkHints,
  checkStatementMetadata,
  checkPolicy,
  checkStatementConstraints,
  checkSourceEndpoint,
  checkTrustMarks,
  checkTrustMarkIssuers,
  checkTrustMarkOwners,
];

/**
 * Runs the claim checks of §3.2 on a statement, whoever signed it and whenever it is read.
 * @throws FederationError with the reason and the place of the first check that fails
 */
export function checkStatementClaims(claims: JsonObject, options: StatementOptions = {}): EntityStatementClaims {
  for (const check of CHECKS) check(claims, options);
  return claims as EntityStatementClaims;
}

/** Claims that belong to one kind of statement only. @see OIDFED §3.1.2, §3.1.3 */
const ENTITY_CONFIGURATION_ONLY = [
  'authority_hints',
  'trust_anchor_hints',
  'trust_marks',
  'trust_mark_issuers',
  'trust_mark_owners',
] as const;
const SUBORDINATE_STATEMENT_ONLY = [
  'metadata_policy',
  'metadata_policy_crit',
  'constraints',
  'source_endpoint',
] as const;
/** Claims of the objects of Explicit Registration, which are no statements of a Trust Chain. @see OIDFED §12.2 */
const REGISTRATION_ONLY = ['aud', 'trust_anchor'] as const;

function checkIssuerAndSubject(claims: JsonObject, options: StatementOptions): void {
  for (const claim of ['iss', 'sub']) {
    if (claims[claim] === undefined) throw new FederationError('claim_missing', 'is required', pointer(claim));
    parseEntityIdentifier(claims[claim], options, pointer(claim));
  }
}

function checkTimes(claims: JsonObject): void {
  for (const claim of ['iat', 'exp']) {
    if (claims[claim] === undefined) throw new FederationError('claim_missing', 'is required', pointer(claim));
    if (!isNumericDate(claims[claim])) {
      throw new FederationError('claim_invalid', 'must be a number of seconds', pointer(claim));
    }
  }
}

function checkKeys(claims: JsonObject): void {
  if (claims['jwks'] === undefined) throw new FederationError('claim_missing', 'is required', '/jwks');
  checkJwkSet(claims['jwks']);
}

/** @see OIDFED §13.4 */
function checkCrit(claims: JsonObject, options: StatementOptions): void {
  if (claims['crit'] === undefined) return;
  const names = nonEmptyStrings(claims['crit']);
  if (names === undefined || new Set(names).size < names.length) {
    throw new FederationError('crit_invalid', 'must be a non-empty array of distinct claim names', '/crit');
  }
  names.forEach((name, index) => {
    const at = pointer('crit', index);
    if (STATEMENT_CLAIMS.has(name)) throw new FederationError('crit_invalid', `${name} is defined by the standard`, at);
    if (!Object.hasOwn(claims, name)) throw new FederationError('crit_invalid', `there is no claim ${name}`, at);
    if (!options.understoodClaims?.has(name)) {
      throw new FederationError('crit_not_understood', `the critical claim ${name} is not understood`, at);
    }
  });
}

function checkPlacement(claims: JsonObject): void {
  const isConfiguration = isEntityConfiguration(claims);
  const forbidden = isConfiguration ? SUBORDINATE_STATEMENT_ONLY : ENTITY_CONFIGURATION_ONLY;
  const here = isConfiguration ? 'an Entity Configuration' : 'a Subordinate Statement';
  for (const claim of [...forbidden, ...REGISTRATION_ONLY]) {
    if (Object.hasOwn(claims, claim)) {
      throw new FederationError('claim_forbidden', `must not occur in ${here}`, pointer(claim));
    }
  }
}

function checkHints(claims: JsonObject, options: StatementOptions): void {
  for (const claim of ['authority_hints', 'trust_anchor_hints']) {
    if (claims[claim] === undefined) continue;
    const hints = nonEmptyStrings(claims[claim]);
    if (hints === undefined) {
      const message = 'must be a non-empty array of Entity Identifiers; leave it out instead of []';
      throw new FederationError('authority_hints_invalid', message, pointer(claim));
    }
    hints.forEach((hint, index) => {
      parseEntityIdentifier(hint, options, pointer(claim, index));
    });
  }
}

function checkStatementMetadata(claims: JsonObject, options: StatementOptions): void {
  if (claims['metadata'] === undefined) return;
  const isConfiguration = isEntityConfiguration(claims);
  checkMetadata(claims['metadata'], { isConfiguration, subject: String(claims['sub']), identifierOptions: options });
}

function checkPolicy(claims: JsonObject, options: StatementOptions): void {
  if (claims['metadata_policy'] !== undefined) parseMetadataPolicy(claims['metadata_policy'], options.operators);
  if (claims['metadata_policy_crit'] !== undefined) {
    checkMetadataPolicyCrit(claims['metadata_policy_crit'], options.operators);
  }
}

function checkStatementConstraints(claims: JsonObject): void {
  if (claims['constraints'] !== undefined) checkConstraints(claims['constraints']);
}

function checkSourceEndpoint(claims: JsonObject, options: StatementOptions): void {
  const endpoint = claims['source_endpoint'];
  if (endpoint !== undefined && !isEndpointUrl(endpoint, options)) {
    throw new FederationError('claim_invalid', 'must be an https URL', '/source_endpoint');
  }
}

/**
 * The outer type of each Trust Mark is the inner one. A mark that cannot be read has none, and breaks nothing but
 * itself: what it is worth is asked later (§7.3).
 */
function checkTrustMarks(claims: JsonObject): void {
  const marks = claims['trust_marks'];
  if (marks === undefined) return;
  if (!Array.isArray(marks)) throw new FederationError('claim_invalid', 'must be an array', '/trust_marks');
  marks.forEach((entry, index) => {
    const at = pointer('trust_marks', index);
    if (!isJsonObject(entry)) throw new FederationError('claim_invalid', 'must be an object', at);
    for (const member of ['trust_mark_type', 'trust_mark']) {
      const reason = entry[member] === undefined ? 'claim_missing' : 'claim_invalid';
      if (typeof entry[member] !== 'string' || entry[member] === '') {
        throw new FederationError(reason, `needs \`${member}\`, a string`, `${at}/${member}`);
      }
    }
    const inner = trustMarkType(entry['trust_mark']);
    if (typeof inner === 'string' && inner !== entry['trust_mark_type']) {
      const message = 'differs from the trust_mark_type inside the Trust Mark';
      throw new FederationError('trust_mark_type_mismatch', message, `${at}/trust_mark_type`);
    }
  });
}

function trustMarkType(jwt: unknown): unknown {
  try {
    return decodeJwt(jwt).claims['trust_mark_type'];
  } catch (error) {
    if (error instanceof FederationError) return undefined;
    throw error;
  }
}

function checkTrustMarkIssuers(claims: JsonObject, options: StatementOptions): void {
  const issuers = claims['trust_mark_issuers'];
  if (issuers === undefined) return;
  if (!isJsonObject(issuers)) throw new FederationError('claim_invalid', 'must be an object', '/trust_mark_issuers');
  for (const [type, list] of Object.entries(issuers)) {
    const at = pointer('trust_mark_issuers', type);
    if (!Array.isArray(list)) throw new FederationError('claim_invalid', 'must be an array', at);
    list.forEach((issuer, index) => {
      parseEntityIdentifier(issuer, options, `${at}/${index}`);
    });
  }
}

function checkTrustMarkOwners(claims: JsonObject, options: StatementOptions): void {
  const owners = claims['trust_mark_owners'];
  if (owners === undefined) return;
  if (!isJsonObject(owners)) throw new FederationError('claim_invalid', 'must be an object', '/trust_mark_owners');
  for (const [type, owner] of Object.entries(owners)) {
    const at = pointer('trust_mark_owners', type);
    if (!isJsonObject(owner)) throw new FederationError('claim_invalid', 'must be an object', at);
    if (owner['sub'] === undefined) throw new FederationError('claim_missing', 'needs the owner', `${at}/sub`);
    parseEntityIdentifier(owner['sub'], options, `${at}/sub`);
    if (owner['jwks'] === undefined) throw new FederationError('claim_missing', 'needs its keys', `${at}/jwks`);
    checkJwkSet(owner['jwks'], `${at}/jwks`);
  }
}

/** The value as an array of non-empty strings with at least one element; undefined if it is none. */
function nonEmptyStrings(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.every((item): item is string => typeof item === 'string' && item !== '') ? value : undefined;
}
