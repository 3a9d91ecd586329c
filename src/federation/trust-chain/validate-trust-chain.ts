/** Validation of a whole Trust Chain, fetched or handed over. @see OIDFED §10.2, §4, §6 */
import { enforceConstraints } from '../constraints.ts';
import { FederationError } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import type { JwkSet } from '../jwk-set.ts';
import type { MetadataObserver } from '../metadata/metadata-trace.ts';
import { resolveMetadata } from '../metadata/resolve-metadata.ts';
import { verifySignature } from '../signature.ts';
import { type EntityStatement, isEntityConfiguration } from '../statement/entity-statement.ts';
import { checkStatementTimes, parseEntityStatement, type ValidationOptions } from '../statement/validate-statement.ts';
import { MAX_CHAIN_LENGTH, type TrustAnchors, type TrustChain } from './trust-chain.ts';

export interface TrustChainOptions extends ValidationOptions {
  trustAnchors: TrustAnchors;
  /** Sees what each superior does to the subject's metadata. */
  observer?: MetadataObserver;
}

/**
 * Validates a Trust Chain: shape, times and `iss`/`sub` linkage first, then signatures, constraints and metadata. The
 * Trust Anchor is believed by its configured keys only. Its own configuration may be missing at the end.
 * @param chain compact JWTs, ES[0] first
 * @throws FederationError with a place such as `ES[1] /exp`
 * @see OIDFED §10.2
 */
export async function validateTrustChain(chain: readonly unknown[], options: TrustChainOptions): Promise<TrustChain> {
  checkLength(chain);
  const statements = chain.map((jwt, index) => at(index, () => parseEntityStatement(jwt, options)));
  return await validateParsedTrustChain(statements, options);
}

/** The same for statements that were parsed with these options already. */
export async function validateParsedTrustChain(
  statements: EntityStatement[],
  options: TrustChainOptions,
): Promise<TrustChain> {
  checkLength(statements);
  statements.forEach((statement, index) => {
    at(index, () => checkStatementTimes(statement, options));
  });
  checkLinkage(statements);
  const anchor = trustAnchorOf(statements, options.trustAnchors);
  await verifySignatures(statements, anchor.jwks);
  statements.forEach((statement, index) => {
    at(index, () => checkConstraintsOf(statement, index, statements));
  });
  return {
    subject: first(statements).claims.sub,
    trustAnchor: anchor.entityIdentifier,
    statements,
    metadata: resolvedMetadata(statements, options),
    expiresAt: Math.min(...statements.map((statement) => statement.claims.exp)),
  };
}

function checkLength({ length }: readonly unknown[]): void {
  if (length > 0 && length <= MAX_CHAIN_LENGTH) return;
  throw new FederationError('trust_chain_malformed', `must have 1 to ${MAX_CHAIN_LENGTH} statements`);
}

/** Runs a step and says at which statement it failed. */
function at<T>(index: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof FederationError ? error.within(`ES[${index}]`) : error;
  }
}

function first(statements: readonly EntityStatement[]): EntityStatement {
  const statement = statements[0];
  if (statement === undefined) throw new FederationError('trust_chain_malformed', 'has no statement');
  return statement;
}

/** ES[0] and only it, or the Trust Anchor's, is a configuration; each issuer is the subject of the next statement. */
function checkLinkage(statements: readonly EntityStatement[]): void {
  const last = statements.length - 1;
  statements.forEach(({ claims }, index) => {
    const isConfiguration = isEntityConfiguration(claims);
    if (index === 0 && !isConfiguration) {
      throw new FederationError('not_entity_configuration', "must be the subject's Entity Configuration", 'ES[0] /iss');
    }
    if (isConfiguration && index > 0 && (index < last || index === 1)) {
      throw new FederationError('not_subordinate_statement', 'must be a Subordinate Statement', `ES[${index}] /iss`);
    }
    const next = statements[index + 1];
    if (next !== undefined && claims.iss !== next.claims.sub) {
      throw new FederationError('issuer_not_next_subject', `must be the sub of ES[${index + 1}]`, `ES[${index}] /iss`);
    }
  });
  checkNoLoop(statements);
  checkAuthorityHint(statements);
}

/** The subject and the issuers above it are all different; the Trust Anchor's configuration adds no entity. */
function checkNoLoop(statements: readonly EntityStatement[]): void {
  const entities = new Set<EntityIdentifier>();
  statements.forEach(({ claims: { iss, sub } }, index) => {
    if (index > 0 && iss === sub) return;
    if (entities.has(iss)) throw new FederationError('trust_chain_loop', `${iss} occurs twice`, `ES[${index}] /iss`);
    entities.add(iss);
  });
}

/** The Immediate Superior must be one that the subject named itself (§3.2). */
function checkAuthorityHint(statements: readonly EntityStatement[]): void {
  const superior = statements[1]?.claims.iss;
  if (superior === undefined || first(statements).claims.authority_hints?.includes(superior)) return;
  const message = `${superior} is not among the subject's authority_hints`;
  throw new FederationError('issuer_not_in_authority_hints', message, 'ES[1] /iss');
}

function trustAnchorOf(
  statements: readonly EntityStatement[],
  trustAnchors: TrustAnchors,
): { entityIdentifier: EntityIdentifier; jwks: JwkSet } {
  const last = statements.length - 1;
  const entityIdentifier = (statements[last] ?? first(statements)).claims.iss;
  const jwks = trustAnchors.get(entityIdentifier);
  if (jwks !== undefined) return { entityIdentifier, jwks };
  throw new FederationError(
    'trust_anchor_unknown',
    `${entityIdentifier} is no configured Trust Anchor`,
    `ES[${last}] /iss`,
  );
}

/**
 * ES[0] verifies with its own keys; each ES[j] with the keys that ES[j+1] states for its issuer; the last one with the
 * configured keys of the Trust Anchor, and if it is a configuration, with its own keys too.
 */
async function verifySignatures(statements: readonly EntityStatement[], anchorKeys: JwkSet): Promise<void> {
  const outcomes = await Promise.allSettled(
    statements.map(async (statement, index) => {
      if (isEntityConfiguration(statement.claims)) await verifySignature(statement, statement.claims.jwks);
      const superiors = statements[index + 1]?.claims.jwks;
      if (superiors !== undefined) await verifySignature(statement, superiors);
      else await verifyWithAnchorKeys(statement, anchorKeys);
    }),
  );
  outcomes.forEach((outcome, index) => {
    if (outcome.status === 'rejected') {
      at(index, () => {
        throw outcome.reason;
      });
    }
  });
}

async function verifyWithAnchorKeys(statement: EntityStatement, anchorKeys: JwkSet): Promise<void> {
  try {
    await verifySignature(statement, anchorKeys);
  } catch (error) {
    if (!(error instanceof FederationError) || error.reason !== 'key_not_found') throw error;
    const message = `${statement.claims.iss} signed with a key that is not among its configured keys; compare them`;
    throw new FederationError('trust_anchor_key_unknown', message, error.at, { cause: error });
  }
}

function checkConstraintsOf(statement: EntityStatement, index: number, statements: readonly EntityStatement[]): void {
  if (statement.claims.constraints === undefined) return;
  const subjects = statements.slice(0, index + 1).map((below) => below.claims.sub);
  enforceConstraints(statement.claims.constraints, { statementIndex: index, subjects });
}

function resolvedMetadata(statements: readonly EntityStatement[], options: TrustChainOptions): TrustChain['metadata'] {
  const subordinateStatements = statements.slice(1).filter((statement) => !isEntityConfiguration(statement.claims));
  const subject = first(statements).claims;
  return resolveMetadata({
    subject: subject.sub,
    metadata: subject.metadata ?? {},
    superiorMetadata: subordinateStatements[0]?.claims.metadata,
    subordinateStatements: subordinateStatements.map((statement, index) => ({
      place: `ES[${index + 1}]`,
      constraints: statement.claims.constraints,
      metadataPolicy: statement.claims.metadata_policy,
      metadataPolicyCrit: statement.claims.metadata_policy_crit,
    })),
    operators: options.operators,
    identifierOptions: options,
    observer: options.observer,
  });
}
