/** What each superior did to each parameter of a subject's metadata, told while it is resolved. @see OIDFED §6.1.4 */
import type { Constraints } from '../constraints.ts';
import { pointer, type Reason } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import type { PolicyStep } from '../policy/apply-policy.ts';
import { type OperatorRegistry, Refusal } from '../policy/operator.ts';
import type { PolicyContribution } from '../policy/resolve-policy.ts';
import { STANDARD_OPERATORS } from '../policy/standard-operators.ts';
import type { ParameterOverlay } from './apply-superior-metadata.ts';
import type { Metadata } from './metadata.ts';

/** Why a step is the last one. */
export interface StepRefusal {
  reason: Reason;
  message: string;
}

/** Places are statements of the chain, such as `ES[2]`. An absent `before` or `after` is an absent parameter. */
export type MetadataStep = PolicyMergeStep | SuperiorMetadataStep | EntityTypeStep | OperatorStep;

/** A superior's policy joins those above it. */
export interface PolicyMergeStep {
  kind: 'policy';
  entityType: string;
  parameter: string;
  operator: string;
  /** The statement whose policy has the operator, with its own value. */
  place: string;
  value: JsonValue;
  /** Places above whose policies say something about the same parameter and operator, the most superior first. */
  above: string[];
  /** What the operator says from then on. */
  merged?: JsonValue;
  refusal?: StepRefusal;
}

/** The Immediate Superior states a parameter, which takes the place of the subject's own. */
export interface SuperiorMetadataStep {
  kind: 'superior_metadata';
  entityType: string;
  parameter: string;
  place: string;
  before?: JsonValue;
  after?: JsonValue;
}

/** An Entity Type goes because these statements do not allow it. */
export interface EntityTypeStep {
  kind: 'entity_type_removed';
  entityType: string;
  places: string[];
}

/** An operator of the merged policy acts. */
export interface OperatorStep {
  kind: 'operator';
  entityType: string;
  parameter: string;
  operator: string;
  /** Its value after merging. */
  value: JsonValue;
  /** Whose policies it is merged from, the most superior first. */
  contributions: OperatorContribution[];
  before?: JsonValue;
  after?: JsonValue;
  refusal?: StepRefusal;
}

export interface OperatorContribution {
  place: string;
  value: JsonValue;
  /** This one alone refuses the parameter as it was before the operator. */
  isRefusing?: true;
}

/** Called for each step in the order in which they are taken. */
export type MetadataObserver = (step: MetadataStep) => void;

export interface MetadataRecorderOptions {
  observer: MetadataObserver;
  /** ES[1] first. */
  subordinateStatements: readonly { place: string; constraints?: Constraints }[];
  operators?: OperatorRegistry | undefined;
}

/** Tells an observer of the steps, and keeps in mind whose policies a merged operator comes from. */
export class MetadataRecorder {
  readonly #options: MetadataRecorderOptions;
  readonly #contributions = new Map<string, OperatorContribution[]>();

  constructor(options: MetadataRecorderOptions) {
    this.#options = options;
  }

  readonly contribution = ({ refusal, ...contribution }: PolicyContribution): void => {
    const known = this.#contributionsOf(contribution);
    const { place, value } = contribution;
    this.#tell({ kind: 'policy', ...contribution, above: known.map((other) => other.place), ...refused(refusal) });
    known.push({ place, value });
  };

  readonly overlay = ({ entityType, parameter, before, after }: ParameterOverlay): void => {
    const place = this.#options.subordinateStatements[0]?.place ?? '';
    this.#tell({ kind: 'superior_metadata', entityType, parameter, place, ...values(before, after) });
  };

  filtered(before: Metadata, after: Metadata): void {
    for (const entityType of Object.keys(before)) {
      if (Object.hasOwn(after, entityType)) continue;
      const without = this.#options.subordinateStatements.filter(
        ({ constraints }) => constraints?.allowed_entity_types?.includes(entityType) === false,
      );
      this.#tell({ kind: 'entity_type_removed', entityType, places: without.map(({ place }) => place) });
    }
  }

  readonly operator = ({ before, after, refusal, ...step }: PolicyStep): void => {
    const apply = (this.#options.operators ?? STANDARD_OPERATORS).get(step.operator)?.apply;
    const contributions = this.#contributionsOf(step).map(({ place, value }): OperatorContribution => {
      const isRefusing = refusal !== undefined && apply?.(before, value) instanceof Refusal;
      return isRefusing ? { place, value, isRefusing } : { place, value };
    });
    this.#tell({ kind: 'operator', ...step, contributions, ...values(before, after), ...refused(refusal) });
  };

  #tell(step: MetadataStep): void {
    this.#options.observer(step);
  }

  #contributionsOf({ entityType, parameter, operator }: Omit<PolicyStep, 'before'>): OperatorContribution[] {
    const name = pointer(entityType, parameter, operator);
    const known = this.#contributions.get(name) ?? [];
    this.#contributions.set(name, known);
    return known;
  }
}

function values(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): { before?: JsonValue; after?: JsonValue } {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

function refused(refusal: Refusal | undefined): { refusal?: StepRefusal } {
  return refusal === undefined ? {} : { refusal: { reason: refusal.reason, message: refusal.message } };
}
