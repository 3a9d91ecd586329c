import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { SYSTEM } from '../../../src/registry/prepare-deployment.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { recordSeenKeys, type SeenConfiguration } from '../../../src/registry/trust-anchors/record-seen-keys.ts';
import { replaceTrustAnchorKeys } from '../../../src/registry/trust-anchors/replace-trust-anchor-keys.ts';
import { believedTrustAnchors, type SeenKeys, seenKeysOf } from '../../../src/registry/trust-anchors/seen-keys.ts';
import { SeenKeysRecorder } from '../../../src/registry/trust-anchors/seen-keys-recorder.ts';
import type { PinnedTrustAnchor } from '../../../src/registry/trust-anchors/trust-anchor.ts';
import { unpinTrustAnchor } from '../../../src/registry/trust-anchors/unpin-trust-anchor.ts';
import { trustAnchorKeys } from '../../../src/storage/schema/trust-anchor-keys.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW } from '../../support/federation.ts';
import { freshIdentifier, freshJwks, NOW_DATE, openRegistry, type TestRegistry } from '../../support/registry.ts';

const [pinned, rolled, third] = [await freshJwks(), await freshJwks(2), await freshJwks()];
const later = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);

describe.each(DATABASE_KINDS)('keys that a Trust Anchor was seen with, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const pin = (entityIdentifier = freshIdentifier('anchor'), jwks: JwkSet = pinned, { id } = authority) =>
    pinTrustAnchor(registry.context(), id, { entityIdentifier, jwks });
  const see = (anchor: PinnedTrustAnchor, seen: Partial<SeenConfiguration> = {}, now = NOW_DATE) =>
    recordSeenKeys(registry.context(SYSTEM, { now }), {
      ...{ trustAnchor: anchor.entityIdentifier, pinned, kind: 'learned', jwks: rolled, iat: NOW },
      ...seen,
    });
  const seenOf = async (anchor: PinnedTrustAnchor): Promise<SeenKeys | undefined> =>
    (await seenKeysOf(registry.db, [anchor])).get(anchor.id);

  it('are recorded with their time, and in the audit, for every authority that pinned the same keys', async () => {
    const anchor = await pin();
    const same = await pin(anchor.entityIdentifier, pinned, await registry.authority());
    const other = await pin(anchor.entityIdentifier, third, await registry.authority());
    const seq = await registry.seq();
    await see(anchor, { iat: NOW + 0.5 });
    const learned = { jwks: rolled, iat: NOW + 0.5, at: NOW_DATE };
    expect(await seenOf(anchor)).toEqual({ learned, alarm: null });
    expect(await seenOf(same)).toEqual({ learned, alarm: null });
    expect(await seenOf(other)).toBeUndefined();
    const rows = await registry.auditAfter(seq);
    expect(rows.map(({ action, subjectId, actor }) => [action, subjectId, actor.kind])).toEqual([
      ['trust_anchor.learn_keys', anchor.id, 'system'],
      ['trust_anchor.learn_keys', same.id, 'system'],
    ]);
    const believed = (await believedTrustAnchors(registry.db)).filter(
      ({ entityIdentifier }) => entityIdentifier === anchor.entityIdentifier,
    );
    expect(believed.map((it) => [it.pinned, it.learned])).toEqual([
      [pinned, learned],
      [pinned, learned],
      [third, null],
    ]);
  });

  it('give way to newer ones only, and the same again change nothing', async () => {
    const anchor = await pin();
    await see(anchor);
    const seq = await registry.seq();
    await see(anchor, { jwks: third, iat: NOW - 1 });
    await see(anchor, { jwks: third, iat: NOW });
    await see(anchor, { iat: NOW + 1 });
    expect(await registry.seq()).toBe(seq);
    await see(anchor, { jwks: third, iat: NOW + 2 }, later(2));
    expect((await seenOf(anchor))?.learned).toEqual({ jwks: third, iat: NOW + 2, at: later(2) });
  });

  it('are an alarm that stays beside what was learned, recorded once in ten minutes', async () => {
    const anchor = await pin();
    await see(anchor);
    const alarm = { kind: 'mismatch', jwks: third } as const;
    await see(anchor, alarm, later(10));
    const seq = await registry.seq();
    await see(anchor, alarm, later(609));
    expect(await registry.seq()).toBe(seq);
    const learned = { jwks: rolled, iat: NOW, at: NOW_DATE };
    expect(await seenOf(anchor)).toEqual({ learned, alarm: { jwks: third, at: later(10) } });
    await see(anchor, alarm, later(610));
    expect(await seenOf(anchor)).toEqual({ learned, alarm: { jwks: third, at: later(610) } });
    expect((await registry.auditAfter(seq)).map(({ action }) => action)).toEqual(['trust_anchor.alarm']);
  });

  it('say nothing any more once other keys are pinned, and nothing is left once none are', async () => {
    const anchor = await pin();
    await see(anchor);
    await see(anchor, { kind: 'mismatch', jwks: third });
    await replaceTrustAnchorKeys(registry.context(), anchor.id, { jwks: rolled });
    expect(await seenOf(anchor)).toBeUndefined();
    await see(anchor, { jwks: third, iat: NOW + 5 });
    expect(await seenOf(anchor)).toBeUndefined();
    await see(anchor, { pinned: rolled, jwks: third, iat: NOW - 5 });
    expect(await seenOf(anchor)).toEqual({ learned: { jwks: third, iat: NOW - 5, at: NOW_DATE }, alarm: null });
    await unpinTrustAnchor(registry.context(), anchor.id);
    const rows = await registry.db.select().from(trustAnchorKeys);
    expect(rows.map(({ trustAnchorId }) => trustAnchorId)).not.toContain(anchor.id);
  });

  it('are recorded behind the scenes as soon as the database lets them be, the newest only', async () => {
    const anchor = await pin();
    const errors: unknown[] = [];
    let failures = 2;
    await using recorder = new SeenKeysRecorder({
      context: () => {
        if (--failures >= 0) throw new Error('the database is away');
        return registry.context(SYSTEM);
      },
      onError: (error) => errors.push(error),
      pauseMs: 1,
    });
    const seen = { trustAnchor: anchor.entityIdentifier, pinned, kind: 'learned', jwks: rolled, iat: NOW } as const;
    recorder.record(seen);
    recorder.record({ ...seen, jwks: third, iat: NOW + 1 });
    recorder.record({ ...seen, kind: 'mismatch' });
    await expect.poll(() => seenOf(anchor)).toMatchObject({ learned: { jwks: third }, alarm: { jwks: rolled } });
    expect(errors).toHaveLength(1);
    recorder.record({ ...seen, iat: NOW + 2 });
    await expect.poll(() => seenOf(anchor)).toMatchObject({ learned: { jwks: rolled, iat: NOW + 2 } });
  });

  it('are recorded when the service stops, and one that fails holds up no other', async () => {
    const [first, failing, last] = [await pin(), await pin(), await pin()];
    const errors: unknown[] = [];
    let calls = 0;
    {
      await using recorder = new SeenKeysRecorder({
        context: () => {
          calls++;
          if (calls === 2) throw new Error('only the second fails');
          return registry.context(SYSTEM);
        },
        onError: (error) => errors.push(error),
        pauseMs: 60_000,
      });
      for (const { entityIdentifier } of [first, failing, last]) {
        recorder.record({ trustAnchor: entityIdentifier, pinned, kind: 'learned', jwks: rolled, iat: NOW });
      }
      await expect.poll(() => seenOf(last)).toMatchObject({ learned: { jwks: rolled } });
      expect(await seenOf(failing)).toBeUndefined();
    }
    expect(await seenOf(failing)).toMatchObject({ learned: { jwks: rolled } });
    expect(errors).toHaveLength(1);
  });
});
