/** What there is to say about an Entity Configuration that somebody publishes: errors of §3.2, and things to look at. */
import { FederationError, pointer, type Reason } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { publishedKeyComplaint } from '../federation/lint/published-key.ts';
import { checkEndpointsOfPosition } from '../federation/metadata/federation-entity.ts';
import { validateSignedJwkSet } from '../federation/metadata/signed-jwk-set.ts';
import { olderNamesInJwt, olderNameText } from '../federation/older-drafts.ts';
import { verifySignature } from '../federation/signature.ts';
import { type EntityStatement, isEntityConfiguration } from '../federation/statement/entity-statement.ts';
import {
  checkStatementTimes,
  parseEntityStatement,
  type ValidationOptions,
} from '../federation/statement/validate-statement.ts';
import { parseTrustMark } from '../federation/trust-mark/trust-mark.ts';

/** An `error` makes the configuration invalid; a `warning` does not, but somebody should know. */
export interface Finding {
  level: 'error' | 'warning';
  reason?: Reason;
  /** Section of OpenID Federation 1.0. */
  section?: string;
  /** A JSON Pointer into the claims, or `header/<name>`. */
  at: string;
  message: string;
}

export interface FindingOptions extends ValidationOptions {
  /** Gets what a `signed_jwks_uri` serves, as a compact JWT. @throws FederationError of the retrieval */
  retrieveJwkSet: (url: string) => Promise<string>;
}

/** Enough for any entity; whoever names more cannot make us ask for all of them. */
const MAX_SIGNED_JWK_SETS = 10;

/** Whoever reads the configuration less often than that finds it expired. */
const SOON_SECONDS = 3600;

/**
 * Judges a configuration as retrieved. One that cannot be read at all has a single error, and
 * what has a name of older drafts; of any other every step is
 * taken, so that all that is wrong with it is found at once.
 */
export async function findingsOf(jwt: string, entity: EntityIdentifier, options: FindingOptions): Promise<Finding[]> {
  const found: Finding[] = [];
  const attempt = async <T>(level: Finding['level'], step: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const { reason, section, at, message } = error;
      found.push({ level, reason, section, at, message });
      return undefined;
    }
  };
  const statement = await attempt('error', () => parseEntityStatement(jwt, options));
  // Such a name may be why it cannot be read.
  for (const name of olderNamesInJwt(jwt)) found.push({ level: 'warning', at: name.at, message: olderNameText(name) });
  if (statement === undefined) return found;
  await attempt('error', () => checkSubject(statement, entity));
  await attempt('error', () => checkStatementTimes(statement, options));
  await attempt('error', () => verifySignature(statement, statement.claims.jwks));
  await attempt('warning', () => checkPosition(statement));
  for (const [index, { trust_mark: mark }] of (statement.claims.trust_marks ?? []).entries()) {
    await attempt('warning', () => checkTrustMark(mark, pointer('trust_marks', index, 'trust_mark'), options));
  }
  for (const { type, url } of signedJwkSetsOf(statement)) {
    const at = pointer('metadata', type, 'signed_jwks_uri');
    const superfluous = (await attempt('warning', () => checkSignedJwkSet(statement, url, at, options))) ?? [];
    const message = `what it serves has ${superfluous.join(', ')}, which should not be there`;
    if (superfluous.length > 0) found.push({ level: 'warning', section: '5.2.1', at, message });
  }
  return [...found, ...remarksOn(statement, options.now)];
}

function checkSubject({ claims }: EntityStatement, entity: EntityIdentifier): void {
  if (claims.sub !== entity) {
    throw new FederationError('subject_mismatch', `must be ${entity}, character by character`, '/sub');
  }
  if (!isEntityConfiguration(claims)) {
    throw new FederationError('not_entity_configuration', 'iss and sub must be the same entity', '/iss');
  }
}

/** One federation endpoint of a superior without the other is a mistake. */
function checkPosition({ claims: { metadata = {} } }: EntityStatement): void {
  const endpoints = metadata['federation_entity'] ?? {};
  const isSuperior =
    Object.hasOwn(endpoints, 'federation_fetch_endpoint') || Object.hasOwn(endpoints, 'federation_list_endpoint');
  checkEndpointsOfPosition(metadata, isSuperior ? 'superior' : 'leaf');
}

function checkTrustMark(jwt: string, at: string, options: ValidationOptions): void {
  try {
    const { exp } = parseTrustMark(jwt, options).claims;
    if (exp !== undefined && exp <= options.now) throw new FederationError('trust_mark_expired', 'has expired', '/exp');
  } catch (error) {
    throw error instanceof FederationError ? error.within(at) : error;
  }
}

function signedJwkSetsOf({ claims: { metadata = {} } }: EntityStatement): { type: string; url: string }[] {
  return Object.entries(metadata)
    .map(([type, parameters]) => ({ type, url: parameters['signed_jwks_uri'] }))
    .filter((one): one is { type: string; url: string } => typeof one.url === 'string')
    .slice(0, MAX_SIGNED_JWK_SETS);
}

/** @returns claims that it has and should not have */
async function checkSignedJwkSet(
  { claims }: EntityStatement,
  url: string,
  at: string,
  { retrieveJwkSet, ...options }: FindingOptions,
): Promise<string[]> {
  try {
    const jwt = await retrieveJwkSet(url);
    const entity = { entity: claims.sub, federationKeys: claims.jwks };
    return (await validateSignedJwkSet(jwt, { ...options, ...entity })).superfluous;
  } catch (error) {
    throw error instanceof FederationError ? error.within(at) : error;
  }
}

function remarksOn({ claims }: EntityStatement, now: number): Finding[] {
  const remarks: Finding[] = claims.jwks.keys.flatMap((key, index) => {
    const message = publishedKeyComplaint(key);
    return message === undefined ? [] : [{ level: 'warning', at: pointer('jwks', 'keys', index), message }];
  });
  if (claims.authority_hints === undefined) {
    const message = 'names no superior: nobody can resolve it, unless it is a Trust Anchor itself';
    remarks.push({ level: 'warning', at: '/authority_hints', message });
  }
  const left = claims.exp - now;
  if (left > 0 && left < SOON_SECONDS) {
    remarks.push({ level: 'warning', at: '/exp', message: `expires in ${Math.ceil(left / 60)} min` });
  }
  return remarks;
}
