import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { claimsOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type Query, startTestService, type TestService, urlOf } from '../../support/service.ts';

interface Page {
  immediate_subordinate_entities: { id: string; registered?: number; updated?: number; [claim: string]: unknown }[];
  next?: string;
}

describe.each(DATABASE_KINDS)('the extended list on the %s database', (kind) => {
  let service: TestService;
  let authority: Authority;
  let organisation: Organisation;

  beforeAll(async () => {
    service = await startTestService(kind);
    authority = await service.authority();
    organisation = await service.organisation(authority);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  async function page(of: Authority, query: Query = {}): Promise<Page> {
    const response = await service.ask(of, 'extendedList', query);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    return (await response.json()) as Page;
  }

  async function ids(of: Authority, query: Query = {}): Promise<string[]> {
    return (await page(of, query)).immediate_subordinate_entities.map(({ id }) => id);
  }

  /** A change at a moment of its own, as the clock of the service tells it. */
  function at(seconds: number): { now: Date } {
    return { now: new Date((service.clock.now() + seconds) * 1000) };
  }

  async function fetched(of: Authority, sub: string): Promise<string> {
    return await (await service.ask(of, 'fetch', { sub })).text();
  }

  it('[EXTLIST-1] stands in the Entity Configuration, and takes the filters and methods of the list', async () => {
    const configuration = await (await service.ask(authority, 'configuration')).text();
    const { metadata } = claimsOf(configuration) as { metadata: Record<string, Record<string, unknown>> };
    expect(metadata['federation_entity']).toMatchObject({
      federation_extended_list_endpoint: urlOf(authority, 'extendedList'),
    });
    const own = await service.authority();
    const members = await service.organisation(own);
    const op = await service.entity(members, { verifiedEntityTypes: ['openid_provider'] });
    const intermediate = await service.entity(members, { verifiedIntermediate: true });
    expect(await ids(own, { entity_type: ['openid_provider', 'unheard-of'] })).toEqual([op.entityIdentifier]);
    expect(await ids(own, { intermediate: 'true' })).toEqual([intermediate.entityIdentifier]);
    expect(await ids(own, { entity_type: 'a\0b' })).toEqual([]);
    expect(await ids(own, { trust_marked: 'true' })).toEqual([]);
    const put = await service.ask(own, 'extendedList', {}, { method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('[EXTLIST-8] names entities with any of several Trust Mark types', async () => {
    const own = await service.authority();
    const members = await service.organisation(own);
    const [first, second, both] = [
      await service.entity(members),
      await service.entity(members),
      await service.entity(members),
    ];
    await service.entity(members);
    const [a, b] = [await service.trustMarkType(own), await service.trustMarkType(own)];
    for (const bearer of [first, both]) await service.trustMark(a, bearer.entityIdentifier);
    for (const bearer of [second, both]) await service.trustMark(b, bearer.entityIdentifier);
    const all = [first, second, both].map(({ entityIdentifier }) => entityIdentifier);
    expect(await ids(own, { trust_mark_type: [a.trustMarkType, b.trustMarkType] })).toEqual(all);
    expect(await ids(own, { trust_mark_type: a.trustMarkType })).toEqual([all[0], all[2]]);
    expect(await ids(own, { trust_mark_type: 'https://marks.example/never-issued' })).toEqual([]);
    await transitionEntity(service.context(), both.id, 'suspend', 'incident');
    expect(await ids(own, { trust_mark_type: [a.trustMarkType, b.trustMarkType] })).toEqual(all.slice(0, 2));
  });

  describe('of an authority with seven subordinates', () => {
    let own: Authority;
    let all: string[];

    beforeAll(async () => {
      own = await service.authority();
      const members = await service.organisation(own);
      all = [];
      for (let index = 0; index < 7; index++) all.push((await service.entity(members)).entityIdentifier);
    });

    it('[EXTLIST-2] [EXTLIST-3] goes on where the page before ended, in the order of the list', async () => {
      const seen: string[] = [];
      let query: Query = { limit: '3' };
      for (let pages = 1; pages <= 3; pages++) {
        const { immediate_subordinate_entities: entries, next } = await page(own, query);
        seen.push(...entries.map(({ id }) => id));
        expect(entries).toHaveLength(pages < 3 ? 3 : 1);
        if (pages === 3) expect(next).toBeUndefined();
        else query = { limit: '3', from: String(next) };
      }
      expect(seen).toEqual(all);
      expect(seen).toEqual(await (await service.ask(own, 'list')).json());
    });

    it('[EXTLIST-3] goes on behind an entity that was suspended between two pages', async () => {
      const other = await service.authority();
      const members = await service.organisation(other);
      const made = [await service.entity(members), await service.entity(members), await service.entity(members)];
      const { next } = await page(other, { limit: '1' });
      await transitionEntity(service.context(), made[1]?.id ?? '', 'suspend', 'incident');
      expect(await ids(other, { from: String(next) })).toEqual([made[2]?.entityIdentifier]);
    });

    it('[EXTLIST-7] holds no more than limit, and no more than a hundred', async () => {
      expect(await ids(own, { limit: '2' })).toEqual(all.slice(0, 2));
      expect(await ids(own, { limit: '100000' })).toEqual(all);
    });

    it.each<Query>([
      { limit: '0' },
      { limit: '-1' },
      { limit: 'all' },
      { limit: '1.5' },
      { limit: ['1', '2'] },
      { updated_after: 'yesterday' },
      { updated_before: '-5' },
      { updated_after: ['1', '2'] },
      { audit_timestamps: 'yes' },
      { from: ['a', 'b'] },
    ])('[EXTLIST-9] refuses %j', async (query) => {
      expect(await refusalIn(await service.ask(own, 'extendedList', query))).toBe('400 invalid_request');
    });

    it('[EXTLIST-4] does not know a page that it never named, one of another authority included', async () => {
      const { next } = await page(own, { limit: '1' });
      const stranger = await service.authority();
      for (const from of ['', 'x', 'AAAAAAAAAAAAAAAAAAAAAA', `${next}=`, `${next}A`, all[1] ?? '']) {
        expect(await refusalIn(await service.ask(own, 'extendedList', { from }))).toBe('404 page_not_found');
      }
      const elsewhere = await service.ask(stranger, 'extendedList', { from: String(next) });
      expect(await refusalIn(elsewhere)).toBe('404 page_not_found');
    });

    it('[EXTLIST-10] ignores the parameter names of draft 02, and answers with none of them', async () => {
      expect(await ids(own, { from_entity_id: all[3] ?? '', limit: '2' })).toEqual(all.slice(0, 2));
      expect(Object.keys(await page(own, { limit: '2' }))).toEqual(['immediate_subordinate_entities', 'next']);
    });

    it('[EXTLIST-5] shows the very statements that fetch serves if and only if they are asked for', async () => {
      const { immediate_subordinate_entities: entries } = await page(own, { claims: 'subordinate_statement' });
      for (const { id, ...rest } of entries) {
        expect(rest).toEqual({ subordinate_statement: await fetched(own, id) });
      }
      expect(entries.map(({ id }) => id)).toEqual(all);
      const without = await page(own, { claims: 'metadata' });
      expect(without.immediate_subordinate_entities.every((entry) => !('subordinate_statement' in entry))).toBe(true);
      expect((await page(own)).immediate_subordinate_entities).toEqual(all.map((id) => ({ id })));
    });

    it('[EXTLIST-11] shows claims of the statement, asked for with commas or one by one', async () => {
      const [id = ''] = all;
      const { sub, exp, jwks } = claimsOf(await fetched(own, id));
      for (const claims of ['sub,exp,jwks,trust_marks,toString', ['sub', 'exp', 'jwks', 'metadata']]) {
        const { immediate_subordinate_entities: entries } = await page(own, { limit: '1', claims });
        expect(entries).toEqual([{ id, sub, exp, jwks }]);
      }
    });
  });

  it('[EXTLIST-6] tells when an entity was registered and when what is said about it last changed', async () => {
    const own = await service.authority();
    const members = await service.organisation(own);
    const { id } = await service.entity(members, {}, 'pending');
    const start = service.clock.now();
    await transitionEntity(service.context(undefined, at(10)), id, 'approve', 'fine');
    const times = async () => {
      const [entry] = (await page(own, { audit_timestamps: 'true' })).immediate_subordinate_entities;
      return [Number(entry?.registered) - start, Number(entry?.updated) - start];
    };
    expect(await times()).toEqual([10, 10]);
    await updateEntity(service.context(undefined, at(20)), id, {
      metadata: { openid_relying_party: { contacts: ['a'] } },
    });
    expect(await times()).toEqual([10, 20]);
    await updateAuthority(service.context(undefined, at(30)), own.id, { name: 'Another name' });
    expect(await times()).toEqual([10, 20]);
    const policy = { openid_relying_party: { contacts: { add: ['b'] } } };
    await updateAuthority(service.context(undefined, at(40)), own.id, { defaultMetadataPolicy: policy });
    expect(await times()).toEqual([10, 40]);
    await transitionOrganisation(service.context(undefined, at(50)), members.id, 'suspend', 'contract ended');
    expect(await ids(own)).toEqual([]);
    await transitionOrganisation(service.context(undefined, at(60)), members.id, 'reinstate', 'renewed');
    expect(await times()).toEqual([10, 60]);
  });

  it('[EXTLIST-6] keeps to both time limits, which are inclusive, and shows the times then', async () => {
    const own = await service.authority();
    const members = await service.organisation(own);
    const start = service.clock.now();
    const made: string[] = [];
    for (const seconds of [100, 200, 300]) {
      const { id, entityIdentifier } = await service.entity(members, {}, 'pending');
      await transitionEntity(service.context(undefined, at(seconds)), id, 'approve', 'fine');
      made.push(entityIdentifier);
    }
    const [first, second, third] = made;
    const since = (seconds: number) => ({ updated_after: String(start + seconds) });
    const until = (seconds: number) => ({ updated_before: String(start + seconds) });
    expect(await ids(own, since(200))).toEqual([second, third]);
    expect(await ids(own, since(201))).toEqual([third]);
    expect(await ids(own, until(200))).toEqual([first, second]);
    expect(await ids(own, until(199))).toEqual([first]);
    expect(await ids(own, { ...since(150), ...until(250) })).toEqual([second]);
    const { immediate_subordinate_entities: entries } = await page(own, { ...since(300), limit: '1' });
    expect(entries).toEqual([{ id: third, registered: start + 300, updated: start + 300 }]);
  });

  it('names only active entities, immediately after each change, also on pages that were asked for before', async () => {
    const { id, entityIdentifier } = await service.entity(organisation);
    const views: Query[] = [{}, { claims: 'subordinate_statement' }, { entity_type: 'openid_relying_party' }];
    const seen = async () =>
      (await Promise.all(views.map((query) => ids(authority, query)))).map((list) => list.includes(entityIdentifier));
    expect(await seen()).toEqual([true, true, true]);
    await transitionEntity(service.context(), id, 'suspend', 'incident');
    expect(await seen()).toEqual([false, false, false]);
    await transitionEntity(service.context(), id, 'reinstate', 'mended');
    expect(await seen()).toEqual([true, true, true]);
    await updateEntity(service.context(), id, {
      metadata: { openid_relying_party: { contacts: ['new@partner.example'] } },
    });
    const { immediate_subordinate_entities: entries } = await page(authority, { claims: 'subordinate_statement' });
    const entry = entries.find((one) => one.id === entityIdentifier);
    expect(entry?.['subordinate_statement']).toBe(await fetched(authority, entityIdentifier));
    expect(claimsOf(String(entry?.['subordinate_statement']))).toMatchObject({
      metadata: { openid_relying_party: { contacts: ['new@partner.example'] } },
    });
  });

  it('is made anew when a statement on it is, and is kept no longer than that lives', async () => {
    const own = await service.authority({ statementLifetimeSeconds: 600 });
    const { entityIdentifier } = await service.entity(await service.organisation(own));
    const statement = async () => {
      const { immediate_subordinate_entities: entries } = await page(own, { claims: 'subordinate_statement' });
      return entries[0]?.['subordinate_statement'];
    };
    const first = await statement();
    service.clock.advance(400);
    expect(await statement()).toBe(await fetched(own, entityIdentifier));
    expect(await statement()).not.toBe(first);
  });

  it('[EXTLIST-5] shows an entity without the statement that cannot be made, and all others with theirs', async () => {
    const own = await service.authority();
    const members = await service.organisation(own);
    const [broken, sound] = [await service.entity(members), await service.entity(members)];
    // No verb writes this; an operator with psql, or a bug, might.
    await service.db
      .update(entities)
      .set({ crit: ['absent'] })
      .where(eq(entities.id, broken.id));
    const { immediate_subordinate_entities: entries } = await page(own, { claims: 'subordinate_statement,sub' });
    expect(entries).toEqual([
      { id: broken.entityIdentifier },
      {
        id: sound.entityIdentifier,
        sub: sound.entityIdentifier,
        subordinate_statement: await fetched(own, sound.entityIdentifier),
      },
    ]);
    expect(service.failures.splice(0)).toMatchObject([
      { name: 'StatementUnfit', message: expect.stringContaining(broken.entityIdentifier) },
    ]);
  });

  it('[EXTLIST-6] finds those whose organisation or default policy changed within the time limits', async () => {
    const own = await service.authority();
    const [moved, quiet] = [await service.organisation(own), await service.organisation(own)];
    const [first, second] = [await service.entity(moved), await service.entity(quiet)];
    const start = service.clock.now();
    const since = (seconds: number) => ids(own, { updated_after: String(start + seconds) });
    const until = (seconds: number) => ids(own, { updated_before: String(start + seconds) });
    const [one, other] = [first.entityIdentifier, second.entityIdentifier];
    expect([await since(1), await since(0)]).toEqual([[], [one, other]]);
    await transitionOrganisation(service.context(undefined, at(10)), moved.id, 'suspend', 'contract ended');
    await transitionOrganisation(service.context(undefined, at(20)), moved.id, 'reinstate', 'renewed');
    expect([await since(20), await since(21)]).toEqual([[one], []]);
    expect([await since(19.5), await since(20.5)]).toEqual([[one], []]);
    expect([await until(19), await until(20)]).toEqual([[other], [one, other]]);
    const policy = { openid_relying_party: { contacts: { add: ['b'] } } };
    await updateAuthority(service.context(undefined, at(40)), own.id, { defaultMetadataPolicy: policy });
    expect([await since(40), await since(41)]).toEqual([[one, other], []]);
    expect([await until(39), await until(40)]).toEqual([[], [one, other]]);
  });

  it('does not show anything of another authority', async () => {
    const other = await service.authority();
    expect(await page(other)).toEqual({ immediate_subordinate_entities: [] });
  });
});
