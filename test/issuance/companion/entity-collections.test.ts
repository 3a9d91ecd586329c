import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type EntityCollectionQuery,
  EntityCollections,
  MAX_COLLECTED_ENTITIES,
  NO_ENTITIES,
} from '../../../src/issuance/companion/entity-collections.ts';
import { withCountedMarks } from '../../../src/issuance/companion/shown-trust-marks.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../../src/registry/authorities/authority-directory.ts';
import { MAX_TYPES_ELSEWHERE } from '../../../src/registry/collection/collect-elsewhere.ts';
import { saveBranch } from '../../../src/registry/collection/save-branch.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { ManualClock, NOW } from '../../support/federation.ts';
import { openRegistry, type TestRegistry } from '../../support/registry.ts';

const USUAL: EntityCollectionQuery = {
  entityTypes: [],
  trustMarkTypes: [],
  text: null,
  from: undefined,
  limit: MAX_COLLECTED_ENTITIES,
  entityClaims: null,
  uiClaims: null,
};

describe.each(DATABASE_KINDS)('pages of a collection on the %s database', (kind) => {
  let registry: TestRegistry;
  let collections: EntityCollections;
  let served: ServedAuthority;
  let directory: AuthorityDirectory;
  let branchId: string;

  beforeAll(async () => {
    registry = await openRegistry(kind);
    const authority = await registry.authority();
    const members = await registry.organisation(authority);
    await registry.entity(members, { verifiedEntityTypes: ['openid_provider'] });
    await registry.entity(members, { verifiedEntityTypes: ['openid_relying_party'] });
    branchId = (await registry.entity(members, { verifiedIntermediate: true })).id;
    directory = new AuthorityDirectory(registry.db);
    await directory.reload();
    const found = directory.find(authority.entityIdentifier);
    if (found === undefined) throw new Error('not served');
    served = found;
    collections = new EntityCollections({ db: registry.db, directory, clock: new ManualClock() });
    await collections.page(served, USUAL);
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  const isReady = async (changes: Partial<EntityCollectionQuery>) => {
    const query = { ...USUAL, ...changes };
    await collections.page(served, query);
    const again = collections.page(served, query);
    await again;
    return !(again instanceof Promise);
  };

  it('lie ready where many ask for them, and for nobody else', async () => {
    expect(await isReady({})).toBe(true);
    expect(await isReady({ entityTypes: ['openid_provider'] })).toBe(true);
    expect(await isReady({ entityTypes: ['openid_provider', 'openid_relying_party'] })).toBe(false);
    expect(await isReady({ entityClaims: ['entity_id'] })).toBe(false);
    expect(await isReady({ uiClaims: ['logo_uri'] })).toBe(false);
    expect(await isReady({ limit: 7 })).toBe(false);
    expect(await isReady({ text: 'x' })).toBe(false);
  });

  it('do not read the database for Entity Types that nobody plays', async () => {
    expect(collections.page(served, { ...USUAL, entityTypes: ['made-up-1', 'made-up-2'] })).toBe(NO_ENTITIES);
    const page = await collections.page(served, { ...USUAL, entityTypes: ['made-up-3', 'openid_provider'] });
    expect(page).toBe(collections.page(served, { ...USUAL, entityTypes: ['openid_provider'] }));
  });

  it('count no more once anything changed while they were made', async () => {
    const affected = [{ authorityId: served.authority.id, entityIdentifier: 'https://changed.example' }];
    collections.follow([], affected, []);
    const page = collections.page(served, USUAL);
    collections.follow([], affected, []);
    await page;
    const again = collections.page(served, USUAL);
    expect(again).toBeInstanceOf(Promise);
    await again;
    expect(collections.page(served, USUAL)).not.toBeInstanceOf(Promise);
  });

  it('are of every Entity Type, also where strangers play more than are kept track of', async () => {
    const below = 'https://many.example';
    const entityTypes = Array.from({ length: MAX_TYPES_ELSEWHERE + 1 }, (_, index) => `type_${index}`);
    const validUntil = new Date((NOW + 3600) * 1000);
    const found = [{ entityIdentifier: below, entityTypes, metadata: {}, trustMarks: null, validUntil }];
    const walked = { authorityId: served.authority.id, branchId, found, gone: [] };
    await saveBranch(registry.db, walked, new Date(NOW * 1000));
    const fresh = new EntityCollections({ db: registry.db, directory, clock: new ManualClock() });
    for (const entityType of ['type_0', `type_${MAX_TYPES_ELSEWHERE}`]) {
      const page = await fresh.page(served, { ...USUAL, entityTypes: [entityType] });
      expect(page?.body.toString()).toContain(below);
    }
  });

  it('show the first fifty marks of each entity, and ask for each once', async () => {
    const bearers = Array.from({ length: 1350 }, (_, bearer) => ({
      ...{ entityIdentifier: `https://bearer-${bearer}.example`, entityTypes: [], ownMetadata: null },
      superiorMetadata: null,
      trustMarks: Array.from({ length: 51 }, (_, index) => ({ trust_mark: `${bearer}.${index}.x` })),
    }));
    const { collected } = await withCountedMarks(registry.db, directory.all, bearers, NOW);
    expect(collected.map(({ trustMarks }) => trustMarks)).toEqual(
      bearers.map(({ trustMarks }) => trustMarks.slice(0, 50)),
    );
  });
});
