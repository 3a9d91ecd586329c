/** The automatic checks of an Entity Configuration before its entity may be approved; each outcome is kept. */
import { createHash } from 'node:crypto';
import { enforceConstraints } from '../federation/constraints.ts';
import { FederationError } from '../federation/errors.ts';
import { type EntityIdentifier, entityConfigurationUrl, type IdentifierOptions } from '../federation/identifiers.ts';
import { canonicalJson, type JsonObject } from '../federation/json.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import { publishedKeyComplaint } from '../federation/lint/published-key.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import { resolveMetadata } from '../federation/metadata/resolve-metadata.ts';
import { verifySignature } from '../federation/signature.ts';
import type { EntityStatement, StatementOptions } from '../federation/statement/entity-statement.ts';
import { type ValidationOptions, validateEntityConfiguration } from '../federation/statement/validate-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import type { Authority } from '../registry/authorities/authority.ts';
import { MAX_ENTITY_TYPES, mergedPolicy } from '../registry/claims-input.ts';
import type { CheckedEvidence, Entity, SubordinateSettings } from '../registry/entities/entity.ts';
import { settingsDigest } from '../registry/entities/judging-settings.ts';
import { type KeyHistory, registrationComplaints } from '../registry/entities/keys/key-history.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { type GivenRole, heldRoles } from '../registry/roles/given-roles.ts';
import { isStorable } from '../registry/storable.ts';
import { CheckRun } from './check-run.ts';

/** The record that is checked; undefined before there is one. */
export type CheckedRecord = Pick<Entity, 'id' | 'enrolment'> | undefined;

/**
 * Retrieves the Entity Configuration of an entity, as a compact JWT. What is served here is told from what others publish
 * by the record: anybody may have enrolled the same identifier elsewhere.
 * @throws FederationError of the retrieval
 */
export type RetrieveConfiguration = (entity: EntityIdentifier, record?: CheckedRecord) => Promise<string>;

export interface ConfigurationSubject {
  record?: CheckedRecord;
  entityIdentifier: EntityIdentifier;
  authority: Authority;
  settings: SubordinateSettings;
  /** Roles that it was given, or is to be given: those that count now judge it. None unless said. */
  roles?: readonly GivenRole[];
  /** Entity Types that the enrolment asks for; each must be declared, and allowed. */
  entityTypes: readonly string[];
  /** Keys that the entity ever had under this authority. */
  keyHistory: KeyHistory;
  /** null before it is approved. */
  approved: ApprovedSubject | null;
}

/** What a configuration must continue once its entity is approved. */
export interface ApprovedSubject {
  /** Registered ones, of which one must have signed it. */
  keys: JwkSet;
  /** `iat` of the last configuration that was accepted: an older one may be a replay. */
  lastIat: NumericDate;
}

export interface CheckedConfiguration extends CheckedEvidence {
  /** Keys of the verified configuration; null when they must not be vouched for. */
  jwks: JwkSet | null;
}

/** What stands in a configuration when an endpoint makes its entity an Intermediate. */
export const INTERMEDIATE_ENDPOINT = 'federation_fetch_endpoint';

/** Checks of what stands in a configuration; without a valid one they are skipped. */
const CONTENT_CHECKS = ['authority_hint', 'entity_types', 'keys', 'metadata_policy'] as const;

/**
 * Fetches the configuration and checks it: retrieval, own signature and claims, our authority among its hints, types,
 * keys, and its metadata against the policy and constraints that would apply. A failure is an outcome, not an error.
 */
export async function checkConfiguration(
  subject: ConfigurationSubject,
  retrieve: RetrieveConfiguration,
  now: NumericDate,
  options: StatementOptions,
): Promise<CheckedConfiguration> {
  const run = new CheckRun(now);
  const url = entityConfigurationUrl(subject.entityIdentifier);
  const judgedBy = { settingsDigest: settingsDigest(subject.settings, subject.authority, subject.roles) };
  const statement = await obtain(run, url, subject, retrieve, { ...options, now });
  if (statement === undefined) {
    run.skip(CONTENT_CHECKS, 'needs a valid configuration');
    const nothing = { verifiedEntityTypes: null, verifiedIntermediate: null, jwks: null };
    return { checks: run.checks, evidence: { url, ...judgedBy }, ...nothing };
  }
  const jwks = await judge(run, statement, subject, { ...options, now });
  const { evidence, ...verified } = evidenceOf(statement, url, now);
  return { checks: run.checks, evidence: { ...evidence, ...judgedBy }, ...verified, jwks };
}

async function obtain(
  run: CheckRun,
  url: string,
  { entityIdentifier, approved, record }: ConfigurationSubject,
  retrieve: RetrieveConfiguration,
  options: ValidationOptions,
): Promise<EntityStatement | undefined> {
  const jwt = await run.attempt(
    'configuration_retrieved',
    () => retrieve(entityIdentifier, record),
    () => `retrieved from ${url}`,
  );
  if (jwt === undefined) {
    run.skip(['configuration_valid'], 'needs a configuration');
    return undefined;
  }
  return run.attempt(
    'configuration_valid',
    async () => {
      const valid = await validateEntityConfiguration(jwt, entityIdentifier, options);
      requireStorable(valid);
      requireFewTypes(valid);
      if (approved !== null) await requireContinuation(valid, approved);
      return valid;
    },
    (valid) => `signed by its own key ${valid.header.kid}; iss and sub are what was asked for`,
  );
}

/** @returns the keys of the configuration, if they may be vouched for */
async function judge(
  run: CheckRun,
  statement: EntityStatement,
  subject: ConfigurationSubject,
  options: IdentifierOptions & { now: NumericDate },
): Promise<JwkSet | null> {
  const { entityIdentifier: hint } = subject.authority;
  await run.attempt(
    'authority_hint',
    () => requireHint(statement, hint),
    () => `names ${hint}`,
  );
  await run.attempt(
    'entity_types',
    () => requireTypes(statement, subject.entityTypes),
    (types) => `plays ${types.join(', ')}`,
  );
  const jwks = await run.attempt(
    'keys',
    () => requireKeys(statement, subject.keyHistory, options.now),
    ({ keys }) => `Federation Entity Keys ${keys.map((key) => key.kid).join(', ')}`,
  );
  await run.attempt(
    'metadata_policy',
    () => requireCompliance(statement.claims.metadata, subject, options),
    (metadata) => `resolves to metadata for ${Object.keys(metadata).join(', ') || 'no Entity Type'}`,
  );
  return jwks ?? null;
}

/** @throws FederationError key_not_found, key_unsuitable, signature_invalid, claim_invalid */
async function requireContinuation(statement: EntityStatement, { keys, lastIat }: ApprovedSubject): Promise<void> {
  await verifySignature(statement, keys);
  if (statement.claims.iat >= lastIat) return;
  throw new FederationError('claim_invalid', `lies before ${lastIat}, that of one accepted already`, '/iat');
}

/** Refused here, it cannot make a later step fail. @throws FederationError claim_invalid */
export function requireStorable(statement: EntityStatement): void {
  if (isStorable(statement.header.kid) && isStorable(statement.claims)) return;
  throw new FederationError('claim_invalid', 'holds the character U+0000 or half of a surrogate pair');
}

/** Of what is valid but out of all proportion nothing is kept. */
function requireFewTypes({ claims }: EntityStatement): void {
  const { length } = Object.keys(claims.metadata ?? {});
  if (length <= MAX_ENTITY_TYPES) return;
  const message = `declares ${length} Entity Types; at most ${MAX_ENTITY_TYPES} are accepted, leave out those not played`;
  throw new FederationError('metadata_invalid', message, '/metadata');
}

function requireHint(statement: EntityStatement, hint: string): void {
  const hints: readonly string[] = statement.claims.authority_hints ?? [];
  if (hints.includes(hint)) return;
  throw new FederationError('authority_hints_invalid', `must name ${hint}, spelt exactly so`, '/authority_hints');
}

function requireTypes(statement: EntityStatement, wanted: readonly string[]): string[] {
  const declared = Object.keys(statement.claims.metadata ?? {});
  if (declared.length === 0) throw new FederationError('metadata_invalid', 'declares no Entity Type', '/metadata');
  const missing = wanted.filter((type) => !declared.includes(type));
  if (missing.length === 0) return declared;
  throw new FederationError('metadata_invalid', `does not declare ${missing.join(', ')}`, '/metadata');
}

async function requireKeys(statement: EntityStatement, history: KeyHistory, now: NumericDate): Promise<JwkSet> {
  const { jwks } = statement.claims;
  const expired = jwks.keys.filter(({ kid, exp }) => kid === statement.header.kid && exp !== undefined && exp <= now);
  const complaints = [
    ...expired.map(({ kid }) => `the key ${kid}, which signs the configuration, has expired`),
    ...jwks.keys.map(publishedKeyComplaint).filter((text) => text !== undefined),
    ...(await registrationComplaints(jwks, history)),
  ];
  if (complaints.length === 0) return jwks;
  throw new FederationError('key_unsuitable', complaints.join('; '), '/jwks');
}

type JudgedSubject = Pick<
  ConfigurationSubject,
  'authority' | 'settings' | 'roles' | 'entityIdentifier' | 'entityTypes'
>;

/** What the policy and constraints that count now have against metadata that was seen; undefined: nothing. */
export function complianceComplaint(
  declared: Metadata | undefined,
  subject: JudgedSubject,
  options: IdentifierOptions & { now: NumericDate },
): string | undefined {
  try {
    requireCompliance(declared, subject, options);
    return undefined;
  } catch (error) {
    if (error instanceof FederationError) return `${error.at} ${error.message}`.trim();
    if (error instanceof RegistryError) return error.message;
    throw error;
  }
}

/** The metadata as a resolver would see it through this authority alone. @throws FederationError, RegistryError */
export function requireCompliance(
  declared: Metadata | undefined,
  { authority, settings, roles = [], entityIdentifier, entityTypes }: JudgedSubject,
  identifierOptions: IdentifierOptions & { now: NumericDate },
): Metadata {
  const constraints = settings.constraints ?? authority.defaultConstraints ?? undefined;
  const metadataPolicy = mergedPolicy(
    {
      authorityDefault: authority.defaultMetadataPolicy,
      roles: heldRoles(roles, identifierOptions.now),
      own: settings.metadataPolicy,
    },
    entityIdentifier,
  );
  if (constraints !== undefined) {
    enforceConstraints(constraints, { statementIndex: 1, subjects: [entityIdentifier] });
  }
  const resolved = resolveMetadata({
    subject: entityIdentifier,
    metadata: declared ?? {},
    superiorMetadata: settings.metadata as Metadata,
    subordinateStatements: [{ place: 'ES[1]', constraints, metadataPolicy }],
    identifierOptions,
  });
  const removed = entityTypes.filter((type) => !Object.hasOwn(resolved, type));
  if (removed.length === 0) return resolved;
  const message = `the constraints that would apply do not allow ${removed.join(', ')}`;
  throw new FederationError('metadata_invalid', message, '/metadata');
}

/** Claims that differ between two issues of a configuration that says the same. */
const FLEETING_CLAIMS = ['iat', 'exp', 'nbf', 'jti'];

function evidenceOf(statement: EntityStatement, url: string, now: NumericDate): Omit<CheckedEvidence, 'checks'> {
  const { iat, exp } = statement.claims;
  const lasting = Object.fromEntries(
    Object.entries(statement.claims as JsonObject).filter(([claim]) => !FLEETING_CLAIMS.includes(claim)),
  );
  const digest = createHash('sha256').update(canonicalJson(lasting)).digest('base64url');
  const metadata = statement.claims.metadata ?? {};
  return {
    evidence: {
      url,
      digest,
      iat,
      exp,
      kid: statement.header.kid,
      fetchedAt: new Date(now * 1000).toISOString(),
      claims: lasting,
    },
    verifiedEntityTypes: Object.keys(metadata),
    verifiedIntermediate: Object.hasOwn(metadata['federation_entity'] ?? {}, INTERMEDIATE_ENDPOINT),
  };
}
