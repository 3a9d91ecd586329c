import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeMasterKeyCheck, masterKeyMatches } from '../../src/signer/master-key-check.ts';
import { MasterKey, UnsealError } from '../../src/signer/sealing.ts';

const RAW_KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 3);
const CONTEXT = { owner: 'authority-1', kid: 'key-1', purpose: 'federation' };
const PLAINTEXT = new TextEncoder().encode('{"kty":"EC","d":"the-private-part"}');

const masterKey = new MasterKey(RAW_KEY);

function refusalOf(step: () => unknown): string {
  try {
    step();
  } catch (error) {
    if (error instanceof UnsealError) return error.message;
    throw error;
  }
  return 'opened';
}

describe('sealing', () => {
  it('gives back what was sealed, for the same owner, key and purpose', () => {
    expect(masterKey.unseal(masterKey.seal(PLAINTEXT, CONTEXT), { ...CONTEXT })).toEqual(Buffer.from(PLAINTEXT));
    expect(new MasterKey(RAW_KEY).unseal(masterKey.seal(PLAINTEXT, CONTEXT), CONTEXT)).toEqual(Buffer.from(PLAINTEXT));
  });

  it('writes format, id of the master key, nonce, ciphertext and tag', () => {
    const [one, other] = [masterKey.seal(PLAINTEXT, CONTEXT), masterKey.seal(PLAINTEXT, CONTEXT)];
    expect(one).toHaveLength(1 + 8 + 12 + PLAINTEXT.length + 16);
    expect(one[0]).toBe(1);
    expect(one.subarray(1, 9)).toEqual(other.subarray(1, 9));
    expect(one.subarray(9, 21)).not.toEqual(other.subarray(9, 21));
    expect(one.subarray(21)).not.toEqual(other.subarray(21));
  });

  it('shows nothing of the plaintext or of the master key', () => {
    const sealed = Buffer.from(masterKey.seal(PLAINTEXT, CONTEXT));
    expect(sealed.includes('the-private-part')).toBe(false);
    for (let at = 0; at + 8 <= PLAINTEXT.length; at++)
      expect(sealed.includes(Buffer.from(PLAINTEXT.subarray(at, at + 8)))).toBe(false);
    for (let at = 0; at + 8 <= RAW_KEY.length; at++)
      expect(sealed.includes(Buffer.from(RAW_KEY.subarray(at, at + 8)))).toBe(false);
  });

  it('refuses another master key, and says which file to look at', () => {
    const other = new MasterKey(RAW_KEY.toReversed());
    expect(refusalOf(() => other.unseal(masterKey.seal(PLAINTEXT, CONTEXT), CONTEXT))).toContain('another master key');
  });

  it.each(['owner', 'kid', 'purpose'] as const)('refuses another %s', (part) => {
    const sealed = masterKey.seal(PLAINTEXT, CONTEXT);
    expect(refusalOf(() => masterKey.unseal(sealed, { ...CONTEXT, [part]: 'another' }))).toContain('another key');
  });

  it('keeps owner, key and purpose apart, wherever one ends and the next begins', () => {
    const sealed = masterKey.seal(PLAINTEXT, { owner: 'a', kid: 'b","c', purpose: 'd' });
    for (const context of [
      { owner: 'a","b', kid: 'c', purpose: 'd' },
      { owner: 'a', kid: 'b', purpose: 'c","d' },
      { owner: 'ab","c', kid: '', purpose: 'd' },
    ]) {
      expect(refusalOf(() => masterKey.unseal(sealed, context))).not.toBe('opened');
    }
  });

  it('refuses whatever was changed, at every single byte', () => {
    const sealed = masterKey.seal(PLAINTEXT, CONTEXT);
    for (let at = 0; at < sealed.length; at++) {
      const tampered = Uint8Array.from(sealed);
      tampered[at] = (tampered[at] ?? 0) ^ 1;
      expect([at, refusalOf(() => masterKey.unseal(tampered, CONTEXT))]).not.toEqual([at, 'opened']);
    }
  });

  it('refuses whatever was cut or lengthened', () => {
    const sealed = masterKey.seal(PLAINTEXT, CONTEXT);
    for (let length = 0; length < sealed.length; length++) {
      expect(refusalOf(() => masterKey.unseal(sealed.subarray(0, length), CONTEXT))).not.toBe('opened');
    }
    expect(refusalOf(() => masterKey.unseal(Buffer.concat([sealed, Buffer.of(0)]), CONTEXT))).not.toBe('opened');
  });

  it('refuses a format that it does not know', () => {
    const sealed = Uint8Array.from(masterKey.seal(PLAINTEXT, CONTEXT));
    sealed[0] = 2;
    expect(refusalOf(() => masterKey.unseal(sealed, CONTEXT))).toBe('is not a sealed key');
  });

  it('can seal nothing at all', () => {
    expect(masterKey.unseal(masterKey.seal(new Uint8Array(), CONTEXT), CONTEXT)).toHaveLength(0);
  });
});

describe('a master key', () => {
  it.each([0, 16, 31, 33, 64])('does not have %i bytes', (length) => {
    expect(() => new MasterKey(new Uint8Array(length))).toThrow(TypeError);
  });

  it('is never printed', () => {
    const texts = [
      inspect(masterKey, { depth: null, showHidden: true, maxArrayLength: null }),
      JSON.stringify(masterKey),
      String(masterKey),
    ].join();
    expect(texts).not.toContain([...RAW_KEY.subarray(0, 4)].join(', '));
    expect(texts).not.toContain(Buffer.from(RAW_KEY).toString('hex').slice(0, 8));
    expect(texts).not.toContain(Buffer.from(RAW_KEY).toString('base64').slice(0, 8));
  });

  it('does not change with the bytes it was made of', () => {
    const bytes = Uint8Array.from(RAW_KEY);
    const made = new MasterKey(bytes);
    bytes.fill(0);
    expect(made.unseal(masterKey.seal(PLAINTEXT, CONTEXT), CONTEXT)).toEqual(Buffer.from(PLAINTEXT));
  });

  it('is told from others by a check that it made, without touching any key', () => {
    const check = makeMasterKeyCheck(masterKey);
    expect(masterKeyMatches(new MasterKey(RAW_KEY), check)).toBe(true);
    expect(masterKeyMatches(new MasterKey(RAW_KEY.toReversed()), check)).toBe(false);
    for (const text of ['', 'x', check.slice(1), check.slice(0, -2)])
      expect(masterKeyMatches(masterKey, text)).toBe(false);
  });
});
