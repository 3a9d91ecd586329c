import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TokenConnection } from '../../../src/signer/custody/pkcs11/token-connection.ts';
import type { TokenKeyName } from '../../../src/signer/custody/pkcs11/token-messages.ts';
import { createUnrulyToken, type UnrulyToken } from '../../support/unruly-token.ts';

const SECOND = 1000;
const KEY: TokenKeyName = { id: '01', label: 'holdfast federation test' };
/** Orders that a token with two sessions gets to hold at a time. */
const HELD = 16;

describe('a token that is slow', () => {
  let token: UnrulyToken;
  let connection: TokenConnection;
  beforeEach(async () => {
    token = createUnrulyToken();
    connection = await TokenConnection.open(token.settings);
    await connection.carryOut<'generate'>({ verb: 'generate', key: KEY, alg: 'RS256' });
    // What others take is theirs; only what we wait is moved by hand.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await connection[Symbol.asyncDispose]();
    token[Symbol.dispose]();
  });

  const sign = () => connection.carryOut<'sign'>({ verb: 'sign', key: KEY, alg: 'RS256', digest: 'AAAA' });
  /** How an order came out: `signed`, or what it failed with. */
  const outcome = (order: Promise<string>): Promise<string> =>
    order.then(
      () => 'signed',
      ({ kind, message }) => `${kind}: ${message}`,
    );
  const outcomesOf = (count: number) => Array.from({ length: count }, () => outcome(sign()));
  const LATE = 'late: the token "unruly" did not get round to it in time';
  const LOST = 'token_lost: the token "unruly" does not answer';

  it('lets those fail that waited too long for their turn, and them alone', async () => {
    token.behave({ released: 0 });
    const [first, ...others] = outcomesOf(HELD);
    const [next, last] = outcomesOf(2);
    await vi.advanceTimersByTimeAsync(4 * SECOND);
    token.behave({ released: 1 });
    expect(await first).toBe('signed');
    await vi.advanceTimersByTimeAsync(2 * SECOND);
    expect(await last).toBe(LATE);
    expect(connection.isOver).toBe(false);
    token.behave({});
    expect(new Set(await Promise.all([...others, next]))).toEqual(new Set(['signed']));
    expect(await outcome(sign())).toBe('signed');
  });

  it('is not given up for one signature that never comes, while others do', async () => {
    token.behave({ released: 0 });
    const stuck = outcome(sign());
    await vi.advanceTimersByTimeAsync(0);
    for (const seconds of [4, 8, 12, 16]) {
      token.behave({ released: 0 });
      const other = connection.carryOut<'destroy'>({ verb: 'destroy', key: { ...KEY, id: '02' } });
      expect(await other).toBeNull();
      await vi.advanceTimersByTimeAsync(4 * SECOND);
      expect([seconds, connection.isOver]).toEqual([seconds, false]);
    }
    expect(await stuck).toBe(LATE);
  });

  it('is given up when it answers nothing at all', async () => {
    token.behave({ released: 0 });
    const outcomes = outcomesOf(HELD);
    await vi.advanceTimersByTimeAsync(0);
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set([LOST]));
    expect(connection.isOver).toBe(true);
  });

  it('may be silent for as long as it makes a key', async () => {
    token.behave({ released: 0, isMakingHeld: true });
    const signature = outcome(sign());
    const key = connection.carryOut<'generate'>({ verb: 'generate', key: { ...KEY, id: '03' }, alg: 'RS256' });
    await vi.advanceTimersByTimeAsync(80 * SECOND);
    expect(await signature).toBe(LATE);
    expect(connection.isOver).toBe(false);
    token.behave({});
    expect(await key).toMatchObject({ kty: 'RSA' });
  });
});
