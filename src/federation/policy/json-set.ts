/** Arrays taken as sets: order and duplicates do not count, elements compare as JSON values. @see OIDFED §6.1.3.1 */
import { canonicalJson, isJsonObject, type JsonValue, jsonEquals } from '../json.ts';

/** Up to this many elements are looked through one by one; beyond it an index pays. */
const MAX_SCANNED = 16;

/** Whether this is an array that the set operators take: all strings, all numbers or all objects, or empty. */
export function isSet(value: JsonValue | undefined): value is JsonValue[] {
  if (!Array.isArray(value)) return false;
  const kind = kindOf(value[0]);
  return value.length === 0 || (kind !== undefined && value.every((element) => kindOf(element) === kind));
}

function kindOf(value: JsonValue | undefined): 'string' | 'number' | 'object' | undefined {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  return isJsonObject(value) ? 'object' : undefined;
}

export function contains(set: readonly JsonValue[], value: JsonValue): boolean {
  return set.some((element) => jsonEquals(element, value));
}

export function isSubset(part: readonly JsonValue[], whole: readonly JsonValue[]): boolean {
  const isMember = membership(whole);
  return part.every(isMember);
}

/** The elements of the first set that the second has too. */
export function intersection(first: readonly JsonValue[], second: readonly JsonValue[]): JsonValue[] {
  return first.filter(membership(second));
}

/** The first set itself if it has all of the second, otherwise a new one with the missing elements at its end. */
export function union(first: JsonValue[], second: readonly JsonValue[]): JsonValue[] {
  const isMember = membership(first);
  const missing = second.filter((element) => !isMember(element));
  return missing.length === 0 ? first : [...first, ...missing];
}

/** Equality of values of which arrays are sets. */
export function equalAsSets(a: JsonValue, b: JsonValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return isSubset(a, b) && isSubset(b, a);
  return jsonEquals(a, b);
}

function membership(set: readonly JsonValue[]): (value: JsonValue) => boolean {
  if (set.length <= MAX_SCANNED) return (value) => contains(set, value);
  const primitives = new Set<JsonValue>();
  const structures = new Set<string>();
  for (const element of set) {
    if (typeof element === 'object' && element !== null) structures.add(canonicalJson(element));
    else primitives.add(element);
  }
  return (value) =>
    typeof value === 'object' && value !== null ? structures.has(canonicalJson(value)) : primitives.has(value);
}
