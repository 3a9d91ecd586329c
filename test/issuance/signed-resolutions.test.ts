import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NumericDate } from '../../src/federation/time.ts';
import {
  type AnswerExtras,
  SignedResolutions,
  type SignedResolutionsOptions,
} from '../../src/issuance/signed-resolutions.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../src/registry/authorities/authority-directory.ts';
import type { Signer } from '../../src/signer/signer.ts';
import { claimsOf, headerOf } from '../support/answers.ts';
import { buildFederation, ManualClock } from '../support/federation.ts';
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
    oldestAt: clock.now() - 60,
  });
  const answerAbout = async (resolved: Parameters<SignedResolutions['answer']>[1], entityTypes: string[] = []) =>
    String((await signed.answer(served, resolved, entityTypes)).body);
  const only = resolution();
  const answer = (entityTypes: string[] = []) => answerAbout(only, entityTypes);
  const answerWith = async (extras: AnswerExtras, entityTypes: string[] = []) =>
    String((await signed.answer(served, only, entityTypes, extras)).body);
  return { clock, signed, types, only, answer, answerWith, resolution, answerAbout };
}

describe('signed resolutions', () => {
  it('say when the oldest statement was retrieved that they or the header chain rest on', async () => {
    const { signed, clock } = setUp();
    const now = clock.now();
    const { own, resolved } = await resolvedTogether({ ownEnd: now + 300, end: now + 900 });
    const saidOf = async (extras: AnswerExtras) => (await signed.answer(served, resolved, [], extras)).oldestStatement;
    const asDate = (seconds: NumericDate) => new Date(seconds * 1000).toUTCString();
    expect(await saidOf({})).toBe(asDate(resolved.oldestAt));
    expect(own.oldestAt).toBeLessThan(resolved.oldestAt);
    expect(await saidOf({ own })).toBe(asDate(own.oldestAt));
  });

  it('are refused when readers would not take them, and fewer types may fit', async () => {
    const { answerAbout, resolution } = setUp();
    const note = 'x'.repeat(100_000);
    const large = { ...resolution(), metadata: { one: { note }, two: { note } } };
    await expect(answerAbout(large)).rejects.toMatchObject({
      reason: 'answer_too_large',
      wire: 'invalid_request',
      message: expect.stringContaining('fewer Entity Types'),
    });
    expect(claimsOf(await answerAbout(large, ['one']))['metadata']).toEqual({ one: { note } });
  });

  it('are signed once for each choice of types that makes a difference', async () => {
    const { answer, types } = setUp();
    const all = await answer();
    expect(await answer()).toBe(all);
    const two = await answer(['type-1', 'type-0']);
    expect(await answer(['type-0', 'type-1', 'type-1', 'unheard-of'])).toBe(two);
    expect(Object.keys(claimsOf(two)['metadata'] as object).toSorted()).toEqual(['type-0', 'type-1']);
    const none = await answer(['unheard-of']);
    expect([claimsOf(none)['metadata'], none === all]).toEqual([{}, false]);
    expect(await answer([...types, 'unheard-of'].toReversed())).toBe(all);
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

  it('beyond the kept choices of types are charged, before they are signed, to whoever asks', async () => {
    const signer = countingSigner();
    const { answerWith, types } = setUp({ signer });
    let charges = 0;
    const charge = async () => {
      charges++;
    };
    const refuse = () => Promise.reject(new Error('too much'));
    for (const type of types.slice(0, 4)) await answerWith({ charge: refuse }, [type]);
    const fifth = await answerWith({ charge }, [types[4]!]);
    expect([charges, signer.count]).toEqual([1, 5]);
    expect(await answerWith({ charge: refuse }, [types[4]!])).toBe(fifth);
    await expect(answerWith({ charge: refuse }, [types[0]!])).rejects.toThrow('too much');
    expect([charges, signer.count]).toEqual([1, 5]);
  });

  it('are renewed without charge', async () => {
    const { answerWith, clock, types } = setUp();
    const refuse = () => Promise.reject(new Error('too much'));
    const choices = types.slice(0, 4).map((type) => [type]);
    for (const choice of choices) await answerWith({ charge: refuse }, choice);
    clock.advance(450);
    for (const choice of choices) {
      expect(claimsOf(await answerWith({ charge: refuse }, choice))).toMatchObject({ iat: clock.now() });
    }
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

  it("[OIDFED-8.3-11] have the authority's own chain while it lasts, and are kept no longer", async () => {
    const { signed, clock } = setUp();
    const { own, resolved } = await resolvedTogether({ ownEnd: clock.now() + 300, end: clock.now() + 900 });
    const answer = async () => await signed.answer(served, resolved, [], { own });
    const withChain = await answer();
    expect(headerOf(String(withChain.body))['trust_chain']).toEqual(own.trustChain);
    expect(claimsOf(String(withChain.body))).toMatchObject({ exp: resolved.expiresAt });
    expect(withChain.expiresAt).toBe(own.expiresAt);
    clock.advance(299);
    expect(await answer()).toBe(withChain);
    clock.advance(1);
    const without = await answer();
    expect(headerOf(String(without.body))).not.toHaveProperty('trust_chain');
    expect(await signed.answer(served, resolved, [])).toBe(without);
  });

  it("[OIDFED-8.3-11] are signed anew when the authority's own chain is another", async () => {
    const { signed, clock } = setUp();
    const end = clock.now() + 900;
    const { own, resolved } = await resolvedTogether({ ownEnd: end, end });
    const renewed = { ...own, trustChain: [...own.trustChain.slice(0, -1), resolved.trustChain.at(-1)!] };
    const before = await signed.answer(served, resolved, [], { own });
    const after = await signed.answer(served, resolved, [], { own: renewed });
    expect(headerOf(String(after.body))['trust_chain']).toEqual(renewed.trustChain);
    expect(after).not.toBe(before);
    expect(await signed.answer(served, resolved, [], { own: renewed })).toBe(after);
    expect(signed.place(served, resolved, [])).toBeUndefined();
  });

  it('that live for a second are given to those who ask meanwhile, and not kept', async () => {
    const brief = { ...served, authority: { ...served.authority, resolveLifetimeSeconds: 1 } };
    const { signed, only } = setUp();
    const [one, same] = await Promise.all([signed.answer(brief, only, []), signed.answer(brief, only, [])]);
    expect(one).toBe(same);
    expect(signed.place(brief, only, [])?.answer).toBeUndefined();
    expect(await signed.answer(brief, only, [])).not.toBe(one);
  });

  it('lie in their place until the authority or the resolution is another', async () => {
    const { signed, only, resolution } = setUp();
    expect(signed.place(served, only, [])).toBeUndefined();
    const answer = await signed.answer(served, only, []);
    const place = signed.place(served, only, [])!;
    expect([signed.ready(place, only), signed.ready(place, resolution())]).toEqual([answer, undefined]);
    const changed = { ...served };
    expect(signed.place(changed, only, [])).toBeUndefined();
    expect(await signed.answer(changed, only, [])).not.toBe(answer);
    expect(signed.ready(place, only)).toBeUndefined();
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

/** A subject and the authority itself, resolved towards the same Trust Anchor. */
async function resolvedTogether({ ownEnd, end }: { ownEnd: NumericDate; end: NumericDate }) {
  const superiors = ['anchor'];
  const identifier = served.authority.entityIdentifier;
  const federation = await buildFederation({ anchor: {}, resolver: { identifier, superiors }, rp: { superiors } });
  const resolution = async (name: string, expiresAt: NumericDate) => {
    const trustChain = await federation.chain(name, 'anchor');
    return { subject: federation.id(name), metadata: {}, trustChain, expiresAt, oldestAt: expiresAt - 900 };
  };
  return { own: await resolution('resolver', ownEnd), resolved: await resolution('rp', end) };
}

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
