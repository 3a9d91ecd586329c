import { describe, expect, it } from 'vitest';
import { FollowingCache, type FollowingCacheOptions, TooManyLoads } from '../../src/issuance/following-cache.ts';

interface Value {
  text: string;
}

const cacheOf = (maxBytes = 1_000_000, options: Partial<FollowingCacheOptions<Value>> = {}): FollowingCache<Value> =>
  new FollowingCache({ maxBytes, sizeOf: ({ text }) => text.length, ...options });

/** A loader that waits to be told its result, and counts how often it was asked. */
class ManualLoader {
  calls = 0;
  #current = Promise.withResolvers<Value | undefined>();

  readonly load = (): Promise<Value | undefined> => {
    this.calls++;
    return this.#current.promise;
  };

  resolve(value: Value | undefined): void {
    this.#current.resolve(value);
    this.#current = Promise.withResolvers();
  }

  reject(error: Error): void {
    this.#current.reject(error);
    this.#current = Promise.withResolvers();
  }
}

describe('a following cache', () => {
  it('loads once for all who ask meanwhile, and keeps what it got', async () => {
    const [cache, loader] = [cacheOf(), new ManualLoader()];
    const asked = [cache.load('one', 'a', loader.load), cache.load('one', 'a', loader.load)];
    const value = { text: 'x' };
    loader.resolve(value);
    expect(await Promise.all(asked)).toEqual([value, value]);
    expect(loader.calls).toBe(1);
    expect(cache.get('one', 'a')).toBe(value);
  });

  it('of what goes on being believed loads again what changed meanwhile, so that nobody gets the outdated', async () => {
    const [cache, loader] = [cacheOf(1000, { isRepeated: true }), new ManualLoader()];
    const asked = cache.load('one', 'a', loader.load);
    cache.delete('one', 'a');
    loader.resolve({ text: 'old' });
    await expect.poll(() => loader.calls).toBe(2);
    loader.resolve({ text: 'new' });
    expect(await asked).toEqual({ text: 'new' });
    expect(cache.get('one', 'a')).toEqual({ text: 'new' });
  });

  it('makes no more at a time than its limit, and goes on afterwards', async () => {
    const [cache, loader] = [cacheOf(1000, { maxLoads: 2 }), new ManualLoader()];
    const asked = [cache.load('one', 'a', loader.load), cache.load('one', 'b', loader.load)];
    await expect(cache.load('one', 'c', loader.load)).rejects.toBeInstanceOf(TooManyLoads);
    const joined = cache.load('one', 'a', loader.load);
    loader.resolve({ text: 'x' });
    expect(await Promise.all([...asked, joined])).toHaveLength(3);
    expect(await cache.load('one', 'c', async () => ({ text: 'y' }))).toEqual({ text: 'y' });
  });

  it('remembers that there is nothing, until that may have changed', async () => {
    const cache = cacheOf();
    expect(await cache.load('one', 'a', async () => undefined)).toBeUndefined();
    expect(cache.isAbsent('one', 'a')).toBe(true);
    cache.delete('one', 'a');
    expect(cache.isAbsent('one', 'a')).toBe(false);
  });

  it('forgets a value in whose place nothing was found', async () => {
    const cache = cacheOf();
    await cache.load('one', 'a', async () => ({ text: 'x' }));
    await cache.load('one', 'a', async () => undefined);
    expect([cache.get('one', 'a'), cache.isAbsent('one', 'a')]).toEqual([undefined, true]);
  });

  it('keeps nothing of a load that failed', async () => {
    const [cache, loader] = [cacheOf(), new ManualLoader()];
    const failing = cache.load('one', 'a', loader.load);
    loader.reject(new Error('the database is away'));
    await expect(failing).rejects.toThrow('the database is away');
    expect([cache.get('one', 'a'), cache.isAbsent('one', 'a')]).toEqual([undefined, false]);
    expect(await cache.load('one', 'a', async () => ({ text: 'x' }))).toEqual({ text: 'x' });
  });

  it.each([
    ['a value', { text: 'old' }],
    ['nothing', undefined],
  ])('gives %s that is outdated before it is there to those who asked before, and to nobody else', async (_, old) => {
    for (const drop of ['delete', 'deleteScope'] as const) {
      const [cache, before, after] = [cacheOf(), new ManualLoader(), new ManualLoader()];
      const asked = cache.load('one', 'key a', before.load);
      cache[drop]('one', 'key a');
      const askedLater = cache.load('one', 'key a', after.load);
      before.resolve(old);
      expect(await asked).toEqual(old);
      expect([cache.get('one', 'key a'), cache.isAbsent('one', 'key a')]).toEqual([undefined, false]);
      after.resolve({ text: 'new' });
      expect(await askedLater).toEqual({ text: 'new' });
      expect(cache.get('one', 'key a')).toEqual({ text: 'new' });
    }
  });

  it('drops all keys of a scope and no others', async () => {
    const cache = cacheOf();
    for (const key of ['a', 'b']) await cache.load('one', key, async () => ({ text: key }));
    await cache.load('two', 'a', async () => ({ text: 'two' }));
    await cache.load('one', 'c', async () => undefined);
    cache.deleteScope('one');
    expect([cache.get('one', 'a'), cache.get('one', 'b'), cache.isAbsent('one', 'c')]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    expect(cache.get('two', 'a')).toEqual({ text: 'two' });
  });

  it('keeps within its bytes: what came first goes first', async () => {
    const cache = cacheOf(1000);
    for (let index = 0; index < 20; index++)
      await cache.load('one', `key ${index}`, async () => ({ text: 'x'.repeat(100) }));
    const kept = Array.from({ length: 20 }, (_, index) => index).filter((index) => cache.get('one', `key ${index}`));
    expect(kept).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(await cache.load('one', 'large', async () => ({ text: 'x'.repeat(2000) }))).toBeDefined();
    expect(cache.get('one', 'large')).toBeUndefined();
  });

  it('takes the room that is needed from the scopes in turn', async () => {
    const cache = cacheOf(1000);
    const fill = async (scope: string, count: number) => {
      for (let index = 0; index < count; index++) {
        await cache.load(scope, `key ${index}`, async () => ({ text: 'x'.repeat(100) }));
      }
    };
    await fill('one', 5);
    await fill('two', 8);
    const kept = (scope: string) => [0, 1, 2, 3, 4, 5, 6, 7].filter((index) => cache.get(scope, `key ${index}`));
    expect([kept('one'), kept('two')]).toEqual([
      [2, 3, 4],
      [2, 3, 4, 5, 6, 7],
    ]);
  });

  it('does not remember strangers without end, however long their names', async () => {
    const cache = cacheOf();
    const name = (index: number): string => `https://${'a'.repeat(2000)}.example/${index}`;
    for (let index = 0; index < 10_000; index++) await cache.load('one', name(index), async () => undefined);
    expect([cache.isAbsent('one', name(0)), cache.isAbsent('one', name(9999))]).toEqual([false, true]);
  });
});
