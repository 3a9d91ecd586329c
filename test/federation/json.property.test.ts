import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type JsonValue, jsonEquals, parseJson } from '../../src/federation/json.ts';
import { refusal } from '../support/refusal.ts';

/** JSON text as a stranger may write it: any escapes, any white space. JSON.stringify never repeats a name. */
const value = fc.jsonValue({ maxDepth: 6 }).filter((it) => !JSON.stringify(it).includes('"__proto__":'));
const indentation = fc.constantFrom('', ' ', '\t', '\n  ');

describe('parseJson', () => {
  it('agrees with JSON.parse on everything without a repeated name', () => {
    fc.assert(
      fc.property(value, indentation, (json, space) => {
        const text = JSON.stringify(json, null, space);
        expect(parseJson(text)).toStrictEqual(JSON.parse(text));
      }),
    );
  });

  it('agrees with JSON.parse on what is no JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]:,"\\ \u00e9a1-.eutrfals') }), (text) => {
        fc.pre(!isJson(text));
        expect(refusal(() => parseJson(text))).toBe('json_malformed');
      }),
    );
  });

  it('[OIDFED-6.1-2] finds a name that occurs twice, wherever and however it is spelt', () => {
    const name = fc.string().filter((it) => it !== '__proto__');
    fc.assert(
      fc.property(name, fc.array(value), fc.boolean(), (repeated, between, isEscaped) => {
        const members = between.map(
          (item, index) => `${JSON.stringify(`${repeated}${index}`)}:${JSON.stringify(item)}`,
        );
        const again = isEscaped ? escaped(repeated) : JSON.stringify(repeated);
        const text = `[{"x":{${[`${JSON.stringify(repeated)}:1`, ...members, `${again}:2`].join(',')}}}]`;
        expect(refusal(() => parseJson(text))).toBe('json_duplicate_member');
      }),
    );
  });
});

describe('canonicalJson', () => {
  it('is the same text exactly for equal values', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(jsonEquals(parseJson(canonicalJson(a as JsonValue)), reversed(a as JsonValue))).toBe(true);
        expect(canonicalJson(a as JsonValue)).toBe(canonicalJson(reversed(a as JsonValue)));
        expect(canonicalJson(a as JsonValue) === canonicalJson(b as JsonValue)).toBe(
          jsonEquals(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))),
        );
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The string with every UTF-16 unit written as `\uXXXX`. */
function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
}

/** The same JSON with the members of every object in opposite order, read anew. */
function reversed(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(reversed);
  if (typeof json !== 'object' || json === null) return JSON.parse(JSON.stringify(json));
  return Object.fromEntries(
    Object.entries(json)
      .toReversed()
      .map(([name, item]) => [name, reversed(item)]),
  );
}
