/** The seven operators that the standard defines. @see OIDFED §6.1.3.1 */
import { OperatorRegistry, type PolicyOperator } from './operator.ts';
import { addOperator } from './operators/add.ts';
import { defaultOperator } from './operators/default.ts';
import { essentialOperator } from './operators/essential.ts';
import { oneOfOperator } from './operators/one-of.ts';
import { subsetOfOperator } from './operators/subset-of.ts';
import { supersetOfOperator } from './operators/superset-of.ts';
import { valueOperator } from './operators/value.ts';

const STANDARD: readonly PolicyOperator[] = [
  valueOperator,
  addOperator,
  defaultOperator,
  oneOfOperator,
  subsetOfOperator,
  supersetOfOperator,
  essentialOperator,
];

/** Knows the standard operators and no other. */
export const STANDARD_OPERATORS = new OperatorRegistry(STANDARD);

/**
 * A registry of the standard operators and custom ones.
 * @see OIDFED §6.1.3.2
 * @throws TypeError as OperatorRegistry does
 */
export function createOperatorRegistry(custom: readonly PolicyOperator[]): OperatorRegistry {
  return new OperatorRegistry(STANDARD, custom);
}
