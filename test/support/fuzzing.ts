/** Arbitrary and mutated input for parsers, and what a parser made of it. */
import fc from 'fast-check';
import { base64url } from 'jose';
import { expect } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { isJsonObject, type JsonValue } from '../../src/federation/json.ts';

/** JSON as it comes out of `parseJson`: plain objects, no `__proto__`. */
export const json: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('"__proto__"', '"proto"')) as JsonValue);
/** Values that parsers stumble over more often than over random ones. */
const nasty: fc.Arbitrary<JsonValue> = fc.oneof(
  json,
  fc.constantFrom<JsonValue>(
    null,
    true,
    0,
    -1,
    1e308,
    2 ** 53,
    '',
    ' ',
    [],
    {},
    [[]],
    [null],
    [{}],
    { keys: [] },
    { constructor: 1 },
  ),
  fc.constantFrom(
    'constructor',
    'toString',
    'hasOwnProperty',
    'https://',
    'https://a.example',
    '.',
    '..example',
    '0x7f',
    '\u0000',
  ),
);
/** Parts of base64url with dots between, as a JWT has them. */
export const dotted = fc
  .array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 })
  .map((parts) => parts.map((bytes) => base64url.encode(bytes)).join('.'));

type Path = readonly (string | number)[];

/** The value with one to three of its parts replaced by others. */
export function disturbed(value: JsonValue): fc.Arbitrary<JsonValue> {
  const change = fc.tuple(fc.constantFrom(...pathsOf(value)), nasty);
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((changed, [path, part]) => replaced(changed, path, part), value));
}

/** Where its parts are: the value itself, its members, theirs, and so on. */
export function pathsOf(value: JsonValue, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => pathsOf(member, [...path, name]))];
}

/** A copy with the part at the path replaced; the same value where the path ends early. */
export function replaced(value: JsonValue, [step, ...rest]: Path, part: JsonValue): JsonValue {
  if (step === undefined) return part;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === step ? replaced(item, rest, part) : item));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [
    name,
    name === step ? replaced(member, rest, part) : member,
  ]);
  return Object.fromEntries(members);
}

/** The text with up to three pieces cut out and replaced by others. */
export function edited(text: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(text.length),
    length: fc.nat(5),
    piece: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.constantFrom('"', '\\', '{', '[', '.', '%', '=', '/', '\n', '\ud800'),
    ),
  });
  return fc
    .array(edit, { minLength: 1, maxLength: 3 })
    .map((edits) =>
      edits.reduce((given, { at, length, piece }) => given.slice(0, at) + piece + given.slice(at + length), text),
    );
}

/** A part of a JWT. */
export function encoded(value: JsonValue): string {
  return base64url.encode(JSON.stringify(value));
}

/** Errors that are no refusal pass through: a crash must not look like one. */
export function outcomeOf(parse: () => unknown): 'accepted' | 'refused' {
  try {
    parse();
    return 'accepted';
  } catch (error) {
    if (error instanceof FederationError) return 'refused';
    throw error;
  }
}

export async function outcomeOfAsync(work: Promise<unknown>): Promise<'accepted' | 'refused'> {
  try {
    await work;
    return 'accepted';
  } catch (error) {
    if (error instanceof FederationError) return 'refused';
    throw error;
  }
}

/** However large what comes is, no parser works longer on it; by its own time, whatever else the machine does. */
const LIMIT_MICROSECONDS = 2_000_000;

export function expectSoon(parse: () => unknown): void {
  const begun = process.threadCpuUsage();
  outcomeOf(parse);
  const { user, system } = process.threadCpuUsage(begun);
  expect(user + system).toBeLessThan(LIMIT_MICROSECONDS);
}
