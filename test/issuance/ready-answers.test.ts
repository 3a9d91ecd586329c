import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { TooManyLoads } from '../../src/issuance/following-cache.ts';
import { type ReadyAnswer, ReadyAnswers } from '../../src/issuance/ready-answers.ts';
import { StatementIssuer } from '../../src/issuance/statement-issuer.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../src/registry/authorities/authority-directory.ts';
import type { RegistryChange } from '../../src/storage/change-feed.ts';
import type { Db } from '../../src/storage/connect.ts';
import { ManualClock } from '../support/federation.ts';
import { openRegistry, type TestRegistry, testSigner } from '../support/registry.ts';

const TYPES = ['openid_provider', 'openid_relying_party', 'oauth_client', 'oauth_resource', 'federation_entity'];

let registry: TestRegistry;
let served: ServedAuthority;
let directory: AuthorityDirectory;
/** An entity of each type alone, in the order of TYPES, and last one of all types. */
let identifiers: string[];
let answers: ReadyAnswers;
let queries: { lists: number };

beforeAll(async () => {
  registry = await openRegistry('embedded');
  const authority = await registry.authority();
  const organisation = await registry.organisation(authority);
  identifiers = [];
  for (const verifiedEntityTypes of [...TYPES.map((type) => [type]), TYPES]) {
    identifiers.push((await registry.entity(organisation, { verifiedEntityTypes })).entityIdentifier);
  }
  directory = new AuthorityDirectory(registry.db);
  await directory.reload();
  served = directory.get(authority.id)!;
});

beforeEach(() => {
  const counting = countingDb(registry.db);
  queries = counting.queries;
  const clock = new ManualClock();
  const houseRules = { maxLifetimeSeconds: 86_400 };
  const issuer = new StatementIssuer({ db: counting.db, signer: testSigner, clock, random: () => 0.5, houseRules });
  answers = new ReadyAnswers({ db: counting.db, issuer, clock, directory, statementCacheBytes: 1_000_000 });
});

afterAll(() => registry[Symbol.asyncDispose]());

/** The same database, and how often it was asked for a list. */
function countingDb(db: Db): { db: Db; queries: { lists: number } } {
  const queries = { lists: 0 };
  const counting = new Proxy(db, {
    get(target, name) {
      if (name === 'select') queries.lists++;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { db: counting, queries };
}

async function list(entityTypes: string[], intermediate = false): Promise<ReadyAnswer> {
  return await answers.list(served, { entityTypes, intermediate });
}

function namesIn({ body }: ReadyAnswer): string[] {
  return JSON.parse(Buffer.from(body).toString());
}

/** Every choice of two or more types. */
function unions(): string[][] {
  const subsets = Array.from({ length: 2 ** TYPES.length }, (_, bits) =>
    TYPES.filter((_type, index) => (bits >> index) % 2 === 1),
  );
  return subsets.filter(({ length }) => length > 1);
}

describe('lists', () => {
  it('[OIDFED-8.2-4] of several Entity Types are their union in the order of enrolment, however they are asked for', async () => {
    for (const types of unions()) {
      const expected = identifiers.filter((_, index) => index === TYPES.length || types.includes(TYPES[index]!));
      const straight = await list(types);
      expect(namesIn(straight)).toEqual(expected);
      expect(await list([...types, 'unheard-of', ...types].reverse())).toEqual(straight);
    }
  });

  it('are kept without a filter, for Intermediates, and for one type', async () => {
    const all = () => Promise.all([list([]), list([], true), list([TYPES[0]!]), list([TYPES[0]!, 'unheard-of'])]);
    const first = await all();
    expect(queries.lists).toBe(3);
    expect(await all()).toEqual(first);
    expect(queries.lists).toBe(3);
  });

  it('of several types are kept for nobody, so that asking for every choice of them crowds out nothing', async () => {
    const single = await list([TYPES[0]!]);
    for (const types of [...unions(), ...unions()]) await list(types);
    expect(queries.lists).toBe(1 + 2 * unions().length);
    expect(await list([TYPES[0]!])).toBe(single);
    expect(queries.lists).toBe(1 + 2 * unions().length);
  });

  it('of several types are made once for all who ask meanwhile, and two at a time at most', async () => {
    await list([TYPES[0]!]);
    const [one, two, three] = unions();
    const release = await holdDatabase();
    const asked = [list(one!), list(one!.toReversed()), list(two!)];
    await expect(list(three!)).rejects.toBeInstanceOf(TooManyLoads);
    const single = list([TYPES[1]!]);
    release();
    await Promise.all([...asked, single]);
    expect(queries.lists).toBe(4);
    expect(namesIn(await list(three!))).not.toEqual([]);
  });
});

/** Keeps the only connection of the embedded database busy until it is released. */
async function holdDatabase(): Promise<() => void> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  void registry.db.transaction(async () => {
    held.resolve();
    await released.promise;
  });
  await held.promise;
  return released.resolve;
}

describe('statements', () => {
  const changeOf = (subjectKind: string): RegistryChange => ({
    ...{ seq: 1, ordinal: 0, action: `${subjectKind}.change`, subjectKind, subjectId: served.authority.id },
    authorityId: served.authority.id,
  });

  it('stay ready when only what the authority says about itself changes, and go with its record and keys', async () => {
    const subject = identifiers[0] as EntityIdentifier;
    const statement = await answers.subordinateStatement(served, subject);
    const configuration = await answers.entityConfiguration(served);
    for (const kind of ['trust_mark_type', 'held_trust_mark']) {
      answers.follow([changeOf(kind)], []);
      expect(answers.readyStatement(served, subject)).toBe(statement);
      expect(await answers.entityConfiguration(served)).not.toBe(configuration);
    }
    for (const kind of ['authority', 'authority_key']) {
      await answers.subordinateStatement(served, subject);
      answers.follow([changeOf(kind)], []);
      expect(answers.readyStatement(served, subject)).toBeUndefined();
    }
  });
});
