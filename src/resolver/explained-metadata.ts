/** What each superior did to each parameter of the subject's metadata, by the names of those who did it. @see OIDFED §6.1.4 */
import { pointer } from '../federation/errors.ts';
import type { JsonObject, JsonValue } from '../federation/json.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import type { MetadataStep, StepRefusal } from '../federation/metadata/metadata-trace.ts';

/** Values of hostile policies can be long, and they repeat from step to step: beyond this no step is shown. */
export const MAX_METADATA_CHARACTERS = 2 * 1024 * 1024;

/** What happened to one parameter, in the order in which it happened. */
export interface ExplainedParameter {
  entityType: string;
  parameter: string;
  /** What the subject publishes; absent if it says nothing. */
  published?: JsonValue;
  steps: ParameterStep[];
  /** What came out; absent if the parameter is, or if the chain was refused. */
  resolved?: JsonValue;
}

export type ParameterStep = PolicyStatement | SuperiorStatement | OperatorAction;

/** A superior's policy says something about the parameter, and is merged into what those above it say. */
export interface PolicyStatement {
  kind: 'policy';
  by: string;
  operator: string;
  value: JsonValue;
  /** Superiors above it that say something with the same operator, the most superior first. */
  above: string[];
  /** What the operator says from then on. */
  merged?: JsonValue;
  refusal?: StepRefusal;
}

/** The Immediate Superior states the parameter itself. */
export interface SuperiorStatement {
  kind: 'superior_metadata';
  by: string;
  before?: JsonValue;
  after?: JsonValue;
}

/** An operator of the merged policy acts on the parameter. */
export interface OperatorAction {
  kind: 'operator';
  operator: string;
  value: JsonValue;
  /** Whose policies the value is merged from; `isRefusing`: that one alone refuses the parameter. */
  contributions: { by: string; value: JsonValue; isRefusing?: true }[];
  before?: JsonValue;
  after?: JsonValue;
  refusal?: StepRefusal;
}

export interface ExplainedMetadata {
  parameters: ExplainedParameter[];
  /** Entity Types that the subject publishes and these superiors do not allow. */
  removedEntityTypes: { entityType: string; by: string[] }[];
  /** There were more steps than are shown. */
  isCut?: true;
}

/** How much may still be shown, in characters of JSON. */
export interface CharacterBudget {
  left: number;
}

export interface TracedMetadata {
  steps: readonly MetadataStep[];
  /** The subject's own. */
  published: Metadata;
  /** What came out, if nothing was refused. */
  resolved?: Metadata | undefined;
  /** Who issued the statement at `ES[j]`; its Entity Identifier, where it has one. */
  issuerAt: (place: string) => string;
}

export function explainMetadata(
  { steps, published, resolved, issuerAt }: TracedMetadata,
  budget: CharacterBudget = { left: MAX_METADATA_CHARACTERS },
): ExplainedMetadata {
  const parameters = new Map<string, ExplainedParameter>();
  const explained: ExplainedMetadata = { parameters: [], removedEntityTypes: [] };
  for (const step of steps) {
    budget.left -= JSON.stringify(step).length;
    if (budget.left < 0) return { ...explained, isCut: true };
    if (step.kind === 'entity_type_removed') {
      const { entityType, places } = step;
      explained.removedEntityTypes.push({ entityType, by: places.map(issuerAt) });
      continue;
    }
    const { entityType, parameter } = step;
    const name = pointer(entityType, parameter);
    const known = parameters.get(name);
    if (known === undefined) {
      const values = { published: member(published, step), resolved: resolved && member(resolved, step) };
      const entry: ExplainedParameter = { entityType, parameter, ...values, steps: [namedStep(step, issuerAt)] };
      parameters.set(name, entry);
      explained.parameters.push(entry);
    } else known.steps.push(namedStep(step, issuerAt));
  }
  return explained;
}

function namedStep(
  step: Exclude<MetadataStep, { kind: 'entity_type_removed' }>,
  by: (place: string) => string,
): ParameterStep {
  switch (step.kind) {
    case 'policy': {
      const { kind, place, above, entityType: _, parameter: __, ...rest } = step;
      return { kind, by: by(place), ...rest, above: above.map(by) };
    }
    case 'superior_metadata': {
      const { kind, place, entityType: _, parameter: __, ...rest } = step;
      return { kind, by: by(place), ...rest };
    }
    case 'operator': {
      const { contributions, entityType: _, parameter: __, ...rest } = step;
      return { ...rest, contributions: contributions.map(({ place, ...said }) => ({ by: by(place), ...said })) };
    }
  }
}

function member(
  metadata: Readonly<Record<string, JsonObject>>,
  { entityType, parameter }: { entityType: string; parameter: string },
): JsonValue | undefined {
  const parameters = Object.hasOwn(metadata, entityType) ? metadata[entityType] : undefined;
  return parameters !== undefined && Object.hasOwn(parameters, parameter) ? parameters[parameter] : undefined;
}
