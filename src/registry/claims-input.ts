/** Claims that a caller hands in: refused with the field at fault, by the same rules that readers will apply. */
import { checkConstraints } from '../federation/constraints.ts';
import { FederationError, pointer } from '../federation/errors.ts';
import { type EntityIdentifier, type IdentifierOptions, parseEntityIdentifier } from '../federation/identifiers.ts';
import type { JsonObject } from '../federation/json.ts';
import { checkJwkSet, type JwkSet } from '../federation/jwk-set.ts';
import { publishedKeyComplaint } from '../federation/lint/published-key.ts';
import { checkFederationEntity } from '../federation/metadata/federation-entity.ts';
import { checkMetadata } from '../federation/metadata/metadata.ts';
import { mergeForStatement } from '../federation/policy/merge-for-statement.ts';
import { type MetadataPolicy, parseMetadataPolicy } from '../federation/policy/parse-policy.ts';
import { STATEMENT_CLAIMS, type StatementOptions } from '../federation/statement/entity-statement.ts';
import { invalidField, RegistryError } from './registry-error.ts';

/** Shortest and longest life of a statement that may be configured, in seconds. */
export const LIFETIME_SECONDS = { min: 60, max: 90 * 86_400 } as const;

/** Most Entity Types that one entity declares, or that a superior says something about. */
export const MAX_ENTITY_TYPES = 50;

/** @throws RegistryError validation_failed */
export function inputLifetime(seconds: number, field: string): number {
  const { min, max } = LIFETIME_SECONDS;
  if (Number.isInteger(seconds) && seconds >= min && seconds <= max) return seconds;
  throw invalidField(field, `is a whole number of seconds from ${min} to ${max}`);
}

/** @throws RegistryError validation_failed at `field` */
export function inputIdentifier(value: string, options: IdentifierOptions, field: string): EntityIdentifier {
  return asField(field, () => parseEntityIdentifier(value, options));
}

/**
 * The Entity Identifier of who is to be a subordinate. It is never the authority itself: a statement of the authority
 * about itself would be an Entity Configuration, with whatever keys were registered.
 * @throws RegistryError validation_failed at `/entityIdentifier`
 */
export function inputSubordinate(
  value: string,
  authorityIdentifier: string,
  options: IdentifierOptions,
): EntityIdentifier {
  const field = '/entityIdentifier';
  const entityIdentifier = inputIdentifier(value, options, field);
  if (entityIdentifier === authorityIdentifier) throw invalidField(field, 'is the authority itself');
  return entityIdentifier;
}

export function inputHints(hints: readonly string[], options: IdentifierOptions, field: string): string[] {
  if (new Set(hints).size !== hints.length) throw invalidField(field, 'names an entity twice');
  return hints.map((hint, index) => inputIdentifier(hint, options, `${field}/${index}`));
}

/** Public keys only; a private one is refused and goes nowhere, not even into a log. */
export function inputJwkSet(jwks: unknown, field: string): JwkSet {
  return asField(field, () => {
    const checked = checkJwkSet(jwks, '');
    checked.keys.forEach((key, index) => {
      const complaint = publishedKeyComplaint(key);
      if (complaint !== undefined) throw new FederationError('key_unsuitable', complaint, pointer('keys', index));
    });
    return checked;
  });
}

export function inputConstraints(constraints: JsonObject | null, field: string): JsonObject | null {
  if (constraints === null || Object.keys(constraints).length === 0) return null;
  asField(field, () => checkConstraints(constraints, ''));
  return constraints;
}

export function inputPolicy(policy: JsonObject, field: string): JsonObject {
  asField(field, () => parseMetadataPolicy(policy, undefined, ''));
  return policy;
}

/** Endpoints of an entity are its own word; a superior that set them would take over its traffic (§8.1, §8.2, §8.4). */
const OWN_WORD = /^federation_\w+_endpoint$/;

/** `metadata` of a Subordinate Statement about `subject`. */
export function inputSuperiorMetadata(
  metadata: JsonObject,
  subject: string,
  options: IdentifierOptions,
  field: string,
): JsonObject {
  if (Object.keys(metadata).length > MAX_ENTITY_TYPES) {
    throw invalidField(field, `names more than ${MAX_ENTITY_TYPES} Entity Types`);
  }
  asField(field, () => checkMetadata(metadata, { subject, isConfiguration: false, identifierOptions: options }, ''));
  for (const parameter of Object.keys((metadata['federation_entity'] as JsonObject | undefined) ?? {})) {
    if (OWN_WORD.test(parameter)) {
      throw invalidField(
        `${field}/federation_entity/${parameter}`,
        "is published by the entity's own configuration only",
      );
    }
  }
  return metadata;
}

/** Names that Holdfast publishes itself in an authority's federation_entity metadata. */
const OWN_PARAMETERS = /^(federation_|organization_name$|jwks|signed_jwks_uri$|endpoint_auth_)/;

/** Informational parameters of an authority's own federation_entity metadata. */
export function inputOwnMetadata(parameters: JsonObject, options: IdentifierOptions, field: string): JsonObject {
  for (const [parameter, value] of Object.entries(parameters)) {
    const at = `${field}${pointer(parameter)}`;
    if (OWN_PARAMETERS.test(parameter)) throw invalidField(at, 'is published by Holdfast itself');
    if (value === null) throw invalidField(at, 'must not be null; leave the parameter out');
  }
  asField(field, () => checkFederationEntity(parameters, { isConfiguration: true, identifierOptions: options }, ''));
  return parameters;
}

/**
 * Claims of a Subordinate Statement beside those of the standard, and which of them readers must understand: no reader
 * of this federation could, if we did not ourselves.
 */
export function inputAdditionalClaims(
  claims: JsonObject,
  crit: readonly string[],
  { understoodClaims }: StatementOptions,
): void {
  for (const name of Object.keys(claims)) {
    if (STATEMENT_CLAIMS.has(name))
      throw invalidField(`/additionalClaims${pointer(name)}`, 'is set by Holdfast itself');
  }
  if (new Set(crit).size !== crit.length) throw invalidField('/crit', 'names a claim twice');
  crit.forEach((name, index) => {
    const field = `/crit/${index}`;
    if (!Object.hasOwn(claims, name)) throw invalidField(field, 'names no claim of additionalClaims');
    if (understoodClaims?.has(name)) return;
    throw invalidField(
      field,
      `${name} is not understood here; if this federation defined it, name it in HOLDFAST_UNDERSTOOD_CLAIMS`,
    );
  });
}

/** What goes into the `metadata_policy` of a statement, the most superior first. */
export interface StatementPolicies {
  authorityDefault: JsonObject;
  /** Of the roles that the entity holds, in the order of their names. */
  roles: readonly { name: string; metadataPolicy: JsonObject }[];
  /** The entity's own. */
  own: JsonObject;
}

/** What would be saved and is at fault: a policy, or something that brings one. */
export type PolicyField = '/metadataPolicy' | '/defaultMetadataPolicy' | '/roleId' | '';

/**
 * The policy that goes into a statement: the authority's default merged with those of the entity's roles and its own.
 * @throws RegistryError policy_conflict, with `place` (whose policy does not go with those before it), `operator`, `entity`
 */
export function mergedPolicy(
  { authorityDefault, roles, own }: StatementPolicies,
  entityIdentifier: string,
  field: PolicyField = '/metadataPolicy',
): MetadataPolicy {
  const sources = [
    { name: "the authority's default", policy: authorityDefault },
    ...roles.map(({ name, metadataPolicy }) => ({ name: `the role ${name}`, policy: metadataPolicy })),
    { name: "the entity's own", policy: own },
  ];
  try {
    return mergeForStatement(
      sources.map(({ policy }, index) => ({ place: String(index), metadataPolicy: parseMetadataPolicy(policy) })),
    );
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const [, index = '', at = ''] = /^(?:(\d+) )?\/metadata_policy(.*)$/.exec(error.at) ?? [];
    const place = sources[Number(index)]?.name ?? 'a policy';
    const operator = at.slice(at.lastIndexOf('/') + 1);
    const message = `${place} contradicts the policies above it in what is said about ${entityIdentifier}, at ${at}: ${error.message}`;
    const pointer = field.endsWith('Policy') ? field + at : field;
    const errors = [{ pointer, detail: error.message }];
    throw new RegistryError(
      'policy_conflict',
      message,
      { errors, entity: entityIdentifier, place, operator },
      { cause: error },
    );
  }
}

function asField<T>(field: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw new RegistryError(
      'validation_failed',
      `${field}${error.at} ${error.message}`,
      { errors: [{ pointer: `${field}${error.at}`, detail: error.message }], reason: error.reason },
      { cause: error },
    );
  }
}
