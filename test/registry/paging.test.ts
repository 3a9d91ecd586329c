import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/registry/actor.ts';
import { listApiResources } from '../../src/registry/api-resources/read-api-resource.ts';
import { listAuthorities } from '../../src/registry/authorities/read-authority.ts';
import { listAuthorizationServers } from '../../src/registry/authorization-servers/read-authorization-server.ts';
import { listEntities } from '../../src/registry/entities/read-entity.ts';
import { listOrganisations } from '../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import type { Page, PageRequest } from '../../src/registry/page.ts';
import { createRecordIds, isRecordId, recordId } from '../../src/registry/record-id.ts';
import { createToken } from '../../src/registry/tokens/create-token.ts';
import { listTokens } from '../../src/registry/tokens/list-tokens.ts';
import { revokeToken } from '../../src/registry/tokens/revoke-token.ts';
import { pinTrustAnchor } from '../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { listTrustAnchors } from '../../src/registry/trust-anchors/trust-anchor.ts';
import { unpinTrustAnchor } from '../../src/registry/trust-anchors/unpin-trust-anchor.ts';
import { listTrustListEntries } from '../../src/registry/trust-lists/trust-list-entry.ts';
import type { Db } from '../../src/storage/connect.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { apiResource, authorizationServer } from '../support/offers.ts';
import {
  actor,
  freshIdentifier,
  freshJwks,
  NOW_DATE,
  openRegistry,
  outcome,
  type TestRegistry,
} from '../support/registry.ts';
import { listed } from '../support/trust-lists.ts';

interface Listing {
  name: string;
  list: (db: Db, by: Actor, request: PageRequest) => Promise<Page<{ id: string }>>;
  /** Makes one more record and gives its id. */
  make: (registry: TestRegistry) => Promise<string>;
}

const LISTINGS: Listing[] = [
  { name: 'authorities', list: listAuthorities, make: async (registry) => (await registry.authority()).id },
  {
    name: 'organisations',
    list: (db, by, request) => listOrganisations(db, by, {}, request),
    make: async (registry) => (await registry.organisation(await registry.authority(), 'pending')).id,
  },
  {
    name: 'entities',
    list: (db, by, request) => listEntities(db, by, {}, request),
    make: async (registry) => {
      const organisation = await registry.organisation(await registry.authority());
      return (await registry.entity(organisation, {}, 'pending')).id;
    },
  },
  {
    name: 'authorization servers',
    list: (db, by, request) => listAuthorizationServers(db, by, {}, request, NOW_DATE),
    make: async (registry) => (await authorizationServer(registry, await registry.authority())).id,
  },
  {
    name: 'API resources',
    list: (db, by, request) => listApiResources(db, by, {}, request, NOW_DATE),
    make: async (registry) => (await apiResource(registry, await registry.authority())).id,
  },
  {
    name: 'Trust Anchors',
    list: (db, by, request) => listTrustAnchors(db, by, {}, request),
    make: async (registry) => {
      const input = { entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() };
      return (await pinTrustAnchor(registry.context(), (await registry.authority()).id, input)).id;
    },
  },
  {
    name: 'trust lists',
    list: (db, by, request) => listTrustListEntries(db, by, {}, request),
    make: async (registry) => (await listed(registry, await registry.authority())).id,
  },
  {
    name: 'tokens',
    list: listTokens,
    make: async (registry) => {
      const input = { name: 'x', roles: ['auditor' as const], authorityIds: null, lifetimeSeconds: 60 };
      return (await createToken(registry.context(), input)).token.id;
    },
  },
];

describe.each(DATABASE_KINDS)('lists on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  describe.each(LISTINGS)('of $name', ({ list, make }) => {
    const made: string[] = [];
    beforeAll(async () => {
      for (let index = 0; index < 5; index++) made.push(await make(registry));
    });

    /** Ids of all records from `cursor` on, page after page. */
    async function idsFrom(cursor: string | undefined, limit: number): Promise<string[]> {
      const { items, next } = await list(registry.db, actor(), { limit, cursor });
      expect(items.length).toBeLessThanOrEqual(limit);
      const ids = items.map(({ id }) => id);
      return next === undefined ? ids : [...ids, ...(await idsFrom(next, limit))];
    }

    it.each([1, 2, 5, 500])('show each record once, the oldest first, in pages of %i', async (limit) => {
      const ids = await idsFrom(undefined, limit);
      expect(ids).toEqual(ids.toSorted());
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter((id) => made.includes(id))).toEqual(made);
    });

    it('end without a cursor when the last page is full', async () => {
      const all = await idsFrom(undefined, 500);
      expect((await list(registry.db, actor(), { limit: all.length })).next).toBeUndefined();
    });

    it('go on where they were left, although records were added meanwhile', async () => {
      const before = await idsFrom(undefined, 500);
      const { items, next } = await list(registry.db, actor(), { limit: 2 });
      const added = await make(registry);
      const rest = await idsFrom(next, 2);
      expect([...items.map(({ id }) => id), ...rest].filter((id) => before.includes(id))).toEqual(before);
      expect(rest).toContain(added);
    });

    it.each(['', 'x', 'AAAA', Buffer.from('0; drop table').toString('base64url')])(
      'refuse the made-up cursor %j',
      async (cursor) => {
        expect(await outcome(list(registry.db, actor(), { limit: 1, cursor }))).toBe('validation_failed at /cursor');
      },
    );
  });

  it('go on after a record that was changed or removed', async () => {
    const authority = await registry.authority();
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      const input = { entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() };
      ids.push((await pinTrustAnchor(registry.context(), authority.id, input)).id);
    }
    const filter = { authorityId: authority.id };
    const { next } = await listTrustAnchors(registry.db, actor(), filter, { limit: 1 });
    await unpinTrustAnchor(registry.context(), ids[0] ?? '');
    const rest = await listTrustAnchors(registry.db, actor(), filter, { limit: 10, cursor: next });
    expect(rest.items.map(({ id }) => id)).toEqual(ids.slice(1));
    const tokens = await listTokens(registry.db, actor(), { limit: 1 });
    await revokeToken(registry.context(), tokens.items[0]?.id ?? '');
    const others = await listTokens(registry.db, actor(), { limit: 100, cursor: tokens.next });
    expect(others.items.map(({ id }) => id)).not.toContain(tokens.items[0]?.id);
  });

  describe('show only what the caller reaches', () => {
    it.each(LISTINGS.filter(({ name }) => name !== 'tokens'))('$name', async ({ list, make }) => {
      await make(registry);
      const mine = await registry.authority();
      const reached = await list(registry.db, actor({ authorities: [mine.id] }), { limit: 500 });
      expect(reached.items.filter(({ id }) => id !== mine.id)).toEqual([]);
      expect((await list(registry.db, actor({ authorities: [] }), { limit: 500 })).items).toEqual([]);
    });
  });

  it('are narrowed by authority, organisation, identifier and state', async () => {
    const authority = await registry.authority();
    const organisation = await registry.organisation(authority);
    const other = await registry.organisation(authority);
    const active = await registry.entity(organisation);
    const pending = await registry.entity(organisation, {}, 'pending');
    const ofOther = await registry.entity(other);
    const found = async (filter: Parameters<typeof listEntities>[2]) =>
      (await listEntities(registry.db, actor(), filter, { limit: 10 })).items.map(({ id }) => id);
    expect(await found({ authorityId: authority.id })).toEqual([active.id, pending.id, ofOther.id]);
    expect(await found({ organisationId: organisation.id })).toEqual([active.id, pending.id]);
    expect(await found({ authorityId: authority.id, state: 'pending' })).toEqual([pending.id]);
    expect(await found({ entityIdentifier: ofOther.entityIdentifier })).toEqual([ofOther.id]);
    await transitionOrganisation(registry.context(), other.id, 'suspend', 'x');
    const suspended = await listOrganisations(
      registry.db,
      actor(),
      { authorityId: authority.id, state: 'suspended' },
      { limit: 10 },
    );
    expect(suspended.items.map(({ id }) => id)).toEqual([other.id]);
  });
});

describe('record ids', () => {
  it('are UUIDs of version 7, in the order of their milliseconds', () => {
    const ids = [0, 1, 255, 256, 1_800_000_000_000, 2 ** 48 - 1].map((ms) => recordId(ms, 0));
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) {
      expect(isRecordId(id)).toBe(true);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    expect(ids[4]?.slice(0, 13)).toBe('01a3185c-5000');
  });

  it('of one process keep their order within a millisecond, and when the clock is set back', () => {
    const times = [5, ...Array.from({ length: 5000 }, () => 5), 4, 3, 5, 6, 9];
    const newId = createRecordIds(() => times.shift() ?? 0);
    const ids = Array.from({ length: times.length }, newId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('of two processes differ within a millisecond', () => {
    expect(recordId(1, 0)).not.toBe(recordId(1, 0));
  });

  it.each([
    '',
    '01a3185c-5000-7000-8000',
    '01A3185C-5000-7000-8000-000000000000',
    ' 01a3185c-5000-7000-8000-000000000000',
  ])('are not %j', (text) => {
    expect(isRecordId(text)).toBe(false);
  });
});
