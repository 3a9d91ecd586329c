import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignedResolutions } from '../../src/issuance/signed-resolutions.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../src/registry/authorities/authority-directory.ts';
import { claimsOf } from '../support/answers.ts';
import { ManualClock } from '../support/federation.ts';
import { openRegistry, type TestRegistry, testSigner } from '../support/registry.ts';

let registry: TestRegistry;
let served: ServedAuthority;

beforeAll(async () => {
  registry = await openRegistry('embedded');
  const { id } = await registry.authority();
  const directory = new AuthorityDirectory(registry.db);
  await directory.reload();
  served = directory.get(id)!;
});

afterAll(() => registry[Symbol.asyncDispose]());

function setUp() {
  const clock = new ManualClock();
  const signed = new SignedResolutions({ signer: testSigner, clock, houseRules: { maxLifetimeSeconds: 86_400 } });
  const types = Array.from({ length: 8 }, (_, index) => `type-${index}`);
  const resolution = {
    subject: 'https://rp.example',
    metadata: Object.fromEntries(types.map((type) => [type, { type }])),
    trustChain: ['a.b.c'],
    expiresAt: clock.now() + 900,
  };
  const answer = async (entityTypes: string[] = []) =>
    String((await signed.answer(served, resolution, entityTypes)).body);
  return { clock, types, answer };
}

describe('signed resolutions', () => {
  it('are signed once for each choice of types that makes a difference', async () => {
    const { answer } = setUp();
    const all = await answer();
    expect(await answer()).toBe(all);
    const two = await answer(['type-1', 'type-0']);
    expect(await answer(['type-0', 'type-1', 'type-1', 'unheard-of'])).toBe(two);
    expect(Object.keys(claimsOf(two)['metadata'] as object).toSorted()).toEqual(['type-0', 'type-1']);
    const none = await answer(['unheard-of']);
    expect([claimsOf(none)['metadata'], none === all]).toEqual([{}, false]);
  });

  it('live no longer than what they rest on, and are renewed at half their life', async () => {
    const { answer, clock } = setUp();
    const first = await answer();
    expect(claimsOf(first)).toMatchObject({ iat: clock.now(), exp: clock.now() + 900 });
    clock.advance(449);
    expect(await answer()).toBe(first);
    clock.advance(1);
    expect(claimsOf(await answer())).toMatchObject({ iat: clock.now(), exp: clock.now() + 450 });
  });

  it('are kept for few choices of types, so that asking for all of them does not fill the memory', async () => {
    const { answer, types } = setUp();
    const first = await answer([types[0]!]);
    const last: string[] = [];
    for (const type of types.slice(1)) last.push(await answer([type]));
    for (const [index, type] of types.slice(-4).entries()) expect(await answer([type])).toBe(last.slice(-4)[index]);
    expect(await answer([types[0]!])).not.toBe(first);
  });
});
