import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiResource } from '../../../src/registry/api-resources/add-api-resource.ts';
import { isCertified } from '../../../src/registry/api-resources/api-resource.ts';
import { listApiResources, readApiResource } from '../../../src/registry/api-resources/read-api-resource.ts';
import { removeApiResource } from '../../../src/registry/api-resources/remove-api-resource.ts';
import { updateApiResource } from '../../../src/registry/api-resources/update-api-resource.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addAuthorizationServer } from '../../../src/registry/authorization-servers/add-authorization-server.ts';
import type { AuthorizationServerFields } from '../../../src/registry/authorization-servers/authorization-server.ts';
import {
  listAuthorizationServers,
  readAuthorizationServer,
} from '../../../src/registry/authorization-servers/read-authorization-server.ts';
import { removeAuthorizationServer } from '../../../src/registry/authorization-servers/remove-authorization-server.ts';
import { updateAuthorizationServer } from '../../../src/registry/authorization-servers/update-authorization-server.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { OFFER_STATES, offerState, stricterOfferState } from '../../../src/registry/offers/offer-state.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { transitionRole } from '../../../src/registry/roles/transition-role.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { apiResource, authorizationServer, provider } from '../../support/offers.ts';
import { actor, NOW_DATE, nextId, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';
import { role } from '../../support/roles.ts';

const hours = (count: number): Date => new Date(NOW_DATE.getTime() + count * 3_600_000);

describe.each(DATABASE_KINDS)('what entities offer, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const server = (settings: Partial<AuthorizationServerFields> = {}) =>
    authorizationServer(registry, authority, settings);

  describe('an authorization server', () => {
    it('is of an entity that plays such a type, and issues under its Entity Identifier', async () => {
      const { id: entityId, entityIdentifier } = await provider(registry, authority);
      const added = await addAuthorizationServer(registry.context(), { entityId });
      expect(added).toMatchObject({ entityId, issuer: entityIdentifier, entityState: 'active', version: 1 });
      const party = await registry.entity(await registry.organisation(authority));
      const refused = addAuthorizationServer(registry.context(), { entityId: party.id });
      expect(await outcome(refused)).toBe('validation_failed at /entityId');
      expect(await outcome(addAuthorizationServer(registry.context(), { entityId: nextId() }))).toBe('not_found');
    });

    it('is the only one of its entity, until it is removed', async () => {
      const { id, entityId } = await server();
      const again = () => addAuthorizationServer(registry.context(), { entityId });
      expect(await outcome(again())).toBe('authorization_server_exists');
      await removeAuthorizationServer(registry.context(), id);
      expect(await outcome(again())).toBe('done');
    });

    it('is not of an entity whose record is closed', async () => {
      const { id: entityId } = await provider(registry, authority);
      await transitionEntity(registry.context(), entityId, 'withdraw', 'x');
      expect(await outcome(addAuthorizationServer(registry.context(), { entityId }))).toBe('illegal_transition');
    });

    it('shows what counts of its entity', async () => {
      const { id, entityId } = await server();
      const entityState = async () => (await readAuthorizationServer(registry.db, actor(), id)).entityState;
      expect(await entityState()).toBe('active');
      const { organisationId } = await transitionEntity(registry.context(), entityId, 'suspend', 'x');
      await transitionOrganisation(registry.context(), organisationId, 'revoke', 'x');
      expect(await entityState()).toBe('revoked');
    });

    it('does not retire before it is deprecated', async () => {
      const wrong = { deprecatedAt: hours(2), retiresAt: hours(1) };
      expect(await outcome(server(wrong))).toBe('validation_failed at /retiresAt');
      const { id } = await server({ deprecatedAt: hours(2) });
      const update = updateAuthorizationServer(registry.context(), id, { retiresAt: hours(1) });
      expect(await outcome(update)).toBe('validation_failed at /retiresAt');
    });

    it('is superseded by another of its authority, never over any steps by itself', async () => {
      const [one, two, three] = [await server(), await server(), await server()];
      const supersede = (id: string, supersededBy: string | null) =>
        updateAuthorizationServer(registry.context(), id, { supersededBy });
      expect((await supersede(one.id, two.id)).supersededBy).toBe(two.id);
      expect(await outcome(supersede(two.id, three.id))).toBe('done');
      for (const { id } of [one, two, three]) {
        expect(await outcome(supersede(three.id, id))).toBe('validation_failed at /supersededBy');
      }
      const foreign = await authorizationServer(registry, await registry.authority());
      expect(await outcome(supersede(three.id, foreign.id))).toBe('validation_failed at /supersededBy');
      expect(await outcome(server({ supersededBy: nextId() }))).toBe('validation_failed at /supersededBy');
      expect((await supersede(one.id, null)).supersededBy).toBeNull();
      await removeAuthorizationServer(registry.context(), three.id);
      expect(await outcome(supersede(one.id, three.id))).toBe('validation_failed at /supersededBy');
    });

    it('makes no circle when two are superseded at once', async () => {
      const [one, two] = [await server(), await server()];
      const supersede = (id: string, supersededBy: string) =>
        outcome(updateAuthorizationServer(registry.context(), id, { supersededBy }));
      const outcomes = await Promise.all([supersede(one.id, two.id), supersede(two.id, one.id)]);
      expect(outcomes.sort()).toEqual(['done', 'validation_failed at /supersededBy']);
    });

    it('stays on record when it is removed, and as it is', async () => {
      const { id, version } = await server();
      await removeAuthorizationServer(registry.context(), id);
      const removed = await readAuthorizationServer(registry.db, actor(), id);
      expect(removed).toMatchObject({ removedAt: NOW_DATE, version: version + 1 });
      const update = updateAuthorizationServer(registry.context(), id, { retiresAt: hours(1) });
      expect(await outcome(update)).toBe('illegal_transition');
      expect(await outcome(removeAuthorizationServer(registry.context(), id))).toBe('illegal_transition');
    });
  });

  describe('an API', () => {
    it('is there once for each family and version of its authorization server', async () => {
      const { id: authorizationServerId } = await server();
      const add = (family: string, apiVersion: string) =>
        outcome(addApiResource(registry.context(), { authorizationServerId, family, apiVersion }));
      expect(await add('payments', '1.0.0')).toBe('done');
      expect(await add('payments', '1.0.0')).toBe('api_resource_exists');
      expect(await add('payments', '2.0.0')).toBe('done');
      expect(await add('accounts', '1.0.0')).toBe('done');
      expect(await outcome(apiResource(registry, authority))).toBe('done');
    });

    it('has https endpoints and a certification that ends after it begins', async () => {
      const endpoints = ['https://api.partner.example/v1?x=y', 'https://api.partner.example/v1#x'];
      expect(await outcome(apiResource(registry, authority, { endpoints }))).toBe('validation_failed at /endpoints/1');
      const plain = { endpoints: ['http://api.partner.example'] };
      expect(await outcome(apiResource(registry, authority, plain))).toBe('validation_failed at /endpoints/0');
      const certification = { status: 'certified', uri: 'ftp://x.example', from: null, to: null } as const;
      expect(await outcome(apiResource(registry, authority, { certification }))).toBe(
        'validation_failed at /certification/uri',
      );
      const backwards = { ...certification, uri: null, from: hours(2), to: hours(1) };
      expect(await outcome(apiResource(registry, authority, { certification: backwards }))).toBe(
        'validation_failed at /certification/to',
      );
    });

    it('changes in what is given, and keeps version and seq when nothing would change', async () => {
      const api = await apiResource(registry, authority);
      const certification = { status: 'certified', uri: 'https://lab.example/7', from: null, to: hours(5) } as const;
      const changed = await updateApiResource(registry.context(), api.id, { certification });
      const { status: certificationStatus, uri: certificationUri, to: certificationTo } = certification;
      expect(changed).toEqual({ ...api, certificationStatus, certificationUri, certificationTo, version: 2 });
      const seq = await registry.seq();
      expect(await updateApiResource(registry.context(), api.id, { certification, endpoints: [] })).toEqual(changed);
      expect(await registry.seq()).toBe(seq);
      expect(await outcome(updateApiResource(registry.context(), api.id, { retiresAt: hours(1) }, 1))).toBe(
        'version_mismatch',
      );
    });

    it('[F40] asks for roles of its authority that somebody can hold, which is not for its members to say', async () => {
      const api = await apiResource(registry, authority);
      const pisp = await role(registry, authority);
      const theirs = await role(registry, await registry.authority());
      const ask = (requiredRoles: string[], context = registry.context()) =>
        outcome(updateApiResource(context, api.id, { requiredRoles }));
      const refused = 'validation_failed at /requiredRoles';
      for (const id of [theirs.id, nextId()]) expect(await ask([pisp.id, id])).toBe(refused);
      expect(await ask([pisp.id])).toBe('done');
      const { organisationId, authorizationServerId } = api;
      const member = actor({ roles: ['organisation-admin'], organisations: [organisationId] });
      expect(await ask([], registry.context(member))).toBe(refused);
      const input = { authorizationServerId, family: 'payments', apiVersion: '2.0.0', requiredRoles: [pisp.id] };
      expect(await outcome(addApiResource(registry.context(member), input))).toBe(refused);
      const endpoints = ['https://api.partner.example/v1'];
      const changed = await updateApiResource(registry.context(member), api.id, { endpoints });
      expect(changed).toMatchObject({ endpoints, requiredRoles: [pisp.id] });
      await transitionRole(registry.context(), pisp.id, 'retire', 'a reason');
      expect(await outcome(addApiResource(registry.context(), input))).toBe(refused);
      // What it asks for stays, and nobody holds it.
      expect(await outcome(updateApiResource(registry.context(), api.id, { endpoints: [] }))).toBe('done');
    });

    it('[F43] wants tokens for an audience that is its own, which is not for its members to say', async () => {
      const api = await apiResource(registry, authority);
      const audience = 'https://api.example/payments';
      expect(await updateApiResource(registry.context(), api.id, { audience })).toMatchObject({ audience });
      const { organisationId, authorizationServerId } = api;
      const member = registry.context(actor({ roles: ['organisation-admin'], organisations: [organisationId] }));
      const refused = 'validation_failed at /audience';
      for (const wanted of [null, 'https://api.example/accounts']) {
        expect(await outcome(updateApiResource(member, api.id, { audience: wanted }))).toBe(refused);
      }
      const input = { authorizationServerId, family: 'payments', apiVersion: '2.0.0', audience };
      expect(await outcome(addApiResource(member, input))).toBe(refused);
      expect((await addApiResource(registry.context(), input)).audience).toBe(audience);
      expect(await updateApiResource(member, api.id, { endpoints: [] })).toMatchObject({ audience });
    });

    it('is removed with its authorization server, without a change of its own', async () => {
      const api = await apiResource(registry, authority);
      const { authorizationServerId } = api;
      await removeAuthorizationServer(registry.context(), authorizationServerId);
      const read = await readApiResource(registry.db, actor(), api.id);
      expect([read.removedAt, read.serverDates.removedAt, read.version]).toEqual([null, NOW_DATE, 1]);
      const update = updateApiResource(registry.context(), api.id, { retiresAt: hours(1) });
      expect(await outcome(update)).toBe('illegal_transition');
      expect(await outcome(removeApiResource(registry.context(), api.id))).toBe('illegal_transition');
      const another = { authorizationServerId, family: 'accounts', apiVersion: '1.0.0' };
      expect(await outcome(addApiResource(registry.context(), another))).toBe('illegal_transition');
    });

    it('can be added anew after its removal', async () => {
      const { id, authorizationServerId, family, apiVersion } = await apiResource(registry, authority);
      await removeApiResource(registry.context(), id);
      const again = addApiResource(registry.context(), { authorizationServerId, family, apiVersion });
      expect(await outcome(again)).toBe('done');
    });
  });

  describe('by the clock', () => {
    const lists = async (of: Authority, now: Date) => {
      const filter = { authorityId: of.id };
      const found = async (state?: (typeof OFFER_STATES)[number]) => {
        const wanted = state === undefined ? filter : { ...filter, state };
        const servers = await listAuthorizationServers(registry.db, actor(), wanted, { limit: 10 }, now);
        const apis = await listApiResources(registry.db, actor(), wanted, { limit: 10 }, now);
        return [servers.items.length, apis.items.length];
      };
      const byState = await Promise.all(OFFER_STATES.map(async (state) => [state, await found(state)] as const));
      return { all: await found(), ...Object.fromEntries(byState) };
    };

    it('F05 shows what counts of the entity that runs it, as the effects of a transition say', async () => {
      const { id, authorizationServerId } = await apiResource(registry, authority);
      const { entityId } = await readAuthorizationServer(registry.db, actor(), authorizationServerId);
      const { organisationId } = await transitionEntity(registry.context(), entityId, 'suspend', 'x');
      expect((await readApiResource(registry.db, actor(), id)).entityState).toBe('suspended');
      await transitionOrganisation(registry.context(), organisationId, 'revoke', 'x');
      const { items } = await listApiResources(registry.db, actor(), { authorizationServerId }, { limit: 1 }, NOW_DATE);
      expect(items.map(({ entityState }) => entityState)).toEqual(['revoked']);
    });

    it('goes from state to state by itself, an API no later than its authorization server', async () => {
      const other = await registry.authority();
      const dates = { deprecatedAt: hours(1), retiresAt: hours(3) };
      const { id } = await authorizationServer(registry, other, dates);
      const api = { authorizationServerId: id, deprecatedAt: hours(2) };
      const { id: apiId } = await apiResource(registry, other, api);
      const none = { active: [0, 0], deprecated: [0, 0], retired: [0, 0], removed: [0, 0] };
      expect(await lists(other, hours(0))).toEqual({ ...none, all: [1, 1], active: [1, 1] });
      expect(await lists(other, hours(1))).toEqual({ ...none, all: [1, 1], deprecated: [1, 1] });
      expect(await lists(other, hours(3))).toEqual({ ...none, all: [0, 0], retired: [1, 1] });
      await removeApiResource(registry.context(), apiId);
      expect(await lists(other, hours(0))).toEqual({ ...none, all: [1, 0], active: [1, 0], removed: [0, 1] });
      await removeAuthorizationServer(registry.context(), id);
      expect(await lists(other, hours(0))).toEqual({ ...none, all: [0, 0], removed: [1, 1] });
    });

    it('is deprecated by its own date although its server is not', async () => {
      const other = await registry.authority();
      await apiResource(registry, other, { deprecatedAt: hours(1) });
      expect(await lists(other, hours(1))).toMatchObject({ active: [1, 0], deprecated: [0, 1] });
    });
  });
});

describe('states by dates', () => {
  const never = { deprecatedAt: null, retiresAt: null, removedAt: null };

  it.each([
    [{}, 'active'],
    [{ deprecatedAt: hours(1) }, 'active'],
    [{ deprecatedAt: hours(0) }, 'deprecated'],
    [{ deprecatedAt: hours(-2), retiresAt: hours(1) }, 'deprecated'],
    [{ retiresAt: hours(0) }, 'retired'],
    [{ retiresAt: hours(1), removedAt: hours(-1) }, 'removed'],
  ] as const)('%j is %s', (dates, state) => {
    expect(offerState({ ...never, ...dates }, NOW_DATE)).toBe(state);
  });

  it('of two the stricter counts', () => {
    expect(stricterOfferState('active', 'retired')).toBe('retired');
    expect(stricterOfferState('removed', 'deprecated')).toBe('removed');
  });

  it.each([
    [{ status: 'certified' }, true],
    [{ status: 'self_certified' }, true],
    [{ status: 'certified', to: hours(0) }, false],
    [{ status: 'certified', from: hours(1) }, false],
    [{ status: 'certified', from: hours(0), to: hours(1) }, true],
    [{ status: 'awaiting' }, false],
    [{ status: 'rejected' }, false],
    [{ status: 'deprecated' }, false],
  ] as const)('%j is certified: %s', (certification, isNow) => {
    expect(isCertified({ uri: null, from: null, to: null, ...certification }, NOW_DATE)).toBe(isNow);
  });
});
