/** How it is shown what each superior did to each parameter of metadata. */
import type { JsonValue } from '../federation/json.ts';
import type {
  ExplainedMetadata,
  ExplainedParameter,
  OperatorAction,
  ParameterStep,
  PolicyStatement,
} from '../resolver/explained-metadata.ts';
import type { Report } from './report.ts';
import { wrappedLines } from './wrapped-lines.ts';

/** Longer values are cut for people; machines get them whole. */
const MAX_VALUE_LENGTH = 300;

const LABEL_WIDTH = 'published  '.length;

/** @param margin before every line */
export function showMetadataSteps(metadata: ExplainedMetadata, report: Report, margin = ''): void {
  const { parameters, removedEntityTypes, isCut } = metadata;
  for (const { entityType, by } of removedEntityTypes) {
    const text = `${entityType} is removed: not among the allowed_entity_types of ${by.join(' and ')}`;
    for (const line of wrappedLines(text, margin, `${margin}  `)) report.line(line);
  }
  for (const parameter of parameters.filter(isConcerned)) showParameter(parameter, report, margin);
  if (isCut === true) report.line(`${margin}(there are more steps than are shown)`);
}

/** Policies about what the subject does not publish, and that nothing came of, say nothing about it. */
function isConcerned({ steps }: ExplainedParameter): boolean {
  return steps.some((step) => step.kind !== 'policy' || step.refusal !== undefined);
}

function showParameter(explained: ExplainedParameter, report: Report, margin: string): void {
  const { entityType, parameter, published, steps, resolved } = explained;
  const row = (label: string, text: string): void => {
    const indent = `${margin}  `;
    for (const line of wrappedLines(text, indent + label.padEnd(LABEL_WIDTH), indent + ' '.repeat(LABEL_WIDTH))) {
      report.line(line);
    }
  };
  for (const line of wrappedLines(`${entityType} / ${parameter}`, margin, margin)) report.line(line);
  row('published', valueText(published));
  for (const step of steps) row(...stepText(step));
  if (!steps.some((step) => 'refusal' in step) && resolved !== undefined) row('resolved', valueText(resolved));
}

function stepText(step: ParameterStep): [label: string, text: string] {
  switch (step.kind) {
    case 'policy':
      return policyText(step);
    case 'superior_metadata':
      return ['metadata', `${valueText(step.after)} in place of ${valueText(step.before)}, says ${step.by}`];
    case 'operator':
      return operatorText(step);
  }
}

function policyText({ by, operator, value, above, merged, refusal }: PolicyStatement): [string, string] {
  const said = `${operator} ${valueText(value)}, says ${by}`;
  if (refusal !== undefined) {
    const others = above.length === 0 ? 'other operators of its superiors' : above.join(' and ');
    return ['✗ refused', `${said}, against ${others}: ${refusal.reason}, ${refusal.message}`];
  }
  return ['policy', above.length === 0 ? said : `${said}; merged with the above: ${valueText(merged)}`];
}

function operatorText({ operator, value, contributions, before, after, refusal }: OperatorAction): [string, string] {
  const action = `${operator} ${valueText(value)}`;
  if (refusal !== undefined) {
    const refusing = contributions.filter(({ isRefusing }) => isRefusing === true);
    const own = (refusing.length === 0 ? contributions : refusing).map((said) => said.by).join(' and ');
    return ['✗ refused', `${valueText(before)} by ${action} of ${own}: ${refusal.reason}, ${refusal.message}`];
  }
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  return ['applied', `${action}: ${isSame ? 'leaves' : `${valueText(before)} becomes`} ${valueText(after)}`];
}

function valueText(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}
