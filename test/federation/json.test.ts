import { describe, expect, it } from 'vitest';
import { canonicalJson, isJsonObject, jsonEquals, MAX_JSON_DEPTH, parseJson } from '../../src/federation/json.ts';
import { refusal } from '../support/refusal.ts';

function parsed(text: string, maxDepth?: number): string {
  return refusal(() => parseJson(text, maxDepth));
}

describe('parseJson', () => {
  it.each([
    '{}',
    '[]',
    'null',
    '0',
    '-1.5e3',
    '"a\\"b\\\\"',
    ' { "a" : [ { "b" : "}" } , "{\\"a\\":1}" ] } ',
    '"\\ud83d\\ude00"',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parseJson(text)).toStrictEqual(JSON.parse(text));
  });

  it.each([
    ['nothing', ''],
    ['a comment', '{"a":1}//'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['a byte order mark', '\ufeff{}'],
    ['two values', '{}{}'],
    ['a line break in a string', '"a\nb"'],
    ['NaN', '{"exp":NaN}'],
    ['a leading plus sign', '+1'],
    ['a leading zero', '01'],
    ['a no-break space', '\u00a0{}'],
  ])('refuses %s', (_what, text) => {
    expect(parsed(text)).toBe('json_malformed');
  });

  it.each([
    ['at the top', '{"a":1,"a":2}'],
    ['with equal values', '{"a":1,"a":1}'],
    ['in an object in an object', '{"x":{"a":1,"b":{},"a":2}}'],
    ['in an object in an array', '[1,{"a":1,"a":2}]'],
    ['after nested objects with that name', '{"a":{"a":{"a":1}},"b":[{"a":2}],"a":3}'],
    ['spelt with an escape', '{"sub":1,"s\\u0075b":2}'],
    ['empty', '{"":1,"":2}'],
    ['with white space before the colon', '{"a" :1,"a"\n:2}'],
    ['behind a string with quotes and braces', '{"a":"\\"},{\\\\","a":2}'],
    ['inherited by every object', '{"toString":1,"toString":2}'],
  ])('[OIDFED-6.1-2] refuses a member name twice in one object: %s', (_where, text) => {
    expect(parsed(text)).toBe('json_duplicate_member');
  });

  it.each([
    ['siblings', '[{"a":1},{"a":2}]'],
    ['nested objects', '{"a":{"a":{"a":1}}}'],
    ['a member and string values', '{"a":"a","b":["a","a"],"c":"\\"a\\":1,\\"a\\":2"}'],
    ['other case', '{"a":1,"A":2}'],
    ['another Unicode normalization', '{"\u00e9":1,"e\u0301":2}'],
  ])('accepts the same name in %s', (_where, text) => {
    expect(parseJson(text)).toStrictEqual(JSON.parse(text));
  });

  it.each([
    ['at the top', '{"__proto__":{"isAdmin":true}}'],
    ['deep within', '{"a":[{"b":{"__proto__":null}}]}'],
    ['spelt with an escape', '{"\\u005f_proto__":1}'],
  ])('refuses the member name __proto__ %s', (_where, text) => {
    expect(parsed(text)).toBe('json_member_forbidden');
  });

  it('leaves __proto__ alone where it is a value', () => {
    expect(parseJson('{"a":"__proto__","b":["__proto__"]}')).toStrictEqual({ a: '__proto__', b: ['__proto__'] });
    expect(parseJson('{"constructor":1,"prototype":2}')).toStrictEqual({ constructor: 1, prototype: 2 });
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('bounds the depth of %s', (_what, open, close) => {
    const nested = (depth: number): string => `${open.repeat(depth)}${close === '}' ? '1' : ''}${close.repeat(depth)}`;
    expect(parsed(nested(MAX_JSON_DEPTH))).toBe('accepted');
    expect(parsed(nested(MAX_JSON_DEPTH + 1))).toBe('json_too_deep');
    expect(parsed(nested(3), 2)).toBe('json_too_deep');
    expect(parsed(nested(100_000))).toBe('json_too_deep');
  });

  it('does not count brackets in strings, nor siblings, as depth', () => {
    expect(parsed(JSON.stringify(['['.repeat(100), '{'.repeat(100)]), 1)).toBe('accepted');
    expect(parsed(`[${'[],'.repeat(100)}[]]`, 2)).toBe('accepted');
  });
});

describe('isJsonObject', () => {
  it('tells objects from arrays, null and scalars', () => {
    expect(isJsonObject({})).toBe(true);
    for (const value of [[], null, undefined, 'a', 1, true]) expect(isJsonObject(value)).toBe(false);
  });
});

describe('jsonEquals', () => {
  it.each([
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [[1, 2], [2, 1], false],
    [[1], [1, 2], false],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, b: 2 }, { a: 1 }, false],
    [{ a: 1 }, { b: 1 }, false],
    [{}, [], false],
    [[], {}, false],
    [null, {}, false],
    [1, '1', false],
    [{ toString: 1 }, { a: 1 }, false],
  ])('compares %j and %j: %s', (a, b, expected) => {
    expect(jsonEquals(a, b)).toBe(expected);
  });

  it('[OIDFED-16-1] compares strings after unescaping, code point by code point', () => {
    expect(jsonEquals(parseJson('"\\u0061\\/"'), parseJson('"a/"'))).toBe(true);
    expect(jsonEquals(parseJson('"\\ud83d\\ude00"'), '\u{1f600}')).toBe(true);
    expect(jsonEquals('caf\u00e9', 'cafe\u0301')).toBe(false);
    expect(jsonEquals('\u212b', '\u00c5')).toBe(false);
    expect(jsonEquals('a', 'A')).toBe(false);
    expect(jsonEquals('a', 'a ')).toBe(false);
  });
});

describe('canonicalJson', () => {
  it('gives equal text for equal values', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: '\u00e9"' })).toBe('{"a":"\u00e9\\"","b":[{"c":null,"d":1}]}');
    expect(canonicalJson([2, 1])).toBe('[2,1]');
  });
});
