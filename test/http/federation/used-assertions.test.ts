import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FederationError } from '../../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { TryAgainLater } from '../../../src/http/federation/try-again-later.ts';
import { UsedAssertions, type UsedAssertionsOptions } from '../../../src/http/federation/used-assertions.ts';
import { usedAssertions } from '../../../src/storage/schema/used-assertions.ts';
import { UsedAssertionRecords } from '../../../src/storage/used-assertions.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { ManualClock } from '../../support/federation.ts';
import { openRegistry, type TestRegistry } from '../../support/registry.ts';

const audience = 'https://anchor.example';
const caller = 'https://rp.example' as EntityIdentifier;

/** `accepted`, or why not. */
async function outcomeOf(use: Promise<void>): Promise<string> {
  try {
    await use;
    return 'accepted';
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return error.reason;
  }
}

describe.each(DATABASE_KINDS)('used assertions on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  /** One node, with a memory that it shares with all others. */
  function node(clock: ManualClock, options: Partial<UsedAssertionsOptions> = {}) {
    const used = new UsedAssertions({ clock, store: new UsedAssertionRecords(registry.db), ...options });
    return (jti: string, at = audience, by = caller, branch?: string) =>
      outcomeOf(used.use({ caller: by, jti }, at, branch));
  }

  it('[OIDFED-8.8-2] are refused for as long as they could be good, and per audience', async () => {
    const clock = new ManualClock();
    const use = node(clock);
    for (const offset of [0, 300, 60]) {
      clock.advance(offset);
      const jti = `used after ${offset}`;
      expect(await use(jti)).toBe('accepted');
      for (let passed = 0; passed < 660; passed += 60) {
        expect(await use(jti)).toBe('client_assertion_replayed');
        clock.advance(60);
      }
    }
    expect([await use('new'), await use('new', 'https://other.example')]).toEqual(['accepted', 'accepted']);
    expect(await use('new', audience, 'https://op.example' as EntityIdentifier)).toBe('accepted');
  });

  it('are forgotten when no node accepts them any more', async () => {
    const clock = new ManualClock();
    const use = node(clock);
    expect([await use('again'), await use('again')]).toEqual(['accepted', 'client_assertion_replayed']);
    clock.advance(660);
    expect([await use('again'), await use('again')]).toEqual(['accepted', 'client_assertion_replayed']);
  });

  it('[OIDFED-8.8-2] are refused at other nodes and after a restart, also when several are asked at once', async () => {
    const clock = new ManualClock();
    const nodes = Array.from({ length: 5 }, () => node(clock));
    expect(await nodes[0]?.('shared')).toBe('accepted');
    expect(await nodes[1]?.('shared')).toBe('client_assertion_replayed');
    const outcomes = await Promise.all(nodes.map((use) => use('at once')));
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
    expect(await node(clock)('at once')).toBe('client_assertion_replayed');
  });

  it('are kept as digests alone', async () => {
    await node(new ManualClock())('a secret of the caller');
    const rows = await registry.db.select().from(usedAssertions);
    for (const { client, jti } of rows) expect([client, jti].join(' ')).toMatch(/^[\w-]{43} [\w-]{43}$/);
  });

  it('let no caller take more than its share, nor any number of them all of the room', async () => {
    const clock = new ManualClock();
    const use = node(clock, { maxTotal: 1_000 });
    const by = (index: number) => `https://filler-${index}.example` as EntityIdentifier;
    for (let index = 0; index < 100; index++) {
      const outcomes = await Promise.all(
        Array.from({ length: 45 }, (_, count) => use(`full ${count}`, audience, by(index), by(index))),
      );
      const accepted = outcomes.filter((outcome) => outcome === 'accepted').length;
      expect([accepted <= 40, accepted >= 1]).toEqual([true, true]);
      expect(new Set(outcomes)).toEqual(new Set(['accepted', 'rate_limited']));
    }
    expect(await use('room is left', audience, caller, caller)).toBe('accepted');
    clock.advance(660);
    expect(await use('room again', audience, by(0), by(0))).toBe('accepted');
  });

  it('of callers below one entity share what that may have, and those of registered callers take nothing from it', async () => {
    const use = node(new ManualClock(), { maxTotal: 1_000 });
    const below = (index: number) => `https://leaf-${index}.example` as EntityIdentifier;
    const outcomes: string[] = [];
    for (let index = 0; index < 100; index++)
      outcomes.push(await use('one', audience, below(index), 'https://inter.example'));
    const accepted = outcomes.filter((outcome) => outcome === 'accepted').length;
    expect([accepted > 10, accepted <= 40]).toEqual([true, true]);
    for (let count = 0; count < 60; count++) expect(await use(`registered ${count}`)).toBe('accepted');
    expect(await use('elsewhere', audience, caller, 'https://another.example')).toBe('accepted');
  });

  it('that are refused take no room: a thief cannot use up the share of whom it stole from', async () => {
    const use = node(new ManualClock(), { maxTotal: 500 });
    expect(await use('stolen')).toBe('accepted');
    for (let count = 0; count < 30; count++) expect(await use('stolen')).toBe('client_assertion_replayed');
    expect(await use('its own')).toBe('accepted');
  });
});

describe('while the database is away', () => {
  const failing = (error: Error) =>
    new UsedAssertions({ clock: new ManualClock(), store: { add: () => Promise.reject(error) }, maxTotal: 50 });

  it('no assertion is let in, and the caller may come again', async () => {
    const used = failing(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    for (let count = 0; count < 5; count++) {
      const refused = await used.use({ caller, jti: 'any' }, audience).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(TryAgainLater);
      expect(refused).toMatchObject({ wire: 'temporarily_unavailable', retryAfterSeconds: 1, status: undefined });
    }
  });

  it('what is no outage is not hidden', async () => {
    const bug = new Error('a bug');
    await expect(failing(bug).use({ caller, jti: 'any' }, audience)).rejects.toBe(bug);
  });
});
