import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearToken } from '../../src/jobs/clear-token.ts';
import type { NewAuthorityKey } from '../../src/registry/authorities/authority.ts';
import { createAuthority } from '../../src/registry/authorities/create-authority.ts';
import { announceAuthorityKey } from '../../src/registry/authorities/keys/announce-authority-key.ts';
import { noteTokenObject } from '../../src/registry/authorities/keys/token-objects-in-making.ts';
import { CustodyUnavailable } from '../../src/signer/custody/key-custody.ts';
import { authorityKeys } from '../../src/storage/schema/authority-keys.ts';
import { tokenObjectsInMaking } from '../../src/storage/schema/token-objects-in-making.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { freshIdentifier, generateTestKey, openRegistry, outcome, type TestRegistry } from '../support/registry.ts';

describe.each(DATABASE_KINDS)('keys in a token, with the registry on %s', (kind) => {
  let registry: TestRegistry;
  /** What the token has. */
  let held: Set<string>;
  let isAway: boolean;
  beforeEach(async () => {
    registry = await openRegistry(kind);
    held = new Set();
    isAway = false;
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  /** Makes a key as a token does that is slower than any transaction may be. */
  async function generateKey(owner: string): Promise<NewAuthorityKey> {
    const tokenObject = randomUUID();
    await noteTokenObject(registry.db, { owner, purpose: 'federation', tokenObject });
    held.add(tokenObject);
    return { ...(await generateTestKey(owner)), custody: 'pkcs11', sealedPrivateKey: null, tokenObject };
  }

  const token = {
    async destroyKey({ tokenObject }: { tokenObject: string }): Promise<void> {
      if (isAway) throw new CustodyUnavailable('the token is away');
      held.delete(tokenObject);
    },
  };
  const clear = () => clearToken({ db: registry.db, token });
  const aDayPasses = () =>
    registry.db.update(tokenObjectsInMaking).set({ madeAt: sql`${tokenObjectsInMaking.madeAt} - interval '24 hours'` });
  const anHourPasses = () =>
    registry.db
      .update(tokenObjectsInMaking)
      .set({ madeAt: sql`${tokenObjectsInMaking.madeAt} - interval '61 minutes'` });
  const create = (entityIdentifier = freshIdentifier('authority'), generate = generateKey) =>
    createAuthority(registry.context(), { entityIdentifier, name: 'Test' }, generate);
  const objects = async () => (await registry.db.select().from(authorityKeys)).map(({ tokenObject }) => tokenObject);

  it.each(['announced', 'active', 'retired'] as const)('stay while they are %s', async (state) => {
    await create();
    const retiredAt = new Date('2000-01-01T00:00:00Z');
    await registry.db.update(authorityKeys).set({ state, retiredAt, removeAfter: retiredAt });
    await anHourPasses();
    await clear();
    expect(held.size).toBe(1);
    expect(await objects()).toEqual([...held]);
  });

  it.each(['historical', 'revoked'] as const)(
    'are destroyed once they are %s, all that the token lets go',
    async (state) => {
      await create();
      await create();
      await registry.db.update(authorityKeys).set({ state });
      isAway = true;
      await expect(clear()).rejects.toThrow(CustodyUnavailable);
      expect(await objects()).toEqual(expect.arrayContaining([...held]));
      isAway = false;
      await clear();
      expect(held.size).toBe(0);
      expect(await objects()).toEqual([null, null]);
    },
  );

  it('are destroyed after an hour when the transaction failed that they were made for', async () => {
    const { id, entityIdentifier } = await create();
    const [active = ''] = held;
    const raced = freshIdentifier('authority');
    // Somebody else makes the authority while the token makes the key.
    const whileItIsMade = async (owner: string) => {
      await create(raced);
      return await generateKey(owner);
    };
    expect(await outcome(create(raced, whileItIsMade))).toBe('authority_exists');
    const lost = [...held].at(-1) ?? '';
    await announceAuthorityKey(registry.context(), id, {}, generateKey);
    expect(held.size).toBe(4);
    await clear();
    expect(held.size).toBe(4);
    await anHourPasses();
    isAway = true;
    await expect(clear()).rejects.toThrow(CustodyUnavailable);
    isAway = false;
    await clear();
    expect([held.size, held.has(active), held.has(lost)]).toEqual([3, true, false]);
    await aDayPasses();
    await clear();
    expect(await registry.db.select().from(tokenObjectsInMaking)).toEqual([]);
    // What is there already costs no key.
    expect(await outcome(create(entityIdentifier))).toBe('authority_exists');
    expect(held.size).toBe(3);
  });

  it('are not taken up any more once they were given up', async () => {
    const entityIdentifier = freshIdentifier('authority');
    const slow = async (owner: string) => {
      const key = await generateKey(owner);
      await anHourPasses();
      await clear();
      return key;
    };
    expect(await outcome(create(entityIdentifier, slow))).toBe('key_not_ready');
    expect(held.size).toBe(0);
    const { id } = await create(entityIdentifier);
    const [key] = await registry.db.select().from(authorityKeys).where(eq(authorityKeys.authorityId, id));
    expect([...held]).toEqual([key?.tokenObject]);
  });

  it('are destroyed again for a day: a slow token may make them after all', async () => {
    const tokenObject = randomUUID();
    await noteTokenObject(registry.db, { owner: freshIdentifier('authority'), purpose: 'federation', tokenObject });
    await anHourPasses();
    await clear();
    held.add(tokenObject);
    await clear();
    expect(held.size).toBe(0);
    await aDayPasses();
    await clear();
    expect(await registry.db.select().from(tokenObjectsInMaking)).toEqual([]);
  });
});
