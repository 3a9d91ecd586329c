import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listAuthorities } from '../../src/registry/authorities/read-authority.ts';
import {
  bindMasterKey,
  ensureFirstAuthority,
  readMasterKeyCheck,
  SYSTEM,
} from '../../src/registry/prepare-deployment.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { actor, generateTestKey, NOW_DATE, openRegistry, type TestRegistry } from '../support/registry.ts';

const IDENTIFIER = 'http://localhost:8080';

describe.each(DATABASE_KINDS)('the first start on %s', (kind) => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await openRegistry(kind);
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  const ensure = (identifier = IDENTIFIER) =>
    ensureFirstAuthority(registry.context(SYSTEM), identifier, generateTestKey);
  const identifiers = async () =>
    (await listAuthorities(registry.db, actor(), { limit: 10 })).items.map(({ entityIdentifier }) => entityIdentifier);

  it('makes a Trust Anchor, in the name of the service', async () => {
    expect(await ensure()).toBe(true);
    expect(await identifiers()).toEqual([IDENTIFIER]);
    expect((await registry.auditAfter()).map((row) => row.actor['kind'])).toEqual(['system', 'system']);
  });

  it('makes nothing where an authority is', async () => {
    const { entityIdentifier } = await registry.authority();
    expect(await ensure()).toBe(false);
    expect(await identifiers()).toEqual([entityIdentifier]);
  });

  it('makes one, though several nodes start at once', async () => {
    const made = await Promise.all([ensure(), ensure(), ensure()]);
    expect(made.filter((isNew) => isNew)).toHaveLength(1);
    expect(await identifiers()).toEqual([IDENTIFIER]);
  });

  it('binds the database to the master key that comes first', async () => {
    expect(await readMasterKeyCheck(registry.db)).toBeUndefined();
    const bound = await Promise.all([
      bindMasterKey(registry.db, 'one', NOW_DATE),
      bindMasterKey(registry.db, 'two', NOW_DATE),
    ]);
    expect(new Set(bound).size).toBe(1);
    expect(await readMasterKeyCheck(registry.db)).toBe(bound[0]);
    expect(await bindMasterKey(registry.db, 'three', NOW_DATE)).toBe(bound[0]);
  });
});
