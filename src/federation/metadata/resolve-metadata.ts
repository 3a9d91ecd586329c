/** Resolved Metadata: what a subject's metadata is after all that its superiors say. @see OIDFED §6.1.4, §6.2.3 */
import { type Constraints, filterEntityTypes } from '../constraints.ts';
import type { IdentifierOptions } from '../identifiers.ts';
import { applyMetadataPolicy } from '../policy/apply-policy.ts';
import type { OperatorRegistry } from '../policy/operator.ts';
import { type PolicySource, resolveMetadataPolicy } from '../policy/resolve-policy.ts';
import { applySuperiorMetadata } from './apply-superior-metadata.ts';
import { checkMetadata, type Metadata } from './metadata.ts';
import { type MetadataObserver, MetadataRecorder } from './metadata-trace.ts';

/** What one Subordinate Statement of the chain contributes; its claims are checked already. */
export interface SubordinateStatementRules extends PolicySource {
  constraints?: Constraints;
}

export interface MetadataResolution {
  /** Entity Identifier of the chain's subject. */
  subject: string;
  /** `metadata` of ES[0]. */
  metadata: Metadata;
  /** `metadata` of ES[1]. That of higher statements is about other entities. */
  superiorMetadata?: Metadata;
  /** ES[1] first, as they stand in the chain. */
  subordinateStatements: readonly SubordinateStatementRules[];
  /** Operators known; the seven standard ones when absent. */
  operators?: OperatorRegistry;
  identifierOptions?: IdentifierOptions;
  /** Sees what each superior does to each parameter. */
  observer?: MetadataObserver;
}

/**
 * Resolves metadata in the order of the standard: superior's metadata, Entity Types allowed, policies merged from the
 * most superior down, merged policy applied once; then judges the result. Nothing that is passed in is changed, and
 * the result may share parts with it.
 * @throws FederationError a policy reason at `ES[j] /metadata_policy…` where policies cannot be resolved; a policy or
 * metadata reason at `/metadata/…` where the metadata does not comply or the result is illegal
 */
export function resolveMetadata(resolution: MetadataResolution): Metadata {
  const { subject, subordinateStatements, operators, identifierOptions, observer } = resolution;
  const recorder = observer && new MetadataRecorder({ observer, subordinateStatements, operators });
  const policy = resolveMetadataPolicy(subordinateStatements.toReversed(), operators, recorder?.contribution);
  const overlaid = applySuperiorMetadata(resolution.metadata, resolution.superiorMetadata, recorder?.overlay);
  const constraints = subordinateStatements.map((statement) => statement.constraints);
  const allowed = filterEntityTypes(overlaid, constraints);
  recorder?.filtered(overlaid, allowed);
  const resolved = applyMetadataPolicy(policy, allowed, { operators, observer: recorder?.operator });
  return checkMetadata(resolved, { subject, isConfiguration: true, identifierOptions });
}
