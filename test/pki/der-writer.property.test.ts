import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oidOf, parseDer, TAG } from '../../src/pki/der.ts';
import {
  bitString,
  generalizedTime,
  integer,
  namedBits,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  unsignedInteger,
} from '../../src/pki/der-writer.ts';

const textOf = (der: Uint8Array) => Buffer.from(parseDer(der).contents).toString('latin1');

describe('what the DER writer writes', () => {
  it('is read by the strict reader, whatever its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), (bytes) => {
        const { tag, children } = parseDer(sequence(octetString(bytes), bitString(bytes)));
        expect(tag).toBe(TAG.sequence);
        expect(Buffer.from(children[0]?.contents ?? [])).toEqual(Buffer.from(bytes));
        expect(Buffer.from(children[1]?.contents.subarray(1) ?? [])).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 200 },
    );
  });

  it('[X.690 §8.3] has numbers in the shortest way, never negative', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 200n }), (value) => {
        const hex = value.toString(16);
        const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
        const { contents } = parseDer(unsignedInteger(Buffer.concat([Buffer.alloc(2), bytes])));
        expect((contents[0] ?? 0xff) < 0x80).toBe(true);
        expect(BigInt(`0x${Buffer.from(contents).toString('hex')}`)).toBe(value);
      }),
    );
    expect([...integer(0)]).toEqual([2, 1, 0]);
    expect([...integer(128)]).toEqual([2, 2, 0, 128]);
  });

  it('has object identifiers that read as they were given', () => {
    const arcs = fc.array(fc.bigInt({ min: 0n, max: 1n << 40n }), { maxLength: 6 });
    const dotted = fc
      .tuple(fc.constantFrom('0', '1', '2'), fc.integer({ min: 0, max: 39 }), arcs)
      .map((parts) => parts.flat().join('.'));
    fc.assert(
      fc.property(dotted, (text) => {
        expect(oidOf(parseDer(oid(text)))).toBe(text);
      }),
    );
    expect(oidOf(parseDer(oid('2.999.3')))).toBe('2.999.3');
  });

  it('[X.690 §11.6] has the values of a SET OF in their order', () => {
    const [one, two] = [octetString(Uint8Array.of(2)), octetString(Uint8Array.of(1))];
    expect(setOf(one, two)).toEqual(setOf(two, one));
  });

  it('[X.690 §11.2.2] has named bits without those at the end that are not set', () => {
    expect([...namedBits([0, 5])]).toEqual([3, 2, 2, 0x84]);
    expect([...namedBits([5, 6])]).toEqual([3, 2, 1, 0x06]);
    expect([...namedBits([8])]).toEqual([3, 3, 7, 0, 0x80]);
    expect([...namedBits([])]).toEqual([3, 1, 0]);
  });

  it('[RFC5280-4.1.2.5] has times in whole seconds, in two digits of the year up to 2049', () => {
    const from2000 = fc.integer({ min: 0, max: 253_402_300_799 });
    fc.assert(
      fc.property(from2000, (seconds) => {
        const digits = `${new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
        expect(textOf(generalizedTime(seconds))).toBe(digits);
        expect(textOf(time(seconds))).toBe(digits < '2050' ? digits.slice(2) : digits);
      }),
      { numRuns: 2000 },
    );
    expect(textOf(time(951_782_400))).toBe('000229000000Z');
  });
});
