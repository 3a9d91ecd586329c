/** Whatever verbs come in whatever order: under what is not active nothing lives, and previews tell the truth. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endSuspensions } from '../../../src/jobs/end-suspensions.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addAuthorizationServer } from '../../../src/registry/authorization-servers/add-authorization-server.ts';
import { listAuthorizationServers } from '../../../src/registry/authorization-servers/read-authorization-server.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { listSubordinatesJson } from '../../../src/registry/entities/list-subordinates.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { readStanding } from '../../../src/registry/entities/read-standing.ts';
import { readSubordinate } from '../../../src/registry/entities/read-subordinate.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { permissionsOf } from '../../../src/registry/life-cycle/permissions.ts';
import { readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';
import { TRANSITION_NAMES } from '../../../src/registry/states.ts';
import { readStandingMark } from '../../../src/registry/trust-marks/read-standing-mark.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openRegistry, type TestRegistry } from '../../support/registry.ts';

const ENTITIES = 3;
const HOUR_MS = 3_600_000;

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      /** 0 is the organisation. */
      target: fc.nat({ max: ENTITIES }),
      transition: fc.constantFrom(...TRANSITION_NAMES),
      /** Hours until a suspension ends. */
      until: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ hours: fc.integer({ min: 1, max: 4 }) }) },
);

describe.each(DATABASE_KINDS)('F05 no reachable state, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it('F05 treats an entity as live under a suspended or revoked organisation, and dry runs foretell what happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const world = await newWorld(registry, authority);
        let nowMs = NOW_DATE.getTime();
        for (const one of steps) {
          if ('hours' in one) {
            nowMs += one.hours * HOUR_MS;
            const changeContext = () => registry.context(actor(), { now: new Date(nowMs) });
            await endSuspensions({ changeContext, onError: unexpected });
          } else {
            await decide(registry, world, one, new Date(nowMs));
          }
          await requireNothingLivesUnderTheDead(registry, authority, world, new Date(nowMs));
        }
      }),
      { numRuns: kind === 'embedded' ? 8 : 25 },
    );
  });
});

interface World {
  organisationId: string;
  entities: Entity[];
  typeId: string;
}

async function newWorld(registry: TestRegistry, authority: Authority): Promise<World> {
  const organisation = await registry.organisation(authority);
  const type = await registry.trustMarkType(authority);
  const found: Entity[] = [];
  for (let index = 0; index < ENTITIES; index++) {
    const types = { entityTypes: ['openid_provider'], verifiedEntityTypes: ['openid_provider', 'federation_entity'] };
    const entity = await registry.entity(organisation, types, index === 0 ? 'pending' : 'active');
    await addAuthorizationServer(registry.context(), { entityId: entity.id });
    await registry.trustMark(type, entity.entityIdentifier);
    found.push(entity);
  }
  return { organisationId: organisation.id, entities: found, typeId: type.id };
}

interface Decided {
  target: number;
  transition: (typeof TRANSITION_NAMES)[number];
  until: number | undefined;
}

/** First as a dry run: it must tell what then happens, refusals too. */
async function decide(registry: TestRegistry, world: World, { target, transition, until }: Decided, now: Date) {
  const entity = world.entities[target - 1];
  const end = until === undefined ? undefined : new Date(now.getTime() + until * HOUR_MS);
  const attempt = async (isDryRun: boolean) => {
    const decision = { reason: 'by chance', until: end, isDryRun };
    const context = registry.context(actor(), { now });
    try {
      const { affected } =
        entity === undefined
          ? await transitionOrganisation(context, world.organisationId, transition, decision)
          : await transitionEntity(context, entity.id, transition, decision);
      return affected;
    } catch (error) {
      if (error instanceof RegistryError) return error.code;
      throw error;
    }
  };
  const seq = await registry.seq();
  const foretold = await attempt(true);
  expect(await registry.seq()).toBe(seq);
  const before = await statesOf(registry, world);
  const happened = await attempt(false);
  expect(happened).toEqual(foretold);
  if (typeof happened === 'string') return;
  const after = await statesOf(registry, world);
  const moved = world.entities.filter(({ id }) => before.get(id) !== after.get(id)).map(({ id }) => id);
  const told = happened.filter((one) => one.kind === 'entity').map(({ id }) => id);
  expect(told).toEqual(entity === undefined ? moved : []);
}

/** Whether each entity is live, by its own state and its organisation's alone. */
async function statesOf(registry: TestRegistry, world: World): Promise<Map<string, string>> {
  const organisation = await readOrganisation(registry.db, actor(), world.organisationId);
  const states = new Map<string, string>();
  for (const { id } of world.entities) {
    const { state } = await readEntity(registry.db, actor(), id);
    states.set(id, strictest(state, organisation.state));
  }
  return states;
}

/** Written out here once more, so that the rule of the program is held against another. */
function strictest(own: string, organisation: string): string {
  for (const state of ['revoked', 'withdrawn', 'rejected', 'suspended', 'pending']) {
    if (own === state || organisation === state) return state;
  }
  return 'active';
}

async function requireNothingLivesUnderTheDead(
  registry: TestRegistry,
  authority: Authority,
  world: World,
  now: Date,
): Promise<void> {
  const { db } = registry;
  const states = await statesOf(registry, world);
  const list = JSON.parse(
    await listSubordinatesJson(db, authority.id, { entityTypes: [], intermediate: false }, now),
  ) as string[];
  const servers = await listAuthorizationServers(
    db,
    actor(),
    { organisationId: world.organisationId },
    { limit: 10 },
    now,
  );
  for (const { id, entityIdentifier } of world.entities) {
    const isLive = states.get(id) === 'active';
    const { state, organisationState } = await readEntity(db, actor(), id);
    const standing = await readStanding(db, entityIdentifier, [authority], [authority]);
    const seen = {
      fetched: (await readSubordinate(db, authority.id, entityIdentifier)) !== undefined,
      listed: list.includes(entityIdentifier),
      evaluated: standing === 'active',
      used: permissionsOf(organisationState, state).useExisting,
      offered: servers.items.find(({ entityId }) => entityId === id)?.entityState === 'active',
      // A pending entity keeps a mark that it had before it was enrolled; here it got it afterwards.
      marked: (await readStandingMark(db, world.typeId, entityIdentifier)) !== undefined,
    };
    const expected = Object.fromEntries(Object.keys(seen).map((reader) => [reader, isLive]));
    expect({ id, ...seen }).toEqual({ id, ...expected });
  }
}

function unexpected(error: unknown): void {
  throw error;
}
