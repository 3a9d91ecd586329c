import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AnswerExtras,
  SignedResolutions,
  type SignedResolutionsOptions,
} from '../../src/issuance/signed-resolutions.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../src/registry/authorities/authority-directory.ts';
import type { Signer } from '../../src/signer/signer.ts';
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

function setUp(options: Partial<SignedResolutionsOptions> = {}) {
  const clock = new ManualClock();
  const houseRules = { maxLifetimeSeconds: 86_400 };
  const signed = new SignedResolutions({ signer: testSigner, clock, houseRules, ...options });
  const types = Array.from({ length: 8 }, (_, index) => `type-${index}`);
  const resolution = () => ({
    subject: 'https://rp.example',
    metadata: Object.fromEntries(types.map((type) => [type, { type }])),
    trustChain: ['a.b.c'],
    expiresAt: clock.now() + 900,
  });
  const answerAbout = async (resolved: Parameters<SignedResolutions['answer']>[1], entityTypes: string[] = []) =>
    String((await signed.answer(served, resolved, entityTypes)).body);
  const only = resolution();
  const answer = (entityTypes: string[] = []) => answerAbout(only, entityTypes);
  const answerWith = async (extras: AnswerExtras) => String((await signed.answer(served, only, [], extras)).body);
  return { clock, types, answer, answerWith, resolution, answerAbout };
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

  it('are signed once for all who ask meanwhile', async () => {
    const signer = countingSigner();
    const { answer, types } = setUp({ signer });
    const asked = await Promise.all([
      ...Array.from({ length: 100 }, () => answer()),
      ...Array.from({ length: 100 }, () => answer([types[0]!])),
    ]);
    expect([new Set(asked).size, signer.count]).toEqual([2, 2]);
  });

  it('are signed anew for the next who ask when signing failed', async () => {
    const signer = countingSigner();
    const { answer } = setUp({ signer });
    signer.isBroken = true;
    await expect(Promise.all([answer(), answer()])).rejects.toThrow('broken');
    signer.isBroken = false;
    expect(claimsOf(await answer())).toMatchObject({ sub: 'https://rp.example' });
  });

  it('share nothing between resolutions, however alike', async () => {
    const { answerAbout, resolution } = setUp();
    expect(await answerAbout(resolution())).not.toBe(await answerAbout(resolution()));
  });

  it('[OIDFED-8.3-10] for a caller that proved its name are made for it alone', async () => {
    const signer = countingSigner();
    const { answer, answerWith } = setUp({ signer });
    const shared = await answer();
    const own = await Promise.all([1, 2].map(() => answerWith({ audience: 'https://caller.example' })));
    for (const jwt of own) expect(claimsOf(jwt)).toMatchObject({ aud: 'https://caller.example' });
    expect([await answer(), signer.count]).toEqual([shared, 3]);
    expect(claimsOf(shared)).not.toHaveProperty('aud');
  });

  it('have the verified Trust Marks, each with its type, and no claim where there are none', async () => {
    const { answerAbout, resolution } = setUp();
    const mark = { trust_mark_type: 'https://marks.example/a', trust_mark: 'a.b.c', expiresAt: 1 };
    expect(claimsOf(await answerAbout({ ...resolution(), trustMarks: [mark] }))['trust_marks']).toEqual([
      { trust_mark_type: 'https://marks.example/a', trust_mark: 'a.b.c' },
    ]);
    expect(claimsOf(await answerAbout({ ...resolution(), trustMarks: [] }))).not.toHaveProperty('trust_marks');
  });

  it('take bounded memory together: the oldest goes first', async () => {
    const { answer: measured } = setUp();
    const bytes = (await measured()).length;
    const { answerAbout, resolution } = setUp({ maxBytes: 6 * (bytes + 1000) });
    const resolutions = Array.from({ length: 40 }, resolution);
    const first: string[] = [];
    for (const resolved of resolutions) first.push(await answerAbout(resolved));
    const again: string[] = [];
    for (const resolved of resolutions.toReversed()) again.unshift(await answerAbout(resolved));
    const kept = again.map((answer, index) => answer === first[index]);
    expect(kept.slice(0, 30)).not.toContain(true);
    expect(kept.slice(-6)).toEqual([true, true, true, true, true, true]);
  });
});

/** A signer that counts, and fails when told to. */
function countingSigner(): Signer & { count: number; isBroken: boolean } {
  const counting = {
    ...testSigner,
    count: 0,
    isBroken: false,
    sign: async (...parameters: Parameters<Signer['sign']>) => {
      counting.count++;
      if (counting.isBroken) throw new Error('broken');
      return testSigner.sign(...parameters);
    },
  };
  return counting;
}
