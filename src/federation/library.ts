/**
 * `holdfast/federation`: the rules of OpenID Federation as pure functions, for any runtime with Web Crypto. They know no
 * network, clock or environment: whoever calls them brings statements, keys and the moment to judge by.
 * @see OIDFED §3, §4, §5, §6, §7, §10
 * @example
 * import { checkJwkSet, FederationError, parseEntityIdentifier, validateTrustChain } from 'holdfast/federation';
 *
 * try {
 *   const now = Math.floor(Date.now() / 1000);
 *   const trustAnchors = new Map([[parseEntityIdentifier('https://fed.example.org'), checkJwkSet(pinnedKeys)]]);
 *   const { metadata, expiresAt } = await validateTrustChain(chain, { now, trustAnchors });
 * } catch (error) {
 *   if (error instanceof FederationError) report(error.reason, error.section, error.at, error.message);
 *   else throw error;
 * }
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry of the package gathers what it promises; nothing here imports it

// Constraints
export {
  type ConstrainedPath,
  type Constraints,
  checkConstraints,
  enforceConstraints,
  filterEntityTypes,
  type NamingConstraints,
} from './constraints.ts';
// Refusals
export { FederationError, REASONS, type Reason, WIRE, type WireCode } from './errors.ts';
// Names, times, encodings
export {
  type EntityIdentifier,
  entityConfigurationUrl,
  type IdentifierOptions,
  isEntityIdentifier,
  parseEntityIdentifier,
} from './identifiers.ts';
export { type JsonObject, type JsonValue, parseJson } from './json.ts';
// Keys and signatures
export { checkJwkSet, type Jwk, type JwkSet } from './jwk-set.ts';
export { MEDIA_TYPE, TYP, type Typ } from './media-types.ts';
// Metadata and policies
export type { MetadataContext } from './metadata/entity-type-check.ts';
export { checkMetadata, type Metadata } from './metadata/metadata.ts';
export type { MetadataObserver, MetadataStep } from './metadata/metadata-trace.ts';
export {
  type MetadataResolution,
  resolveMetadata,
  type SubordinateStatementRules,
} from './metadata/resolve-metadata.ts';
export {
  type ApplicationOptions,
  applyMetadataPolicy,
  type PolicyObserver,
  type PolicyStep,
} from './policy/apply-policy.ts';
export { type OperatorRegistry, type ParameterPolicy, type PolicyOperator, Refusal } from './policy/operator.ts';
export {
  checkMetadataPolicyCrit,
  type EntityTypePolicy,
  type MetadataPolicy,
  parseMetadataPolicy,
} from './policy/parse-policy.ts';
export {
  type ContributionObserver,
  type PolicyContribution,
  type PolicySource,
  resolveMetadataPolicy,
} from './policy/resolve-policy.ts';
export { createOperatorRegistry, STANDARD_OPERATORS } from './policy/standard-operators.ts';
export {
  ALGORITHM_NAMES,
  type Algorithm,
  decodeJwt,
  type JoseHeader,
  MAX_JWT_LENGTH,
  parseSignedJwt,
  type SignedJwt,
  verifySignature,
} from './signature.ts';
// Statements
export {
  type EntityStatement,
  type EntityStatementClaims,
  isEntityConfiguration,
  type StatementOptions,
  type TrustMarkEntry,
} from './statement/entity-statement.ts';
export {
  checkStatementTimes,
  type ExpectedIssuer,
  parseEntityStatement,
  type ValidationOptions,
  validateEntityConfiguration,
  validateSubordinateStatement,
} from './statement/validate-statement.ts';
export { type Clock, DEFAULT_LEEWAY_SECONDS, type NumericDate } from './time.ts';
// Trust Chains
export type { Attempt } from './trust-chain/attempt.ts';
export { chooseTrustChain, orderTrustChains } from './trust-chain/choose-trust-chain.ts';
export { type Discovery, type DiscoveryOptions, discoverTrustChains } from './trust-chain/discover.ts';
export { DEFAULT_DISCOVERY_BUDGET, type DiscoveryBudget } from './trust-chain/discovery-budget.ts';
export { fetchEndpointOf } from './trust-chain/fetch-endpoint.ts';
export {
  type HandedOverContext,
  parseTrustChain,
  type TrustChainHeaders,
  trustChainsIn,
  type ValidatedTrustChainHeaders,
  validateTrustChainsIn,
} from './trust-chain/handed-over.ts';
export {
  type HistoricalKey,
  type HistoricalKeys,
  validateHistoricalKeys,
  withHistoricalKeys,
} from './trust-chain/historical-keys.ts';
export type { StatementSource } from './trust-chain/statement-source.ts';
export { compareTrustAnchorKeys, type TrustAnchorKeyNews } from './trust-chain/trust-anchor-rollover.ts';
export { MAX_CHAIN_LENGTH, type TrustAnchors, type TrustChain } from './trust-chain/trust-chain.ts';
export { type TrustChainOptions, validateTrustChain } from './trust-chain/validate-trust-chain.ts';
// Trust Marks
export { parseTrustMarkDelegation, type TrustMarkDelegation } from './trust-mark/delegation.ts';
export { statusEndpointOf } from './trust-mark/status-endpoint.ts';
export {
  type TrustMarkStatusOptions,
  type TrustMarkStatusResponse,
  validateTrustMarkStatus,
} from './trust-mark/status-response.ts';
export {
  parseTrustMark,
  type TrustMark,
  type TrustMarkClaims,
  type TrustMarkOptions,
} from './trust-mark/trust-mark.ts';
export { type JudgedTrustMark, type TrustMarkContext, validateTrustMark } from './trust-mark/validate-trust-mark.ts';
