import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CustodyUnavailable, type TokenKey } from '../../../src/signer/custody/key-custody.ts';
import { Pkcs11Custody } from '../../../src/signer/custody/pkcs11/token-custody.ts';
import { createUnrulyToken, type UnrulyToken } from '../../support/unruly-token.ts';

const SECOND = 1000;
const INPUT = new TextEncoder().encode('header.payload');

describe('a token with troubles', () => {
  let token: UnrulyToken;
  let custody: Pkcs11Custody;
  let events: { isHere: boolean; detail: string }[];
  let nowMs: number;
  beforeEach(() => {
    token = createUnrulyToken();
    events = [];
    nowMs = 0;
    custody = new Pkcs11Custody({
      ...token.settings,
      onChange: (event) => events.push(event),
      monotonicMs: () => nowMs,
    });
  });
  afterEach(async () => {
    await custody[Symbol.asyncDispose]();
    token[Symbol.dispose]();
  });

  const generate = () => custody.generateKey('owner', 'RS256', 'federation');
  const lostKey: TokenKey = {
    ...{ kid: 'kid', alg: 'RS256', owner: 'owner', purpose: 'federation' },
    ...{ custody: 'pkcs11', sealedPrivateKey: null, tokenObject: 'ff' },
  };

  it('is told of once for each kind and key, by its name and without its PIN, until an hour later', async () => {
    await custody.open();
    const key = await generate();
    for (const _ of [1, 2, 3]) await expect(custody.sign(lostKey, INPUT)).rejects.toThrow(CustodyUnavailable);
    await custody.sign(key, INPUT);
    await expect(custody.sign(lostKey, INPUT)).rejects.toThrow('has no key ff');
    expect(events.map(({ isHere }) => isHere)).toEqual([false]);
    await expect(custody.sign({ ...lostKey, owner: 'another' }, INPUT)).rejects.toThrow(CustodyUnavailable);
    token.behave({ signError: 'CKR_KEY_FUNCTION_NOT_PERMITTED' });
    for (const _ of [1, 2]) await expect(custody.sign(key, INPUT)).rejects.toThrow('CKR_KEY_FUNCTION_NOT_PERMITTED');
    expect(events).toHaveLength(3);
    nowMs += 3600 * SECOND;
    await expect(custody.sign(lostKey, INPUT)).rejects.toThrow(CustodyUnavailable);
    expect(events).toHaveLength(4);
    for (const { detail } of events) expect(detail).toMatch(/^the token "unruly" /);
    expect(JSON.stringify(events)).not.toContain(token.settings.pin);
  });

  it('is told of when it goes, in each way that it fails meanwhile, and when it signs again', async () => {
    await custody.open();
    const key = await generate();
    token.behave({ signError: 'CKR_DEVICE_REMOVED', isAbsent: true });
    for (const _ of [1, 2, 3]) {
      await expect(custody.sign(key, INPUT)).rejects.toThrow(CustodyUnavailable);
      nowMs += 60 * SECOND;
    }
    expect(events.map(({ isHere, detail }) => [isHere, detail])).toEqual([
      [false, 'the token "unruly" says CKR_DEVICE_REMOVED'],
      [false, 'no token has the label "unruly"; there is none'],
    ]);
    token.behave({});
    await custody.sign(key, INPUT);
    expect(events[2]).toEqual({ isHere: true, detail: 'the token "unruly" is here again' });
    token.behave({ signError: 'CKR_DEVICE_REMOVED', isAbsent: true });
    await expect(custody.sign(key, INPUT)).rejects.toThrow(CustodyUnavailable);
    expect(events.slice(3).map(({ isHere }) => isHere)).toEqual([false, false]);
  });

  it('makes no key whose signatures do not verify', async () => {
    await custody.open();
    token.behave({ isKeyWrong: true });
    await expect(generate()).rejects.toThrow('the token "unruly" made a key for RS256 whose signatures do not verify');
    expect(events).toHaveLength(1);
    token.behave({});
    await expect(generate()).resolves.toMatchObject({ alg: 'RS256' });
  });

  it('has a session left to make keys in, however few it allows', async () => {
    token.behave({ sessions: 2 });
    await custody.open();
    const key = await generate();
    await Promise.all([1, 2, 3].map(() => custody.sign(key, INPUT)));
    await custody.destroyKey(key);
    await expect(custody.sign({ ...key, owner: 'another' }, INPUT)).rejects.toThrow('has no key');
  });

  it('does not stumble over what a failed signature left behind', async () => {
    await custody.open();
    const key = await generate();
    token.behave({ signError: 'CKR_KEY_TYPE_INCONSISTENT' });
    for (const _ of [1, 2, 3]) await expect(custody.sign(key, INPUT)).rejects.toThrow('CKR_KEY_TYPE_INCONSISTENT');
    token.behave({});
    await Promise.all([1, 2, 3].map(() => custody.sign(key, INPUT)));
  });

  it('has heard of where a key will be before it is made, and makes none if that is not noted', async () => {
    await custody.open();
    const noted: string[] = [];
    const note = async ({ tokenObject }: { tokenObject: string }) => void noted.push(tokenObject);
    const key = await custody.generateKey('owner', 'RS256', 'federation', note);
    expect(noted).toEqual([key.tokenObject]);
    const failing = async () => {
      throw new Error('the database is away');
    };
    await expect(custody.generateKey('owner', 'RS256', 'federation', failing)).rejects.toThrow('the database is away');
  });
});
