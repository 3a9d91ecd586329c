import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { replaceTrustAnchorKeys } from '../../../src/registry/trust-anchors/replace-trust-anchor-keys.ts';
import { listTrustAnchors, readTrustAnchor } from '../../../src/registry/trust-anchors/trust-anchor.ts';
import { unpinTrustAnchor } from '../../../src/registry/trust-anchors/unpin-trust-anchor.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { testKey } from '../../support/keys.ts';
import {
  actor,
  freshIdentifier,
  freshJwks,
  NOW_DATE,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('Trust Anchors of others on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const pin = (entityIdentifier: string, jwks: unknown, { id } = authority) =>
    pinTrustAnchor(registry.context(), id, { entityIdentifier, jwks });

  it('are pinned for one authority, with their keys', async () => {
    const [entityIdentifier, jwks] = [freshIdentifier('anchor'), await freshJwks(2)];
    const anchor = await pin(entityIdentifier, jwks);
    expect(anchor).toEqual({
      id: anchor.id,
      authorityId: authority.id,
      entityIdentifier,
      jwks,
      version: 1,
      createdAt: NOW_DATE,
    });
    expect(await readTrustAnchor(registry.db, actor(), anchor.id)).toEqual(anchor);
    const other = await registry.authority();
    const ofOther = await listTrustAnchors(registry.db, actor(), { authorityId: other.id }, { limit: 10 });
    expect(ofOther.items).toEqual([]);
    expect(await outcome(pin(entityIdentifier, jwks, other))).toBe('done');
  });

  it('are pinned once for each authority, also by two at once', async () => {
    const [entityIdentifier, jwks] = [freshIdentifier('anchor'), await freshJwks()];
    const outcomes = await Promise.all([outcome(pin(entityIdentifier, jwks)), outcome(pin(entityIdentifier, jwks))]);
    expect(outcomes.sort()).toEqual(['done', 'trust_anchor_exists']);
    expect(await outcome(pin(entityIdentifier, await freshJwks()))).toBe('trust_anchor_exists');
  });

  it('get new keys in place of the old, and the same keys change nothing', async () => {
    const anchor = await pin(freshIdentifier('anchor'), await freshJwks());
    const jwks = await freshJwks(2);
    const replaced = await replaceTrustAnchorKeys(registry.context(), anchor.id, { jwks });
    expect(replaced).toEqual({ ...anchor, jwks, version: 2 });
    const seq = await registry.seq();
    expect(await replaceTrustAnchorKeys(registry.context(), anchor.id, { jwks })).toEqual(replaced);
    expect(await registry.seq()).toBe(seq);
  });

  it('refuse a stale version', async () => {
    const { id, version } = await pin(freshIdentifier('anchor'), await freshJwks());
    const jwks = await freshJwks();
    const stale = version + 1;
    expect(await outcome(replaceTrustAnchorKeys(registry.context(), id, { jwks }, stale))).toBe('version_mismatch');
    expect(await outcome(unpinTrustAnchor(registry.context(), id, stale))).toBe('version_mismatch');
  });

  it('are gone once unpinned, and may be pinned anew', async () => {
    const { id, entityIdentifier, jwks } = await pin(freshIdentifier('anchor'), await freshJwks());
    await unpinTrustAnchor(registry.context(), id);
    expect(await outcome(readTrustAnchor(registry.db, actor(), id))).toBe('not_found');
    expect(await outcome(unpinTrustAnchor(registry.context(), id))).toBe('not_found');
    expect(await outcome(pin(entityIdentifier, jwks))).toBe('done');
  });

  it('are refused with a malformed identifier or keys that nobody should trust', async () => {
    const { jwk, privateJwk } = await testKey('ES256', 4);
    const entityIdentifier = freshIdentifier('anchor');
    expect(await outcome(pin('https://a.example?x', { keys: [jwk] }))).toBe('validation_failed at /entityIdentifier');
    for (const [place, jwks] of [
      ['/jwks', {}],
      ['/jwks', { keys: [] }],
      ['/jwks/keys/0', { keys: [{ ...jwk, use: 'enc' }] }],
    ] as const) {
      expect(await outcome(pin(entityIdentifier, jwks))).toBe(`validation_failed at ${place}`);
    }
    const error = await refusedBy(pin(entityIdentifier, { keys: [privateJwk] }));
    expect(error.details.errors?.[0]?.pointer).toBe('/jwks/keys/0');
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(String(privateJwk['d']));
  });

  it.each([nextId(), 'no-uuid'])('are not there: %s', async (id) => {
    expect(await outcome(readTrustAnchor(registry.db, actor(), id))).toBe('not_found');
    expect(await outcome(pinTrustAnchor(registry.context(), id, { entityIdentifier: 'x', jwks: {} }))).toBe(
      'not_found',
    );
  });
});
