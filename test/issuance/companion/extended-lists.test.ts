import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ExtendedListQuery,
  ExtendedLists,
  MAX_PAGE_ENTITIES,
  NO_SUBORDINATES,
  SUBORDINATE_STATEMENT,
} from '../../../src/issuance/companion/extended-lists.ts';
import { ReadyAnswers } from '../../../src/issuance/ready-answers.ts';
import { StatementIssuer } from '../../../src/issuance/statement-issuer.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../../src/registry/authorities/authority-directory.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { ManualClock } from '../../support/federation.ts';
import { openRegistry, type TestRegistry, testSigner } from '../../support/registry.ts';

const USUAL: ExtendedListQuery = {
  filter: { entityTypes: [], intermediate: false },
  from: undefined,
  limit: MAX_PAGE_ENTITIES,
  updatedAfter: null,
  updatedBefore: null,
  hasAuditTimestamps: false,
  claims: [],
};

describe.each(DATABASE_KINDS)('pages of an extended list on the %s database', (kind) => {
  let registry: TestRegistry;
  let lists: ExtendedLists;
  let served: ServedAuthority;

  beforeAll(async () => {
    registry = await openRegistry(kind);
    const authority = await registry.authority();
    const members = await registry.organisation(authority);
    await registry.entity(members, { verifiedEntityTypes: ['openid_provider'] });
    await registry.entity(members, { verifiedEntityTypes: ['openid_relying_party'] });
    const directory = new AuthorityDirectory(registry.db);
    await directory.reload();
    const found = directory.find(authority.entityIdentifier);
    if (found === undefined) throw new Error('not served');
    served = found;
    const { db } = registry;
    const clock = new ManualClock();
    const houseRules = { maxLifetimeSeconds: 86_400 };
    const issuer = new StatementIssuer({ db, signer: testSigner, clock, random: () => 0, houseRules });
    const answers = new ReadyAnswers({ db, issuer, clock, directory, statementCacheBytes: 1_000_000 });
    const onUnfit = (error: Error) => {
      throw error;
    };
    lists = new ExtendedLists({ db, answers, clock, onUnfit });
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  const of = (...entityTypes: string[]): Partial<ExtendedListQuery> => ({
    filter: { ...USUAL.filter, entityTypes },
  });

  const isReady = async (changes: Partial<ExtendedListQuery>) => {
    const query = { ...USUAL, ...changes };
    await lists.page(served, query);
    const again = lists.page(served, query);
    await again;
    return !(again instanceof Promise);
  };

  it('lie ready where many ask for them, and for nobody else', async () => {
    expect(await isReady({})).toBe(true);
    expect(await isReady({ claims: [SUBORDINATE_STATEMENT] })).toBe(true);
    expect(await isReady({ hasAuditTimestamps: true })).toBe(true);
    expect(await isReady(of('openid_provider'))).toBe(true);
    expect(await isReady(of('openid_provider', 'openid_relying_party'))).toBe(false);
    expect(await isReady({ claims: ['jwks'] })).toBe(false);
    expect(await isReady({ limit: 7 })).toBe(false);
    expect(await isReady({ updatedAfter: 1 })).toBe(false);
  });

  it('do not read the database for Entity Types that nobody plays', async () => {
    await lists.page(served, { ...USUAL, ...of('openid_provider') });
    expect(lists.page(served, { ...USUAL, ...of('made-up-1', 'made-up-2') })).toBe(NO_SUBORDINATES);
    const page = lists.page(served, { ...USUAL, ...of('made-up-3', 'openid_provider') });
    expect(page).toBe(lists.page(served, { ...USUAL, ...of('openid_provider') }));
  });
});
