/** Whoever follows what changed since some moment knows the status of all, whatever happened in between. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { readAllStatuses, readStatus, readStatusChanges } from '../../../src/registry/events/read-status.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';
import { TRANSITION_NAMES } from '../../../src/registry/states.ts';
import { registryCounter } from '../../../src/storage/schema/registry-counter.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { untilWaiting } from '../../support/postgres-locks.ts';
import { openRegistry, type TestRegistry } from '../../support/registry.ts';

const LIKELY = ['approve', 'approve', 'suspend', 'suspend', 'reinstate', 'reinstate'] as const;
const STEP = fc.record({
  organisation: fc.nat({ max: 1 }),
  /** 2: the organisation itself. */
  entity: fc.nat({ max: 2 }),
  transition: fc.constantFrom(...LIKELY, ...TRANSITION_NAMES, 'none' as const),
  /** Whether the mirror looks then. */
  isMirrored: fc.boolean(),
});

describe.each(DATABASE_KINDS)('[F11] a mirror of all statuses on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  type Mirror = Map<string, string>;

  /** Reads on from `since`, in pages of about `limit`. */
  async function follow(mirror: Mirror, since: number, limit: number): Promise<number> {
    const throughSeq = await registry.seq();
    let seq = since;
    while (seq < throughSeq) {
      const { items, nextSeq } = await readStatusChanges(registry.db, { since: seq, throughSeq, limit });
      expect(nextSeq).toBeGreaterThan(seq);
      expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
      for (const { id, status, seq: changedAt } of items) {
        expect(changedAt).toBeGreaterThan(seq);
        expect(changedAt).toBeLessThanOrEqual(nextSeq);
        mirror.set(id, status);
      }
      seq = nextSeq;
    }
    return seq;
  }

  /** All there are now, in pages. */
  async function snapshot(limit: number, between = async () => {}): Promise<{ mirror: Mirror; seq: number }> {
    const mirror: Mirror = new Map();
    for (let cursor: string | undefined; ; ) {
      const page = await readAllStatuses(registry.db, { cursor, limit, seq: await registry.seq() });
      for (const { id, status } of page.items) mirror.set(id, status);
      if (page.next === undefined) return { mirror, seq: page.nextSeq };
      cursor = page.next;
      await between();
    }
  }

  it('[F11] ends with the status of everybody, from the first change or from a snapshot, in pages of any size', async () => {
    const authority = await registry.authority();
    const fromZero: Mirror = new Map();
    let zeroSeq = 0;
    const statuses = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(STEP, { minLength: 4, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, limit) => {
          const { mirror, seq: start } = await snapshot(limit);
          let seq = start;
          const members = await Promise.all(
            [0, 1].map(async () => {
              const organisation = await registry.organisation(authority);
              const entities = [
                await registry.entity(organisation),
                await registry.entity(organisation, {}, 'pending'),
              ];
              return { organisation, entities };
            }),
          );
          for (const step of steps) {
            const member = members[step.organisation];
            const entity = member?.entities[step.entity];
            await decide(member?.organisation.id ?? '', entity?.id, step.transition);
            if (step.isMirrored) seq = await follow(mirror, seq, limit);
          }
          // Changes while all are read are among those that are told of since then.
          const first = members[0]?.organisation.id ?? '';
          const late = await snapshot(limit, () => decide(first, undefined, 'suspend'));
          await follow(late.mirror, late.seq, limit);
          await follow(mirror, seq, limit);
          zeroSeq = await follow(fromZero, zeroSeq, limit);
          const truth = (await snapshot(1000)).mirror;
          for (const status of truth.values()) statuses.add(status);
          expect(sorted(mirror)).toEqual(sorted(truth));
          expect(sorted(late.mirror)).toEqual(sorted(truth));
          expect(sorted(fromZero)).toEqual(sorted(truth));
          for (const [id, status] of sorted(truth).slice(-6)) {
            expect((await readStatus(registry.db, id)).status).toBe(status);
          }
        },
      ),
      { numRuns: kind === 'embedded' ? 12 : 6, endOnFailure: true },
    );
    expect([...statuses]).toEqual(expect.arrayContaining(['active', 'suspended']));
  });

  async function decide(
    organisationId: string,
    entityId: string | undefined,
    transition: (typeof TRANSITION_NAMES)[number] | 'none',
  ): Promise<void> {
    const context = registry.context();
    const done =
      transition === 'none'
        ? updateOrganisation(context, organisationId, { legalName: `Partner ${await registry.seq()}` })
        : entityId === undefined
          ? transitionOrganisation(context, organisationId, transition, 'x')
          : transitionEntity(context, entityId, transition, 'x');
    await done.catch((error: unknown) => {
      if (!(error instanceof RegistryError)) throw error;
    });
  }
});

function sorted(mirror: ReadonlyMap<string, string>): [string, string][] {
  return [...mirror].sort(([one], [other]) => (one < other ? -1 : 1));
}

describe('[F11] changes at the same time on postgresql', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry('postgresql');
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it.each([
    { transition: 'reinstate', from: 'suspended', status: 'suspended' },
    { transition: 'revoke', from: 'active', status: 'revoked' },
  ] as const)('[F11] tell the truth last: an entity $transition beside its organisation suspended', async (race) => {
    const organisation = await registry.organisation(await registry.authority());
    const { id } = await registry.entity(organisation, {}, race.from);
    const since = await registry.seq();
    let both: Promise<unknown> = Promise.resolve();
    await registry.db.transaction(async (tx) => {
      await tx.select().from(registryCounter).for('update');
      const suspended = transitionOrganisation(registry.context(), organisation.id, 'suspend', 'incident');
      // It has all that it needs but its number.
      await untilWaiting(registry.db);
      both = Promise.all([suspended, transitionEntity(registry.context(), id, race.transition, 'meanwhile')]);
      await untilWaiting(registry.db, 2);
    });
    await both;
    const { items } = await readStatusChanges(registry.db, { since, throughSeq: await registry.seq(), limit: 100 });
    const told = items.find((member) => member.id === id)?.status ?? race.from;
    expect(told).toBe(race.status);
    expect(await readStatus(registry.db, id)).toMatchObject({ status: race.status });
  });
});
