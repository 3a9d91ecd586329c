/** Constraints of a Subordinate Statement on its subject and all below it. @see OIDFED §6.2 */
import { FederationError, pointer } from './errors.ts';
import type { EntityIdentifier } from './identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import type { Metadata } from './metadata/metadata.ts';

/** Host names, each with a leading dot (that domain's subdomains) or without (that host). @see OIDFED §6.2.2 */
export interface NamingConstraints {
  permitted?: string[];
  excluded?: string[];
}

/** Constraints of one statement; names that we do not know are ignored. */
export interface Constraints {
  /** How many Intermediates may stand between the statement's issuer and the subject of the chain. */
  max_path_length?: number;
  naming_constraints?: NamingConstraints;
  /** Entity Types that may stay in metadata, besides `federation_entity`. */
  allowed_entity_types?: string[];
}

/** Labels of letters, digits, hyphen and underscore; internationalized names stand in their ASCII form. */
const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** A name that ends in a number is an IPv4 address, whatever its notation (WHATWG URL §3.5). */
const IPV4 = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/**
 * Checks the syntax of a `constraints` claim.
 * @param at place of the claim, a JSON Pointer
 * @throws FederationError constraints_malformed
 */
export function checkConstraints(value: unknown, at = '/constraints'): Constraints {
  if (!isJsonObject(value)) throw malformed('must be an object', at);
  if (Object.hasOwn(value, 'max_path_length')) checkMaxPathLength(value['max_path_length'], `${at}/max_path_length`);
  if (Object.hasOwn(value, 'naming_constraints')) {
    checkNamingConstraints(value['naming_constraints'], `${at}/naming_constraints`);
  }
  if (Object.hasOwn(value, 'allowed_entity_types')) {
    checkAllowedEntityTypes(value['allowed_entity_types'], `${at}/allowed_entity_types`);
  }
  return value as Constraints;
}

function malformed(message: string, at: string): FederationError {
  return new FederationError('constraints_malformed', message, at);
}

function checkMaxPathLength(value: JsonValue | undefined, at: string): void {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw malformed('must be an integer of zero or more', at);
}

function checkNamingConstraints(value: JsonValue | undefined, at: string): void {
  if (!isJsonObject(value)) throw malformed('must be an object', at);
  for (const list of ['permitted', 'excluded']) {
    if (!Object.hasOwn(value, list)) continue;
    strings(value[list], at + pointer(list)).forEach((name, index) => {
      const bare = canonicalHost(name.startsWith('.') ? name.slice(1) : name);
      if (HOST_NAME.test(bare) && !IPV4.test(bare)) return;
      const message = 'must be a host name in ASCII, with a leading dot for its subdomains; no scheme, port or address';
      throw malformed(message, at + pointer(list, index));
    });
  }
}

function checkAllowedEntityTypes(value: JsonValue | undefined, at: string): void {
  const index = strings(value, at).indexOf('federation_entity');
  if (index !== -1) throw malformed('must not list federation_entity, which is always allowed', at + pointer(index));
}

function strings(value: JsonValue | undefined, at: string): string[] {
  if (!Array.isArray(value)) throw malformed('must be an array of strings', at);
  return value.map((item, index) => {
    if (typeof item !== 'string') throw malformed('must be a string', at + pointer(index));
    return item;
  });
}

/** Where a constrained statement stands. */
export interface ConstrainedPath {
  /** j of the statement ES[j]; 1 is the statement about the subject of the chain. */
  statementIndex: number;
  /** `sub` of ES[0] … ES[j]: every entity below the issuer of the statement. */
  subjects: readonly EntityIdentifier[];
}

/**
 * Judges the entities below a Subordinate Statement by its constraints, and by those of no other statement. The Entity
 * Types allowed are no matter of refusal: see filterEntityTypes.
 * @param at place of the claim, a JSON Pointer
 * @throws FederationError max_path_length_exceeded, naming_constraint_violated
 * @see OIDFED §6.2.1, §6.2.2
 */
export function enforceConstraints(constraints: Constraints, path: ConstrainedPath, at = '/constraints'): void {
  const { max_path_length: maxPathLength, naming_constraints: namingConstraints } = constraints;
  const intermediates = path.statementIndex - 1;
  if (maxPathLength !== undefined && intermediates > maxPathLength) {
    const message = `permits ${maxPathLength} Intermediates below the issuer, the chain has ${intermediates}`;
    throw new FederationError('max_path_length_exceeded', message, `${at}/max_path_length`);
  }
  if (namingConstraints === undefined) return;
  const { permitted, excluded } = namingConstraints;
  if (permitted === undefined && (excluded === undefined || excluded.length === 0)) return;
  for (const subject of path.subjects) checkName(subject, namingConstraints, `${at}/naming_constraints`);
}

/** @see RFC 5280 §4.2.1.10 (uniformResourceIdentifier) */
function checkName(subject: EntityIdentifier, { permitted, excluded = [] }: NamingConstraints, at: string): void {
  const host = canonicalHost(URL.parse(subject)?.hostname ?? '');
  if (!host.includes('.') || !HOST_NAME.test(host) || IPV4.test(host)) {
    const message = `the host of ${subject} is no fully qualified domain name, which naming constraints presuppose`;
    throw new FederationError('naming_constraint_violated', message, at);
  }
  const exclusion = excluded.findIndex((name) => matchesName(host, name));
  if (exclusion !== -1) {
    const message = `${subject} is excluded by ${excluded[exclusion]}`;
    throw new FederationError('naming_constraint_violated', message, `${at}/excluded/${exclusion}`);
  }
  if (permitted !== undefined && !permitted.some((name) => matchesName(host, name))) {
    throw new FederationError('naming_constraint_violated', `${subject} is not permitted`, `${at}/permitted`);
  }
}

function matchesName(host: string, name: string): boolean {
  const constraint = canonicalHost(name);
  return constraint.startsWith('.')
    ? host.length > constraint.length && host.endsWith(constraint)
    : host === constraint;
}

/** Lower case and without the final dot of an absolute name, so that neither evades a constraint. */
function canonicalHost(host: string): string {
  return (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase();
}

/**
 * Metadata without the Entity Types that some statement of the chain does not allow; `federation_entity` always stays.
 * @param constraints those of every Subordinate Statement of the chain
 * @see OIDFED §6.2.3
 */
export function filterEntityTypes(metadata: Metadata, constraints: readonly (Constraints | undefined)[]): Metadata {
  const lists = constraints.map((one) => one?.allowed_entity_types).filter((list) => list !== undefined);
  if (lists.length === 0) return metadata;
  const isAllowed = ([entityType]: [string, JsonObject]): boolean =>
    entityType === 'federation_entity' || lists.every((list) => list.includes(entityType));
  return Object.fromEntries(Object.entries(metadata).filter(isAllowed));
}
