import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { type Query, startTestService, TestService } from '../../support/service.ts';

interface Page {
  entities: { entity_id: string; [claim: string]: unknown }[];
  next?: string;
  last_updated?: number;
}

/** How long pages may show what was seen before. */
const PAGE_SECONDS = 60;

let service: TestService;
let anchor: Authority;
let members: Organisation;
let server: FederationServer;
let branch: Entity;

/** The Intermediate `far` is another operator's, with `near` and `deep` below, and `leaf` below that. */
async function start(kind: (typeof DATABASE_KINDS)[number]): Promise<void> {
  service = await startTestService(kind);
  anchor = await service.authority();
  members = await service.organisation(anchor);
  const relyingParty = (client_name: string) => ({ openid_relying_party: { client_name } });
  const entities = {
    far: { superiors: [anchor.entityIdentifier] },
    near: { superiors: ['far'], metadata: relyingParty('Near the coast') },
    deep: { superiors: ['far'] },
    leaf: { superiors: ['deep'], metadata: relyingParty('In the valley') },
    stranger: { superiors: ['far'] },
  };
  server = await serveFederation(entities, { clock: service.clock });
  hide('stranger');
  branch = await service.admit(members, server.federation, 'far', { verifiedIntermediate: true });
}

afterEach(async () => {
  expect(service.failures).toEqual([]);
  await server[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** `far` has no statement about these, and neither has its list unless told otherwise. */
function hide(...names: string[]): void {
  for (const name of names) server.override(server.fetchUrl('far', name), { status: 404 });
  list(...['near', 'deep', 'stranger'].filter((name) => !names.includes(name)));
}

function list(...names: string[]): void {
  server.override(server.listUrl('far'), { body: JSON.stringify(names.map((name) => server.federation.id(name))) });
}

/** All that is planned is walked now. */
async function walk(...nodes: TestService[]): Promise<void> {
  const all = nodes.length === 0 ? [service] : nodes;
  for (const node of all) await node.walkCollections();
  await service.db.execute(sql`update collection_walks set next_walk_at = now()`);
  await Promise.all(all.map((node) => node.walkCollections()));
  service.clock.advance(PAGE_SECONDS);
}

async function page(query: Query = {}, node = service): Promise<Page> {
  const response = await node.ask(anchor, 'collection', query);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

async function names(query: Query = {}, node = service): Promise<string[]> {
  const known = ['far', 'near', 'deep', 'leaf', 'stranger'];
  const nameOf = (id: string) => known.find((name) => server.federation.id(name) === id) ?? id;
  return (await page(query, node)).entities.map(({ entity_id: id }) => nameOf(id)).sort();
}

describe.each(DATABASE_KINDS)('entities below Intermediates elsewhere, on the %s database', (kind) => {
  beforeEach(() => start(kind));

  it('[COLLECTION-1] are collected ahead of any question, as deep as they are, with what they say of themselves', async () => {
    expect(await names()).toEqual(['far']);
    await walk();
    const asked = server.requests.length;
    expect(await names()).toEqual(['deep', 'far', 'leaf', 'near']);
    expect(await names({ entity_type: 'openid_relying_party' })).toEqual(['leaf', 'near']);
    expect(await names({ query: 'VALLEY' })).toEqual(['leaf']);
    expect((await page({ query: 'valley' })).entities).toEqual([
      {
        entity_id: server.federation.id('leaf'),
        entity_types: ['federation_entity', 'openid_relying_party'],
        ui_infos: { openid_relying_party: { display_name: 'In the valley' } },
      },
    ]);
    expect((await page()).last_updated).toBe(service.clock.now() - PAGE_SECONDS);
    expect(server.requests).toHaveLength(asked);
  });

  it('keep the others waiting for a minute at most once they were trouble', async () => {
    const limits = vi.spyOn(AbortSignal, 'timeout');
    try {
      await walk();
      const usual = limits.mock.calls.flat();
      expect(usual).toContain(450_000);
      expect(usual).not.toContain(60_000);
      limits.mockClear();
      await service.db.execute(sql`update collection_walks set failures = 1, next_walk_at = now()`);
      await service.walkCollections();
      expect(limits.mock.calls.flat()).toContain(60_000);
      expect(limits.mock.calls.flat()).not.toContain(450_000);
    } finally {
      limits.mockRestore();
    }
  });

  it('[COLLECTION-9] have their places on the pages among all others', async () => {
    await service.entity(members);
    await walk();
    const seen: string[] = [];
    let from: string | undefined;
    do {
      const { entities, next } = await page({ limit: '2', ...(from !== undefined && { from }) });
      seen.push(...entities.map(({ entity_id: id }) => id));
      from = next;
    } while (from !== undefined);
    expect(seen).toHaveLength(5);
    expect(seen).toEqual((await page()).entities.map(({ entity_id: id }) => id));
    expect(seen).toEqual(seen.toSorted());
  });

  it('[COLLECTION-11] leave at once with their Intermediate, and are back with it', async () => {
    await walk();
    await transitionEntity(service.context(), branch.id, 'suspend', 'incident');
    expect(await names()).toEqual([]);
    expect(await names({ query: 'valley' })).toEqual([]);
    await transitionEntity(service.context(), branch.id, 'reinstate', 'mended');
    expect(await names()).toEqual(['deep', 'far', 'leaf', 'near']);
    await transitionOrganisation(service.context(), members.id, 'suspend', 'contract ended');
    expect(await names()).toEqual([]);
    await walk();
    await transitionOrganisation(service.context(), members.id, 'reinstate', 'renewed');
    expect(await names()).toEqual(['deep', 'far', 'leaf', 'near']);
  });

  it('[COLLECTION-1] have no place without a valid chain, whatever is listed', async () => {
    list('near', 'deep', 'stranger', 'far');
    await walk();
    expect(await names()).toEqual(['deep', 'far', 'leaf', 'near']);
  });

  it('leave when they are listed no more, stay while nobody can tell, and not beyond their chain', async () => {
    await walk();
    list('deep');
    await walk();
    expect(await names()).toEqual(['deep', 'far', 'leaf']);
    const from = Buffer.from(server.federation.id('near')).toString('base64url');
    expect((await service.ask(anchor, 'collection', { from })).status).toBe(200);
    server.override(server.listUrl('far'), { status: 503 });
    await walk();
    expect(await names()).toEqual(['deep', 'far', 'leaf']);
    service.clock.advance(24 * 3600);
    expect(await names()).toEqual(['far']);
    const never = Buffer.from('https://nobody.example').toString('base64url');
    expect(await refusalIn(await service.ask(anchor, 'collection', { from: never }))).toBe('404 page_not_found');
  });
});

describe('two nodes', () => {
  beforeEach(() => start('postgresql'));

  it('walk a branch once between them, and show the same', async () => {
    const { url = '' } = service.database;
    await using other = await TestService.start(await connectDatabase({ url }), {});
    await walk(service, other);
    expect(server.requestCount(server.listUrl('far'))).toBe(1);
    expect(await names({}, other)).toEqual(['deep', 'far', 'leaf', 'near']);
    await transitionEntity(service.context(), branch.id, 'suspend', 'incident');
    await expect.poll(() => names({}, other), { interval: 10, timeout: 1000 }).toEqual([]);
    expect(other.failures).toEqual([]);
  });
});
