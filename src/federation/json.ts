/** JSON as the standard wants it read: no duplicate member names, bounded depth. @see OIDFED §6.1, RFC 8259 §4 */
import { FederationError } from './errors.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [name: string]: JsonValue };

export const MAX_JSON_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Parses JSON text and refuses what `JSON.parse` lets pass: a member name twice in one object, nesting deeper than
 * `maxDepth`, and the name `__proto__`, which could turn a copied object into another.
 * @throws FederationError json_malformed, json_duplicate_member, json_too_deep, json_member_forbidden
 */
export function parseJson(text: string, maxDepth: number = MAX_JSON_DEPTH): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FederationError('json_malformed', 'is not valid JSON', '', { cause });
  }
  scan(text, maxDepth);
  return value;
}

/** Walks text that `JSON.parse` accepted, so strings are closed and colons follow member names only. */
function scan(text: string, maxDepth: number): void {
  const members: (Set<string> | undefined)[] = [];
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        members.push(text.charCodeAt(index) === OPEN_BRACE ? new Set() : undefined);
        if (members.length > maxDepth) {
          throw new FederationError('json_too_deep', `nests deeper than ${maxDepth} levels`);
        }
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        members.pop();
        break;
      case QUOTE: {
        const start = index;
        index = closingQuote(text, index);
        const names = members.at(-1);
        if (names !== undefined && isFollowedByColon(text, index)) addMember(names, text.slice(start, index + 1));
        break;
      }
    }
  }
}

function closingQuote(text: string, opening: number): number {
  let quote = text.indexOf('"', opening + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote;
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, quote: number): boolean {
  let index = quote;
  while (text.charCodeAt(index - 1) === BACKSLASH) index--;
  return (quote - index) % 2 === 1;
}

function isFollowedByColon(text: string, quote: number): boolean {
  let index = quote + 1;
  while (text.charCodeAt(index) <= 0x20) index++;
  return text.charCodeAt(index) === COLON;
}

function addMember(names: Set<string>, quoted: string): void {
  const name: string = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
  if (name === '__proto__') throw new FederationError('json_member_forbidden', 'member name __proto__ is refused');
  if (names.has(name)) {
    throw new FederationError(
      'json_duplicate_member',
      `member name ${JSON.stringify(name)} occurs twice in one object`,
    );
  }
  names.add(name);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equality of JSON values: member order does not count, array order does. */
export function jsonEquals(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEquals(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && jsonEquals(a[name], b[name]))
  );
}

/** JSON text with member names sorted, so that equal values give equal text (for hashes and comparisons). */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(',')}}`;
}
