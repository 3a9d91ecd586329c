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
    const asked = [cache.load('a', loader.load), cache.load('a', loader.load)];
    const value = { text: 'x' };
    loader.resolve(value);
    expect(await Promise.all(asked)).toEqual([value, value]);
    expect(loader.calls).toBe(1);
    expect(cache.get('a')).toBe(value);
  });

  it('of what goes on being believed loads again what changed meanwhile, so that nobody gets the outdated', async () => {
    const [cache, loader] = [cacheOf(1000, { isRepeated: true }), new ManualLoader()];
    const asked = cache.load('a', loader.load);
    cache.delete('a');
    loader.resolve({ text: 'old' });
    await expect.poll(() => loader.calls).toBe(2);
    loader.resolve({ text: 'new' });
    expect(await asked).toEqual({ text: 'new' });
    expect(cache.get('a')).toEqual({ text: 'new' });
  });

  it('makes no more at a time than its limit, and goes on afterwards', async () => {
    const [cache, loader] = [cacheOf(1000, { maxLoads: 2 }), new ManualLoader()];
    const asked = [cache.load('a', loader.load), cache.load('b', loader.load)];
    await expect(cache.load('c', loader.load)).rejects.toBeInstanceOf(TooManyLoads);
    const joined = cache.load('a', loader.load);
    loader.resolve({ text: 'x' });
    expect(await Promise.all([...asked, joined])).toHaveLength(3);
    expect(await cache.load('c', async () => ({ text: 'y' }))).toEqual({ text: 'y' });
  });

  it('remembers that there is nothing, until that may have changed', async () => {
    const cache = cacheOf();
    expect(await cache.load('a', async () => undefined)).toBeUndefined();
    expect(cache.isAbsent('a')).toBe(true);
    cache.delete('a');
    expect(cache.isAbsent('a')).toBe(false);
  });

  it('forgets a value in whose place nothing was found', async () => {
    const cache = cacheOf();
    await cache.load('a', async () => ({ text: 'x' }));
    await cache.load('a', async () => undefined);
    expect([cache.get('a'), cache.isAbsent('a')]).toEqual([undefined, true]);
  });

  it('keeps nothing of a load that failed', async () => {
    const [cache, loader] = [cacheOf(), new ManualLoader()];
    const failing = cache.load('a', loader.load);
    loader.reject(new Error('the database is away'));
    await expect(failing).rejects.toThrow('the database is away');
    expect([cache.get('a'), cache.isAbsent('a')]).toEqual([undefined, false]);
    expect(await cache.load('a', async () => ({ text: 'x' }))).toEqual({ text: 'x' });
  });

  it.each([
    ['a value', { text: 'old' }],
    ['nothing', undefined],
  ])('gives %s that is outdated before it is there to those who asked before, and to nobody else', async (_, old) => {
    for (const drop of ['delete', 'deletePrefix'] as const) {
      const [cache, before, after] = [cacheOf(), new ManualLoader(), new ManualLoader()];
      const asked = cache.load('key a', before.load);
      cache[drop](drop === 'delete' ? 'key a' : 'key ');
      const askedLater = cache.load('key a', after.load);
      before.resolve(old);
      expect(await asked).toEqual(old);
      expect([cache.get('key a'), cache.isAbsent('key a')]).toEqual([undefined, false]);
      after.resolve({ text: 'new' });
      expect(await askedLater).toEqual({ text: 'new' });
      expect(cache.get('key a')).toEqual({ text: 'new' });
    }
  });

  it('drops all keys of a prefix and no others', async () => {
    const cache = cacheOf();
    for (const key of ['one a', 'one b', 'two a']) await cache.load(key, async () => ({ text: key }));
    await cache.load('one c', async () => undefined);
    cache.deletePrefix('one ');
    expect([cache.get('one a'), cache.get('one b'), cache.isAbsent('one c')]).toEqual([undefined, undefined, false]);
    expect(cache.get('two a')).toEqual({ text: 'two a' });
  });

  it('keeps within its bytes: what was not used for longest goes', async () => {
    const cache = cacheOf(1000);
    for (let index = 0; index < 20; index++) await cache.load(`key ${index}`, async () => ({ text: 'x'.repeat(100) }));
    const kept = Array.from({ length: 20 }, (_, index) => index).filter((index) => cache.get(`key ${index}`));
    expect(kept).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(await cache.load('large', async () => ({ text: 'x'.repeat(2000) }))).toBeDefined();
    expect(cache.get('large')).toBeUndefined();
  });

  it('does not remember strangers without end, however long their names', async () => {
    const cache = cacheOf();
    const name = (index: number): string => `https://${'a'.repeat(2000)}.example/${index}`;
    for (let index = 0; index < 10_000; index++) await cache.load(name(index), async () => undefined);
    expect([cache.isAbsent(name(0)), cache.isAbsent(name(9999))]).toEqual([false, true]);
  });
});
