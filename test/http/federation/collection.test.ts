import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { transitionTrustMark } from '../../../src/registry/trust-marks/transition-trust-mark.ts';
import type { TrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { claimsOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type Query, startTestService, type TestService, urlOf } from '../../support/service.ts';

interface Page {
  entities: { entity_id: string; [claim: string]: unknown }[];
  next?: string;
  last_updated?: number;
}

describe.each(DATABASE_KINDS)('the collection on the %s database', (kind) => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService(kind);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  async function page(of: Authority, query: Query = {}): Promise<Page> {
    const response = await service.ask(of, 'collection', query);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    return (await response.json()) as Page;
  }

  async function ids(of: Authority, query: Query = {}): Promise<string[]> {
    return (await page(of, query)).entities.map(({ entity_id: id }) => id);
  }

  /** An entity whose configuration was seen with this metadata, and with these Trust Marks. */
  async function shown(organisation: Organisation, metadata: JsonObject, trustMarks?: JsonObject[]): Promise<Entity> {
    const claims = { metadata, ...(trustMarks && { trust_marks: trustMarks }) };
    const evidence = { digest: 'digest-of-the-test', claims };
    return await service.entity(organisation, { verifiedEntityTypes: Object.keys(metadata), evidence });
  }

  const inOrder = (...found: { entityIdentifier: string }[]) => found.map((one) => one.entityIdentifier).sort();

  describe('of a Trust Anchor above an Intermediate of ours', () => {
    let anchor: Authority;
    let anchorMembers: Organisation;
    let intermediate: Authority;
    let record: Entity;
    let direct: Entity;
    let indirect: Entity;

    beforeAll(async () => {
      anchor = await service.authority();
      anchorMembers = await service.organisation(anchor);
      ({ intermediate, record } = await service.intermediate(anchor, anchorMembers));
      direct = await service.entity(anchorMembers);
      indirect = await service.entity(await service.organisation(intermediate));
      const stranger = await service.authority();
      await service.entity(await service.organisation(stranger));
      await service.entity(anchorMembers, {}, 'pending');
    });

    it('[COLLECTION-1] stands in the Entity Configuration and covers direct and indirect subordinates', async () => {
      const configuration = claimsOf(await (await service.ask(anchor, 'configuration')).text());
      expect(configuration).toMatchObject({
        metadata: { federation_entity: { federation_collection_endpoint: urlOf(anchor, 'collection') } },
      });
      expect(await ids(anchor)).toEqual(inOrder(direct, indirect, record));
      expect(await ids(intermediate)).toEqual(inOrder(indirect));
    });

    it('[COLLECTION-4] means itself without trust_anchor, and answers for no other', async () => {
      const own = { trust_anchor: anchor.entityIdentifier };
      expect(await ids(anchor, own)).toEqual(await ids(anchor));
      const other = { trust_anchor: intermediate.entityIdentifier };
      expect(await refusalIn(await service.ask(anchor, 'collection', other))).toBe('404 invalid_trust_anchor');
      expect(await refusalIn(await service.ask(intermediate, 'collection', own))).toBe('404 invalid_trust_anchor');
    });

    it('[COLLECTION-11] hides all that is below an Intermediate at once when it is suspended', async () => {
      await transitionEntity(service.context(), record.id, 'suspend', 'incident');
      expect(await ids(anchor)).toEqual(inOrder(direct));
      expect(await ids(intermediate)).toEqual(inOrder(indirect));
      await transitionEntity(service.context(), record.id, 'reinstate', 'mended');
      await transitionEntity(service.context(), indirect.id, 'suspend', 'incident');
      expect(await ids(anchor)).toEqual(inOrder(direct, record));
      await transitionEntity(service.context(), indirect.id, 'reinstate', 'mended');
      await transitionOrganisation(service.context(), anchorMembers.id, 'suspend', 'contract ended');
      expect(await ids(anchor)).toEqual([]);
      await transitionOrganisation(service.context(), anchorMembers.id, 'reinstate', 'renewed');
      expect(await ids(anchor)).toEqual(inOrder(direct, indirect, record));
    });

    it('names an entity under two of the authorities once, and survives a circle', async () => {
      const { entityIdentifier } = direct;
      const twice = await service.entity(await service.organisation(intermediate), { entityIdentifier });
      const circle = await service.entity(await service.organisation(intermediate), {
        entityIdentifier: anchor.entityIdentifier,
      });
      expect(await ids(anchor)).toEqual(inOrder(direct, indirect, record));
      for (const { id } of [twice, circle]) await transitionEntity(service.context(), id, 'withdraw', 'tidied up');
    });
  });

  it('[COLLECTION-2] [COLLECTION-9] goes on where the page before ended', async () => {
    const authority = await service.authority();
    const members = await service.organisation(authority);
    const made: Entity[] = [];
    for (let index = 0; index < 5; index++) made.push(await service.entity(members));
    const seen: string[] = [];
    let from: string | undefined;
    do {
      const { entities, next } = await page(authority, { limit: '2', ...(from !== undefined && { from }) });
      expect(entities.length).toBeLessThanOrEqual(2);
      seen.push(...entities.map(({ entity_id: id }) => id));
      from = next;
    } while (from !== undefined);
    expect(seen).toEqual(inOrder(...made));
    expect(await ids(authority, { limit: '99999' })).toEqual(seen);
  });

  it('ignores paging names that other drafts have, and answers with none of them', async () => {
    const authority = await service.authority();
    const members = await service.organisation(authority);
    const all = inOrder(await service.entity(members), await service.entity(members), await service.entity(members));
    const query = { limit: '2', from_entity_id: all[2] ?? '', next_entity_id: all[2] ?? '' };
    expect(await ids(authority, query)).toEqual(all.slice(0, 2));
    expect(Object.keys(await page(authority, query)).sort()).toEqual(['entities', 'last_updated', 'next']);
  });

  it('[COLLECTION-3] finds entities of any of several Entity Types', async () => {
    const authority = await service.authority();
    const members = await service.organisation(authority);
    const rp = await shown(members, { openid_relying_party: {} });
    const op = await shown(members, { openid_provider: {}, federation_entity: {} });
    await shown(members, { oauth_resource: {} });
    expect(await ids(authority, { entity_type: ['openid_provider', 'openid_relying_party'] })).toEqual(inOrder(rp, op));
    expect(await ids(authority, { entity_type: ['openid_provider', 'x'] })).toEqual(inOrder(op));
    expect(await ids(authority, { entity_type: 'a\0b' })).toEqual([]);
  });

  it('[COLLECTION-3] finds entities that show valid Trust Marks of all of several types', async () => {
    const authority = await service.authority();
    const members = await service.organisation(authority);
    const [a, b] = [await service.trustMarkType(authority), await service.trustMarkType(authority)];
    const subjects = [await service.entity(members), await service.entity(members)];
    const [both, one] = subjects as [Entity, Entity];
    const grants = [
      await service.trustMark(a, both.entityIdentifier),
      await service.trustMark(b, both.entityIdentifier),
      await service.trustMark(a, one.entityIdentifier),
    ];
    const markOf = async (type: TrustMarkType, { entityIdentifier: sub }: Entity): Promise<JsonObject> => {
      const { trustMarkType } = type;
      const response = await service.ask(authority, 'trustMark', { trust_mark_type: trustMarkType, sub });
      return { trust_mark_type: trustMarkType, trust_mark: await response.text() };
    };
    const marks = [await markOf(a, both), await markOf(b, both)];
    const forged = { trust_mark_type: b.trustMarkType, trust_mark: String(marks[0]?.['trust_mark']) };
    await show(both, marks);
    await show(one, [await markOf(a, one), forged]);
    const wantA = { trust_mark_type: a.trustMarkType };
    const wantBoth = { trust_mark_type: [a.trustMarkType, b.trustMarkType] };
    expect(await ids(authority, wantA)).toEqual(inOrder(both, one));
    expect(await ids(authority, wantBoth)).toEqual(inOrder(both));
    expect(await ids(authority, { trust_mark_type: [a.trustMarkType, 'https://marks.example/other'] })).toEqual([]);
    const { entities } = await page(authority, { ...wantBoth, entity_claims: 'trust_marks' });
    expect(entities).toEqual([{ entity_id: both.entityIdentifier, trust_marks: marks }]);
    await transitionTrustMark(service.context(), grants[1]?.id ?? '', 'withdraw', 'no longer');
    expect(await ids(authority, wantBoth)).toEqual([]);
    // What does not stand any more is not shown either, nor what claims to be from here.
    const stillShown = (await page(authority, { entity_claims: 'trust_marks' })).entities.map(
      (one) => one['trust_marks'],
    );
    expect(stillShown.filter((shownMarks) => shownMarks !== undefined)).toEqual(expect.arrayContaining([[marks[0]]]));
    expect(JSON.stringify(stillShown)).not.toContain(String(marks[1]?.['trust_mark']));
    service.clock.advance(3600);
    expect(await ids(authority, wantA)).toEqual([]);
  });

  it('[COLLECTION-3] lasts no longer than the Trust Marks that it is about', async () => {
    const authority = await service.authority();
    const entity = await service.entity(await service.organisation(authority));
    const { entityIdentifier: sub } = entity;
    const type = await service.trustMarkType(authority, { lifetimeSeconds: null });
    const expiresAt = new Date((service.clock.now() + 20) * 1000);
    await service.trustMark(type, sub, { expiresAt });
    const { trustMarkType: trust_mark_type } = type;
    const trust_mark = await (await service.ask(authority, 'trustMark', { trust_mark_type, sub })).text();
    await show(entity, [{ trust_mark_type, trust_mark }]);
    const queries: Query[] = [{ trust_mark_type }, { entity_claims: 'trust_marks' }];
    for (const query of queries) {
      const response = await service.ask(authority, 'collection', query);
      expect(response.headers.get('cache-control')).toBe('public, max-age=20');
    }
  });

  /** The checks see these marks in the configuration of an entity. */
  async function show({ id, evidence }: Entity, marks: JsonObject[]): Promise<void> {
    const { recordChecks } = await import('../../../src/registry/entities/record-checks.ts');
    const { readEntity } = await import('../../../src/registry/entities/read-entity.ts');
    const { actor } = await import('../../support/registry.ts');
    const { checks, verifiedEntityTypes, verifiedIntermediate } = await readEntity(service.db, actor(), id);
    const seen = { ...evidence, digest: JSON.stringify(marks), claims: { metadata: {}, trust_marks: marks } };
    const found = { checks, evidence: seen, verifiedEntityTypes, verifiedIntermediate, jwks: null };
    await recordChecks(service.context(), id, found);
  }

  describe('of entities with much to show', () => {
    let authority: Authority;
    let entity: Entity;

    beforeAll(async () => {
      authority = await service.authority();
      entity = await shown(await service.organisation(authority), {
        openid_relying_party: {
          client_name: 'Green RP',
          'client_name#de': 'Grüne RP',
          logo_uri: 'https://rp.example/logo.png',
          redirect_uris: ['https://rp.example/cb'],
          contacts: ['someone@rp.example'],
        },
        oauth_resource: { display_name: 'Green API', resource_name: 'api' },
        federation_entity: { organization_name: 'Green Ltd', display_name: 'Green 100%_sure' },
      });
    });

    it('[COLLECTION-7] shows names and what else is meant for people, with language tags', async () => {
      const { entities } = await page(authority);
      expect(entities).toEqual([
        {
          entity_id: entity.entityIdentifier,
          entity_types: ['openid_relying_party', 'oauth_resource', 'federation_entity'],
          ui_infos: {
            openid_relying_party: {
              display_name: 'Green RP',
              'display_name#de': 'Grüne RP',
              logo_uri: 'https://rp.example/logo.png',
            },
            oauth_resource: { display_name: 'Green API' },
            federation_entity: { display_name: 'Green 100%_sure' },
          },
        },
      ]);
    });

    it('[COLLECTION-5] shows only the types asked for, and federation_entity', async () => {
      const { entities } = await page(authority, { entity_type: 'oauth_resource' });
      expect(Object.keys(entities[0]?.['ui_infos'] as object)).toEqual(['oauth_resource', 'federation_entity']);
      expect(entities[0]?.['entity_types']).toHaveLength(3);
    });

    it('[COLLECTION-8] shows the claims asked for and no other optional ones', async () => {
      const entryFor = async (query: Query) => (await page(authority, query)).entities[0];
      const { entityIdentifier: entity_id } = entity;
      expect(await entryFor({ entity_claims: 'entity_id' })).toEqual({ entity_id });
      expect(await entryFor({ entity_claims: ['ui_infos', 'trust_marks'], ui_claims: 'organization_name' })).toEqual({
        entity_id,
        ui_infos: { federation_entity: { organization_name: 'Green Ltd' } },
      });
      expect(await entryFor({ entity_claims: 'ui_infos', ui_claims: ['contacts', 'display_name#de'] })).toEqual({
        entity_id,
        ui_infos: { openid_relying_party: { contacts: ['someone@rp.example'], 'display_name#de': 'Grüne RP' } },
      });
    });

    it.each([
      ['green rp', true],
      ['GRÜNE', true],
      ['green ltd', true],
      ['100%_sure', true],
      ['100__', false],
      ['%', true],
      ['logo.png', false],
      ['redirect', false],
      ['a\0b', false],
    ])('finds by the text %j: %s', async (query, isFound) => {
      expect(await ids(authority, { query })).toEqual(isFound ? [entity.entityIdentifier] : []);
      expect(await ids(authority, { query: entity.entityIdentifier.toUpperCase() })).toHaveLength(1);
    });

    it.each<[Query, string]>([
      [{ ui_claims: 'redirect_uris' }, '400 unsupported_claim'],
      [{ entity_claims: 'jwks' }, '400 unsupported_claim'],
      [{ from: 'x' }, '404 page_not_found'],
      [{ from: '' }, '404 page_not_found'],
      [{ from: Buffer.from('https://nobody.example').toString('base64url') }, '404 page_not_found'],
      [{ limit: '0' }, '400 invalid_request'],
      [{ query: 'x'.repeat(201) }, '400 invalid_request'],
      [{ trust_anchor: ['https://a.example', 'https://b.example'] }, '400 invalid_request'],
    ])('[COLLECTION-6] refuses %j', async (query, refusal) => {
      expect(await refusalIn(await service.ask(authority, 'collection', query))).toBe(refusal);
    });
  });

  it('[COLLECTION-6] tells nobody who asked to be admitted', async () => {
    const authority = await service.authority();
    const pending = await service.entity(await service.organisation(authority), {}, 'pending');
    const from = Buffer.from(pending.entityIdentifier).toString('base64url');
    expect(await refusalIn(await service.ask(authority, 'collection', { from }))).toBe('404 page_not_found');
  });

  it('[COLLECTION-10] says when something last changed below', async () => {
    const authority = await service.authority();
    const members = await service.organisation(authority);
    service.clock.advance(1000);
    await service.entity(members);
    const changedAt = service.clock.now();
    service.clock.advance(1000);
    expect((await page(authority)).last_updated).toBe(changedAt);
    await updateAuthority(service.context(), authority.id, { name: 'Another name' });
    expect((await page(authority)).last_updated).toBe(changedAt + 1000);
  });
});
