/** Whatever people, jobs and the clock do in whatever order: under what is not active nothing lives. */
import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedEntityBody } from '../../../src/http/api/entities/entity-schema.ts';
import { keepDates } from '../../../src/jobs/keep-dates.ts';
import { keepMembersAlive } from '../../../src/jobs/keep-members-alive.ts';
import { addApiResource } from '../../../src/registry/api-resources/add-api-resource.ts';
import { listApiResources } from '../../../src/registry/api-resources/read-api-resource.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addAuthorizationServer } from '../../../src/registry/authorization-servers/add-authorization-server.ts';
import { listAuthorizationServers } from '../../../src/registry/authorization-servers/read-authorization-server.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { credentialsBelow } from '../../../src/registry/credentials/credentials-below.ts';
import { HOLD_TRANSITIONS, holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { listCredentials } from '../../../src/registry/credentials/read-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import { listSubordinatesJson } from '../../../src/registry/entities/list-subordinates.ts';
import { listEntities } from '../../../src/registry/entities/read-entity.ts';
import { readStanding } from '../../../src/registry/entities/read-standing.ts';
import { readSubordinate } from '../../../src/registry/entities/read-subordinate.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Affected } from '../../../src/registry/life-cycle/effects.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { removeRoleAssignment } from '../../../src/registry/roles/remove-role-assignment.ts';
import { TRANSITION_NAMES } from '../../../src/registry/states.ts';
import { readStandingMark } from '../../../src/registry/trust-marks/read-standing-mark.ts';
import { apiResources } from '../../../src/storage/schema/api-resources.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { directoryFindings } from '../../../src/storage/schema/directory-findings.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../../src/storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../../src/storage/schema/role-assignments.ts';
import { publicJwk } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openRegistry, type TestRegistry } from '../../support/registry.ts';
import { role as addedRole, assignedRole } from '../../support/roles.ts';

const hours = (count: number): Date => new Date(NOW_DATE.getTime() + count * 3_600_000);
/** When the clock ends a role, an API, and its certification, for which the job suspends a day later. */
const [ROLE_ENDS, API_RETIRES, CERTIFICATION_ENDS] = [hours(36), hours(48), hours(12)];
const PAGE = { limit: 100 };

/** A bank with an application and a draft of one; a provider whose application acts for the bank. */
const APPLICATIONS = ['agent', 'bankApp', 'bankDraft'] as const;
const ORGANISATIONS = ['bank', 'provider'] as const;
type Application = (typeof APPLICATIONS)[number];
type Organisation = (typeof ORGANISATIONS)[number];
const OWNER: Readonly<Record<Application, Organisation>> = { bankApp: 'bank', bankDraft: 'bank', agent: 'provider' };

const STEP = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      decide: fc.constantFrom(...TRANSITION_NAMES, 'suspend' as const, 'reinstate' as const, 'approve' as const),
      about: fc.constantFrom(...APPLICATIONS, ...ORGANISATIONS, ...ORGANISATIONS),
      /** Of a suspension: so many hours later. */
      end: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      credential: fc.constantFrom(...HOLD_TRANSITIONS, 'revoke' as const),
      of: fc.constantFrom(...APPLICATIONS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ unassign: fc.constantFrom(...ORGANISATIONS) }) },
  { weight: 3, arbitrary: fc.record({ passHours: fc.integer({ min: 1, max: 30 }) }) },
);
/** The draft is let in: then all that there is lives. */
const ALL_ALIVE = { decide: 'approve', about: 'bankDraft', end: undefined } as const;

type Step = typeof STEP extends fc.Arbitrary<infer S> ? S : never;

describe.each(DATABASE_KINDS)('F05 no reachable state, on %s', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(await openRegistry(kind));
  });
  afterAll(() => world.registry[Symbol.asyncDispose]());

  it('F05 has anything live under a suspended or closed organisation or application, and previews tell what comes', async () => {
    const everLived = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 1, maxLength: 10 }), async (steps) => {
        await begin(world);
        for (const step of steps) {
          await take(world, step);
          const live = await whatShouldLive(world);
          const ofKind = (kinds: string) => [...live].filter((one) => one.startsWith(`${kinds} `)).toSorted();
          expect(await whatReadersSay(world)).toEqual({
            ...{ fetched: ofKind('entity'), listed: ofKind('entity'), evaluated: ofKind('entity') },
            ...{ shown: ofKind('entity'), permitted: ofKind('entity'), acting: ofKind('delegation') },
            ...{ credentialsListed: ofKind('credential'), credentialsBelow: ofKind('credential') },
            ...{ servers: ofKind('authorization_server'), apis: ofKind('api_resource'), marks: ofKind('trust_mark') },
          });
          for (const one of live) everLived.add(one);
        }
      }),
      { numRuns: kind === 'embedded' ? 8 : 20, examples: [[[ALL_ALIVE]]] },
    );
    // Otherwise nothing was shown.
    expect(everLived.size).toBe(14);
  });
});

interface World {
  registry: TestRegistry;
  authority: Authority;
  /** Ids of organisations, applications and what they have, by their names here. */
  ids: Map<string, string>;
  names: Map<string, string>;
  identifiers: Record<Application, string>;
  markTypeId: string;
  now: Date;
}

async function makeWorld(registry: TestRegistry): Promise<World> {
  const authority = await registry.authority({ onLapse: 'suspend', lapseGraceDays: 1 });
  const ids = new Map<string, string>();
  const [bank, provider] = [await registry.organisation(authority), await registry.organisation(authority)];
  const types = { entityTypes: ['openid_provider'], verifiedEntityTypes: ['openid_provider', 'federation_entity'] };
  const applications = {
    bankApp: await registry.entity(bank, types),
    bankDraft: await registry.entity(bank, {}, 'pending'),
    agent: await registry.entity(provider, { onBehalfOf: bank.id }),
  };
  for (const [name, { id }] of Object.entries({ bank, provider })) ids.set(`organisation ${name}`, id);
  for (const name of APPLICATIONS) {
    const { id } = applications[name];
    ids.set(`entity ${name}`, id);
    const credential = await addCredential(registry.context(), id, { usage: 'signing', material: publicJwk() });
    ids.set(`credential of ${name}`, credential.id);
  }
  const role = await addedRole(registry, authority);
  for (const [name, organisation] of Object.entries({ bank, provider })) {
    const { id } = await assignedRole(registry, organisation, { id: role.id, validTo: ROLE_ENDS });
    ids.set(`role_assignment of ${name}`, id);
  }
  for (const name of ['bankApp', 'agent'] as const) {
    const { entityRoleId } = await giveRole(registry.context(), applications[name].id, role.id);
    ids.set(`entity_role_assignment of ${name}`, entityRoleId ?? '');
  }
  const server = await addAuthorizationServer(registry.context(), { entityId: applications.bankApp.id });
  ids.set('authorization_server of bankApp', server.id);
  const certification = { status: 'certified', uri: null, from: null, to: CERTIFICATION_ENDS } as const;
  const api = { family: 'payments', apiVersion: '1.0.0', authorizationServerId: server.id, retiresAt: API_RETIRES };
  ids.set('api_resource of bankApp', (await addApiResource(registry.context(), { ...api, certification })).id);
  const type = await registry.trustMarkType(authority);
  const { bankApp, bankDraft, agent } = applications;
  ids.set('trust_mark of agent', (await registry.trustMark(type, agent.entityIdentifier)).id);
  return {
    ...{ registry, authority, ids, markTypeId: type.id, now: NOW_DATE },
    names: new Map([...ids].map(([name, id]) => [id, name])),
    identifiers: {
      bankApp: bankApp.entityIdentifier,
      bankDraft: bankDraft.entityIdentifier,
      agent: agent.entityIdentifier,
    },
  };
}

/** All as it was made. */
async function begin(world: World): Promise<void> {
  const { db } = world.registry;
  world.now = NOW_DATE;
  await db.update(organisations).set({ state: 'active', suspendedUntil: null });
  await db.update(entities).set({ state: 'active', suspendedUntil: null });
  await db
    .update(entities)
    .set({ state: 'pending' })
    .where(eq(entities.id, idOf(world, 'entity bankDraft')));
  await db.update(credentials).set({ state: 'active', revokedAt: null, revocationReason: null });
  await db.update(roleAssignments).set({ state: 'active' });
  await db.update(entityRoleAssignments).set({ state: 'active' });
  await db.update(apiResources).set({ recordedState: 'active', recordedCertificationEnd: null });
  await db.delete(directoryFindings);
}

async function take(world: World, step: Step): Promise<void> {
  const { registry } = world;
  if ('decide' in step) return await decide(world, step);
  if ('passHours' in step) {
    world.now = new Date(world.now.getTime() + step.passHours * 3_600_000);
    const job = { changeContext: () => registry.context(actor(), { now: world.now }), onError: unexpected };
    await keepDates(job);
    return await keepMembersAlive(job);
  }
  const context = registry.context(actor(), { now: world.now });
  if ('unassign' in step) {
    const [organisation, id] = [`organisation ${step.unassign}`, `role_assignment of ${step.unassign}`];
    const remove = () => removeRoleAssignment(context, idOf(world, organisation), idOf(world, id), 'by chance');
    return void (await unlessRefused(remove));
  }
  const id = idOf(world, `credential of ${step.of}`);
  const { credential } = step;
  await unlessRefused(async () =>
    credential === 'revoke'
      ? await revokeCredential(context, id, { reasonCode: 'unspecified', reason: 'by chance' })
      : await holdCredential(context, id, credential, 'by chance'),
  );
}

/** First as a dry run: it must tell what then happens, refusals too, and name whatever begins or ends to live. */
async function decide(world: World, { decide, about, end }: Extract<Step, { decide: unknown }>): Promise<void> {
  const { registry, now } = world;
  const until = end === undefined ? undefined : new Date(now.getTime() + end * 3_600_000);
  const attempt = async (isDryRun: boolean): Promise<Affected[] | string> => {
    const decision = { reason: 'by chance', until, isDryRun };
    const context = registry.context(actor(), { now });
    const result = await unlessRefused(async () =>
      about === 'bank' || about === 'provider'
        ? await transitionOrganisation(context, idOf(world, `organisation ${about}`), decide, decision)
        : await transitionEntity(context, idOf(world, `entity ${about}`), decide, decision),
    );
    return typeof result === 'string' ? result : result.affected;
  };
  const before = await whatShouldLive(world);
  const seq = await registry.seq();
  const foretold = await attempt(true);
  expect(await registry.seq()).toBe(seq);
  const happened = await attempt(false);
  expect(happened).toEqual(foretold);
  if (typeof happened === 'string') return;
  const told = happened
    .filter(({ stateBefore, stateAfter }) => (stateBefore === 'active') !== (stateAfter === 'active'))
    .map(({ kind, id }) => (kind === 'delegation' ? 'delegation agent' : (world.names.get(id) ?? id)));
  const after = await whatShouldLive(world);
  const changed = [...before, ...after].filter((one) => before.has(one) !== after.has(one));
  // What is decided about is not below itself.
  expect(told.toSorted()).toEqual(changed.filter((one) => one !== `entity ${about}`).toSorted());
}

/** From what is recorded of each alone, so that the rules of the program are held against others. */
async function whatShouldLive(world: World): Promise<Set<string>> {
  const { db } = world.registry;
  const states = new Map<string, ParticipantState | string>();
  for (const table of [organisations, entities, credentials, roleAssignments, entityRoleAssignments]) {
    for (const { id, state } of await db.select({ id: table.id, state: table.state }).from(table))
      states.set(id, state);
  }
  const isActive = (name: string) => states.get(idOf(world, name)) === 'active';
  const live = new Set<string>();
  const lives = (name: string, isSo: boolean) => isSo && live.add(name);
  for (const name of ORGANISATIONS) {
    const role = `role_assignment of ${name}`;
    lives(role, isActive(`organisation ${name}`) && isActive(role) && world.now < ROLE_ENDS);
  }
  for (const name of APPLICATIONS) {
    if (!isActive(`organisation ${OWNER[name]}`) || !isActive(`entity ${name}`)) continue;
    live.add(`entity ${name}`);
    lives(`credential of ${name}`, isActive(`credential of ${name}`));
    const role = `entity_role_assignment of ${name}`;
    lives(role, world.ids.has(role) && isActive(role) && world.now < ROLE_ENDS);
    lives('authorization_server of bankApp', name === 'bankApp');
    lives('api_resource of bankApp', name === 'bankApp' && world.now < API_RETIRES);
    lives('trust_mark of agent', name === 'agent');
    lives('delegation agent', name === 'agent' && isActive('organisation bank'));
  }
  return live;
}

/** What lives, by the word of each reader. */
async function whatReadersSay(world: World): Promise<Record<string, string[]>> {
  const { registry, authority, identifiers, now } = world;
  const { db } = registry;
  const named = (found: readonly { id: string }[]) => found.map(({ id }) => world.names.get(id) ?? id).toSorted();
  const { items } = await listEntities(db, actor(), { authorityId: authority.id }, PAGE);
  const shown = items.map(listedEntityBody);
  const anyType = { entityTypes: [], intermediate: false };
  const list = JSON.parse(await listSubordinatesJson(db, authority.id, anyType, now)) as string[];
  const [fetched, evaluated]: [string[], string[]] = [[], []];
  for (const name of APPLICATIONS) {
    const subject = identifiers[name];
    if ((await readSubordinate(db, authority.id, subject)) !== undefined) fetched.push(`entity ${name}`);
    if ((await readStanding(db, subject, [authority], [authority])) === 'active') evaluated.push(`entity ${name}`);
  }
  const below = [];
  for (const name of ORGANISATIONS) {
    below.push(...(await credentialsBelow(db, { organisationId: idOf(world, `organisation ${name}`) }, now)));
  }
  const servers = await listAuthorizationServers(db, actor(), {}, PAGE, now);
  const apis = await listApiResources(db, actor(), {}, PAGE, now);
  return {
    fetched,
    evaluated,
    listed: APPLICATIONS.filter((name) => list.includes(identifiers[name])).map((name) => `entity ${name}`),
    shown: named(shown.filter(({ effectiveState }) => effectiveState === 'active')),
    permitted: named(shown.filter(({ permissions }) => permissions.newAuthorization || permissions.useExisting)),
    acting: shown.filter(({ delegation }) => delegation?.permissions.useExisting).map(() => 'delegation agent'),
    credentialsListed: named((await listCredentials(db, actor(), { isLive: true }, PAGE, now)).items),
    credentialsBelow: named(below.filter(({ state }) => state === 'active')),
    servers: named(servers.items.filter(({ entityState }) => entityState === 'active')),
    apis: named(apis.items.filter(({ entityState }) => entityState === 'active')),
    marks: (await readStandingMark(db, world.markTypeId, identifiers.agent)) ? ['trust_mark of agent'] : [],
  };
}

function idOf({ ids }: World, name: string): string {
  const id = ids.get(name);
  if (id === undefined) throw new Error(`there is no ${name}`);
  return id;
}

/** What it makes, or the code of the refusal: to try what may not be is part of life. */
async function unlessRefused<T extends object>(attempt: () => Promise<T>): Promise<T | string> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}

function unexpected(error: unknown): void {
  throw error;
}
