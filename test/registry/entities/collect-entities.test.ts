import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { CollectionQuery } from '../../../src/registry/collection/collection-query.ts';
import { collectEntities, lastRecordedBelow } from '../../../src/registry/entities/collect-entities.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { recordChecks } from '../../../src/registry/entities/record-checks.ts';
import { idsOfThoseNamed } from '../../../src/registry/entities/search-entities.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW_DATE, openRegistry, type TestRegistry } from '../../support/registry.ts';

const ANYTHING: CollectionQuery = {
  entityTypes: [],
  marks: [],
  revokedKids: [],
  text: null,
  from: null,
  limit: 100,
  reads: { metadata: false, trustMarks: false },
};

describe.each(DATABASE_KINDS)('the entities below an authority, on the %s database', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;

  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  async function shown(metadata: JsonObject, settings: { metadata?: JsonObject } = {}): Promise<Entity> {
    const evidence = { digest: 'of the test', claims: { metadata, trust_marks: [{ trust_mark_type: 'x' }] } };
    const verifiedEntityTypes = Object.keys(metadata);
    return await registry.entity(await registry.organisation(authority), {
      ...settings,
      verifiedEntityTypes,
      evidence,
    });
  }

  async function named(text: string): Promise<string[]> {
    const { collected } = (await collectEntities(registry.db, [authority], { ...ANYTHING, text }, NOW_DATE)) ?? {};
    return (collected ?? []).map(({ entityIdentifier }) => entityIdentifier);
  }

  it('reads no more of each than is shown', async () => {
    const { entityIdentifier } = await shown({ openid_relying_party: { client_name: 'Much to read' } });
    const one = async (reads: CollectionQuery['reads']) => {
      const query = { ...ANYTHING, text: 'much to read', reads };
      return (await collectEntities(registry.db, [authority], query, NOW_DATE))?.collected;
    };
    const bare = { entityIdentifier, entityTypes: ['openid_relying_party'] };
    expect(await one({ metadata: false, trustMarks: false })).toEqual([
      { ...bare, ownMetadata: null, superiorMetadata: null, trustMarks: null },
    ]);
    expect(await one({ metadata: true, trustMarks: false })).toMatchObject([
      {
        ownMetadata: { openid_relying_party: { client_name: 'Much to read' } },
        superiorMetadata: {},
        trustMarks: null,
      },
    ]);
    expect(await one({ metadata: false, trustMarks: true })).toMatchObject([
      { ownMetadata: null, trustMarks: [{ trust_mark_type: 'x' }] },
    ]);
  });

  it('are found by the names that they have now, those that the superior gives them included', async () => {
    const { id, entityIdentifier } = await shown({
      openid_relying_party: { client_name: 'Alpha', description: 'One' },
    });
    expect(await named('alpha')).toEqual([entityIdentifier]);
    await updateEntity(registry.context(), id, { metadata: { openid_relying_party: { client_name: 'Bravo' } } });
    expect([await named('alpha'), await named('bravo'), await named('one')]).toEqual([
      [],
      [entityIdentifier],
      [entityIdentifier],
    ]);
    await recordChecks(registry.context(), id, {
      checks: [],
      evidence: { digest: 'another', claims: { metadata: { openid_relying_party: { 'client_name#de': 'Charlie' } } } },
      verifiedEntityTypes: ['openid_relying_party'],
      verifiedIntermediate: false,
      jwks: null,
    });
    expect([await named('charlie'), await named('bravo'), await named('one')]).toEqual([
      [entityIdentifier],
      [entityIdentifier],
      [],
    ]);
  });

  it('are found by name whatever their metadata looks like, within what anybody would read', async () => {
    const description = `${'x'.repeat(5000)} hidden far behind`;
    const { entityIdentifier } = await shown({
      ...{ broken: 'no object', list: [] },
      openid_relying_party: { description, keywords: ['delta', 'echo'], display_name: 'Foxtrot', client_name: 7 },
    });
    expect(await named('foxtrot')).toEqual([entityIdentifier]);
    expect(await named('hidden far behind')).toEqual([]);
  });

  it.each(['example', 'authority', 'é…'])('are looked for in an index, as %j', async (text) => {
    const plan = await registry.db.transaction(async (tx) => {
      await tx.execute(sql`set local enable_seqscan = off`);
      return await tx.execute<{ 'QUERY PLAN': string }>(sql`explain ${idsOfThoseNamed(tx, text)}`);
    });
    const isIndexed = plan.rows.some((row) => row['QUERY PLAN'].includes('entity_search_texts_grams'));
    expect(isIndexed).toBe([...text].length >= 3);
  });

  it('[COLLECTION-10] were last changed when the newest record of any of the authorities was', async () => {
    const [other, third] = [await registry.authority(), await registry.authority()];
    const at = (seconds: number) => registry.context(undefined, { now: new Date(NOW_DATE.getTime() + seconds * 1000) });
    const { id } = await registry.organisation(other);
    await updateOrganisation(at(50), id, { legalName: 'Another name' });
    await registry.organisation(third);
    const seconds = async (...below: Authority[]) =>
      ((await lastRecordedBelow(registry.db, below))?.getTime() ?? 0) - NOW_DATE.getTime();
    expect(await seconds(authority, other, third)).toBe(50_000);
    expect(await seconds(third)).toBe(0);
  });
});
