import { beforeEach, describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { validateEntityConfiguration } from '../../src/federation/statement/validate-statement.ts';
import {
  type KeptStatement,
  type Removal,
  type Retrieval,
  StatementCache,
  type StatementCacheOptions,
  type StatementName,
  type StatementRequest,
  type StatementStore,
} from '../../src/resolver/statement-cache.ts';
import { buildFederation, LIFETIME_SECONDS, ManualClock, NOW, type TestFederation } from '../support/federation.ts';
import { testKey } from '../support/keys.ts';

let clock: ManualClock;
let federation: TestFederation;
let op: EntityIdentifier;

beforeEach(async () => {
  clock = new ManualClock();
  federation = await buildFederation({ op: {} }, { clock });
  op = federation.id('op');
});

const cacheWith = (options: Partial<StatementCacheOptions> = {}) =>
  new StatementCache({ clock, random: () => 0, freshSeconds: 60, ...options });

/** A server that counts its questions and remembers what the asker knew. */
class Server {
  readonly known: (KeptStatement | undefined)[] = [];
  answer: () => Promise<Partial<Retrieval>>;

  constructor(answer: () => Promise<Partial<Retrieval>> = async () => ({ jwt: await federation.configuration('op') })) {
    this.answer = answer;
  }

  get questions(): number {
    return this.known.length;
  }

  readonly retrieve: StatementRequest['retrieve'] = async (known) => {
    this.known.push(known);
    const usual = { jwt: undefined, etag: undefined, freshSeconds: undefined, isTransient: false };
    return { ...usual, ...(await this.answer()) };
  };
}

function request(server: Server, options: Partial<StatementRequest> = {}): StatementRequest {
  return {
    name: { issuer: op, subject: op },
    retrieve: server.retrieve,
    validate: (jwt) => validateEntityConfiguration(jwt, op, { now: clock.now() }),
    signal: new AbortController().signal,
    ...options,
  };
}

const failing = (reason: 'entity_not_found' | 'connection_failed') => () =>
  Promise.reject(new FederationError(reason, 'in a test'));

describe('a statement', () => {
  it('is used again while it is fresh, and knows how old it is', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    const first = await cache.obtain(request(server));
    expect(first).toMatchObject({ retrievedAt: NOW, freshUntil: NOW + 60, statement: { claims: { sub: op } } });
    clock.advance(59);
    expect(await cache.obtain(request(server))).toMatchObject({
      retrievedAt: NOW,
      statement: { jwt: first.statement.jwt },
    });
    expect(server.questions).toBe(1);
    clock.advance(1);
    expect(await cache.obtain(request(server))).toMatchObject({ retrievedAt: NOW + 60 });
    expect(server.questions).toBe(2);
  });

  it.each([
    ['as long as its answer says', 300, 300],
    ['never longer than the limit', 86_400, 3600],
    ['never beyond its exp', 3600, 1800, 1800],
  ])('is fresh %s', async (_, freshSeconds, expected, lifetime = LIFETIME_SECONDS * 24) => {
    const jwt = await federation.configuration('op', { claims: { exp: NOW + lifetime } });
    const obtained = await cacheWith().obtain(request(new Server(async () => ({ jwt, freshSeconds }))));
    expect(obtained.freshUntil).toBe(NOW + expected);
  });

  it('that its server confirms (304) is fresh again, without being sent again', async () => {
    const cache = cacheWith();
    const jwt = await federation.configuration('op');
    const server = new Server(async () => ({ jwt, etag: '"1"' }));
    await cache.obtain(request(server));
    clock.advance(60);
    server.answer = async () => ({ jwt: undefined, freshSeconds: 120 });
    expect(await cache.obtain(request(server))).toMatchObject({
      retrievedAt: NOW + 60,
      freshUntil: NOW + 180,
      statement: { jwt },
    });
    expect(server.known).toMatchObject([undefined, { jwt, etag: '"1"' }]);
  });

  it('is asked for anew when it does not validate any more', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    await cache.obtain(request(server));
    const rolled = await testKey('ES256', 7);
    federation.entity('op').keys = [rolled];
    const validate = async (jwt: string) => {
      const statement = await validateEntityConfiguration(jwt, op, { now: clock.now() });
      if (statement.header.kid !== rolled.jwk.kid) throw new FederationError('key_not_found', 'the old key');
      return statement;
    };
    expect((await cache.obtain(request(server, { validate }))).statement.header.kid).toBe(rolled.jwk.kid);
    expect(server.known).toEqual([undefined, undefined]);
  });

  it('is asked for ahead of time by whoever refreshes, and by nobody else', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    await cache.obtain(request(server));
    clock.advance(41);
    await cache.obtain(request(server, { isRefresh: true }));
    expect(server.questions).toBe(1);
    clock.advance(1);
    await cache.obtain(request(server));
    expect(server.questions).toBe(1);
    expect(await cache.obtain(request(server, { isRefresh: true }))).toMatchObject({ freshUntil: NOW + 42 + 60 });
    expect(server.questions).toBe(2);
  });

  it('that must not be kept is not kept', async () => {
    const cache = cacheWith();
    const server = new Server(async () => ({
      jwt: await federation.configuration('op'),
      freshSeconds: 0,
      isTransient: true,
    }));
    await cache.obtain(request(server));
    expect(cache.bytes).toBe(0);
    await cache.obtain(request(server));
    expect(server.known).toEqual([undefined, undefined]);
  });

  it('of one of two authorities on a host is never taken for that of the other', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    await cache.obtain(request(server));
    const other: StatementName = { issuer: op, subject: `${op}/` as EntityIdentifier };
    await cache.obtain(request(server, { name: other }));
    expect(server.questions).toBe(2);
  });

  it('leaves when there is no room, the least recently used first', async () => {
    const jwt = await federation.configuration('op');
    const cache = cacheWith({ maxBytes: 3 * (jwt.length + 500) });
    const server = new Server(async () => ({ jwt }));
    const ask = (index: number) =>
      cache.obtain(request(server, { name: { issuer: op, subject: `${op}/${index}` as EntityIdentifier } }));
    for (let index = 0; index < 50; index++) await ask(index);
    expect(cache.bytes).toBeLessThanOrEqual(3 * (jwt.length + 500));
    await ask(49);
    expect(server.questions).toBe(50);
    await ask(0);
    expect(server.questions).toBe(51);
  });
});

describe('a refusal', () => {
  it('is believed briefly', async () => {
    const [cache, server] = [cacheWith(), new Server(failing('entity_not_found'))];
    for (let count = 0; count < 3; count++) {
      await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'entity_not_found' });
    }
    expect(server.questions).toBe(1);
    clock.advance(5);
    server.answer = async () => ({ jwt: await federation.configuration('op') });
    expect(await cache.obtain(request(server))).toMatchObject({ statement: { claims: { sub: op } } });
  });

  it('never lets what is stale go on', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    await cache.obtain(request(server));
    clock.advance(60);
    server.answer = failing('connection_failed');
    await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'connection_failed' });
  });

  it.each([
    ['entity_not_found', 'ends', 'entity_not_found'],
    ['connection_failed', 'does not end', undefined],
  ] as const)('%s of a refresh %s what is still fresh', async (reason, _, expected) => {
    const [cache, server] = [cacheWith(), new Server()];
    await cache.obtain(request(server));
    clock.advance(50);
    server.answer = failing(reason);
    await expect(cache.obtain(request(server, { isRefresh: true }))).rejects.toMatchObject({ reason });
    const again = cache.obtain(request(server));
    if (expected === undefined) expect(await again).toMatchObject({ retrievedAt: NOW });
    else await expect(again).rejects.toMatchObject({ reason: expected });
  });

  it('is not made of what a caller broke off', async () => {
    const [cache, server] = [cacheWith(), new Server(() => new Promise(() => {}))];
    const caller = new AbortController();
    const asked = cache.obtain(request(server, { signal: caller.signal }));
    await expect.poll(() => server.questions).toBe(1);
    caller.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    server.answer = async () => ({ jwt: await federation.configuration('op') });
    expect(await cache.obtain(request(server))).toMatchObject({ statement: { claims: { sub: op } } });
  });
});

describe('the end of one resolution', () => {
  it('is no failure of the servers that it still waited for', async () => {
    const [cache, server] = [cacheWith(), new Server(() => new Promise(() => {}))];
    const caller = new AbortController();
    const asked = cache.obtain(request(server, { signal: caller.signal }));
    await expect.poll(() => server.questions).toBe(1);
    caller.abort(new FederationError('timed_out', 'the discovery ended'));
    await expect(asked).rejects.toMatchObject({ reason: 'timed_out' });
    server.answer = async () => ({ jwt: await federation.configuration('op') });
    expect(await cache.obtain(request(server))).toMatchObject({ statement: { claims: { sub: op } } });
  });

  it('is one where no answer came in the time of an answer', async () => {
    const cache = cacheWith();
    const server = new Server(() => Promise.reject(new FederationError('timed_out', 'no answer')));
    for (let count = 0; count < 3; count++) {
      await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'timed_out' });
    }
    expect(server.questions).toBe(1);
  });
});

describe('a request under way', () => {
  /** One that confirms what its asker knows, or sends the new one, once the gate is open. */
  const gated = () => {
    const gate = Promise.withResolvers<void>();
    const server = new Server();
    server.answer = async () => {
      const isConditional = server.known.at(-1) !== undefined;
      await gate.promise;
      return isConditional ? { jwt: undefined } : { jwt: await federation.configuration('op') };
    };
    return { server, open: gate.resolve };
  };

  it('that may be confirmed serves nobody who cannot use what it confirms', async () => {
    const [cache, first] = [cacheWith(), new Server()];
    const { statement } = await cache.obtain(request(first));
    clock.advance(60);
    const { server, open } = gated();
    const confirmed = cache.obtain(request(server));
    await expect.poll(() => server.questions).toBe(1);
    const rolled = await testKey('ES256', 7);
    federation.entity('op').keys = [rolled];
    const validate = async (jwt: string) => {
      if (jwt === statement.jwt) throw new FederationError('key_not_found', 'the old key');
      return await validateEntityConfiguration(jwt, op, { now: clock.now() });
    };
    const renewed = cache.obtain(request(server, { validate }));
    await expect.poll(() => server.questions).toBe(2);
    open();
    expect((await confirmed).statement.jwt).toBe(statement.jwt);
    expect((await renewed).statement.header.kid).toBe(rolled.jwk.kid);
    expect(server.known.map((known) => known?.jwt)).toEqual([statement.jwt, undefined]);
  });

  it('that began before a doubt serves nobody who doubts, and its answer replaces no newer one', async () => {
    const cache = cacheWith();
    const [early, late] = [gated(), new Server()];
    const before = cache.obtain(request(early.server));
    await expect.poll(() => early.server.questions).toBe(1);
    clock.advance(1);
    const { statement } = await cache.obtain(request(late, { since: clock.now() }));
    expect(late.questions).toBe(1);
    federation.entity('op').claims = { ...federation.entity('op').claims, note: 'an older one' };
    early.open();
    expect(await before).toMatchObject({ retrievedAt: NOW });
    expect(await cache.obtain(request(late))).toMatchObject({
      retrievedAt: NOW + 1,
      statement: { jwt: statement.jwt },
    });
  });
});

describe('an empty answer', () => {
  it('confirms nothing', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    await cache.obtain(request(server));
    clock.advance(60);
    server.answer = async () => ({ jwt: '' });
    await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'jwt_malformed' });
  });
});

describe('questions at the same time', () => {
  it('share one request', async () => {
    const answer = Promise.withResolvers<Partial<Retrieval>>();
    const [cache, server] = [cacheWith(), new Server(() => answer.promise)];
    const asked = Array.from({ length: 100 }, () => cache.obtain(request(server)));
    await expect.poll(() => server.questions).toBe(1);
    const jwt = await federation.configuration('op');
    answer.resolve({ jwt });
    expect(new Set((await Promise.all(asked)).map(({ statement }) => statement.jwt))).toEqual(new Set([jwt]));
    expect(server.questions).toBe(1);
  });

  it('do not end with the limits of who began the request: the others ask on their own account, once', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    const gate = Promise.withResolvers<never>();
    const refused = cache.obtain({ ...request(server), retrieve: () => gate.promise }).catch((error: unknown) => error);
    const others = Array.from({ length: 10 }, () => cache.obtain(request(server)));
    await Promise.resolve();
    gate.reject(new FederationError('budget_exhausted', 'no request is left'));
    expect(await refused).toMatchObject({ reason: 'budget_exhausted' });
    for (const { statement } of await Promise.all(others)) expect(statement.claims.sub).toBe(op);
    expect(server.questions).toBe(1);
  });

  it('all end when the limits of all of them do', async () => {
    const cache = cacheWith();
    const asked = Array.from({ length: 10 }, (_, index) =>
      cache.obtain(request(new Server(() => Promise.reject(new FederationError('budget_exhausted', `${index}`))))),
    );
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.message)).toEqual(
      Array.from({ length: 10 }, (_, index) => `${index}`),
    );
  });

  it('share what a server refuses', async () => {
    const [cache, server] = [cacheWith(), new Server(failing('entity_not_found'))];
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => cache.obtain(request(server))));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(server.questions).toBe(1);
  });

  it('end the request when the last of them has left, and not before', async () => {
    const cache = cacheWith();
    let stop: AbortSignal | undefined;
    const retrieve: StatementRequest['retrieve'] = (_, signal) => {
      stop = signal;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const callers = [new AbortController(), new AbortController()];
    const asked = callers.map(({ signal }) =>
      cache.obtain({ ...request(new Server()), retrieve, signal }).catch((error: unknown) => error),
    );
    await expect.poll(() => stop).toBeDefined();
    callers[0]?.abort(new Error('first'));
    expect(await asked[0]).toMatchObject({ message: 'first' });
    expect(stop?.aborted).toBe(false);
    callers[1]?.abort(new Error('second'));
    expect(await asked[1]).toMatchObject({ message: 'second' });
    expect(stop?.aborted).toBe(true);
  });
});

describe('whoever doubts a statement', () => {
  it('has it asked for however fresh it is, also after a refusal, and shares the answer with whoever doubts it too', async () => {
    const [cache, server] = [cacheWith(), new Server()];
    await cache.obtain(request(server));
    clock.advance(10);
    const since = cache.doubt(op);
    expect(await cache.obtain(request(server, { since }))).toMatchObject({ retrievedAt: NOW + 10 });
    expect(await cache.obtain(request(server, { since: cache.doubt(op) }))).toMatchObject({ retrievedAt: NOW + 10 });
    expect(server.questions).toBe(2);
    server.answer = failing('connection_failed');
    clock.advance(61);
    await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'connection_failed' });
    clock.advance(1);
    server.answer = async () => ({ jwt: await federation.configuration('op') });
    expect(await cache.obtain(request(server, { since: cache.doubt(op) }))).toMatchObject({ retrievedAt: NOW + 72 });
  });

  it('doubts no entity anew before 30 s are over', () => {
    const cache = cacheWith();
    const doubts = [0, 29, 1, 29, 1].map((seconds) => {
      clock.advance(seconds);
      return cache.doubt(op);
    });
    expect(doubts).toEqual([NOW, NOW, NOW + 30, NOW + 30, NOW + 60]);
    expect(cache.doubt(federation.id('op'))).toBe(NOW + 60);
    expect(cache.doubt(`${op}/` as EntityIdentifier)).toBe(NOW + 60);
  });
});

describe('a store', () => {
  /** Two nodes, or one before and after a restart, share it. */
  class Store implements StatementStore {
    readonly rows = new Map<string, KeptStatement>();
    read = async ({ issuer, subject }: StatementName) => this.rows.get(`${issuer} ${subject}`);
    write = async ({ issuer, subject }: StatementName, statement: KeptStatement) =>
      void this.rows.set(`${issuer} ${subject}`, statement);
    remove = async ({ issuer, subject }: StatementName, _removal: Removal) =>
      void this.rows.delete(`${issuer} ${subject}`);
  }

  it('lets one node have what another retrieved', async () => {
    const [store, server] = [new Store(), new Server()];
    const { statement } = await cacheWith({ store }).obtain(request(server));
    clock.advance(10);
    const elsewhere = cacheWith({ store });
    expect(await elsewhere.obtain(request(server))).toMatchObject({
      retrievedAt: NOW,
      statement: { jwt: statement.jwt },
    });
    expect(server.questions).toBe(1);
  });

  it('is not believed: what stands in it is validated', async () => {
    const [store, server] = [new Store(), new Server()];
    await cacheWith({ store }).obtain(request(server));
    const [[name = '', row] = []] = [...store.rows];
    if (row !== undefined) store.rows.set(name, { ...row, jwt: `${row.jwt.slice(0, -4)}AAAA` });
    expect(await cacheWith({ store }).obtain(request(server))).toMatchObject({ statement: { claims: { sub: op } } });
    expect(server.known).toEqual([undefined, undefined]);
  });

  it('forgets what its server definitely took back', async () => {
    const [store, server] = [new Store(), new Server()];
    const cache = cacheWith({ store });
    await cache.obtain(request(server));
    clock.advance(60);
    server.answer = failing('entity_not_found');
    await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'entity_not_found' });
    expect(store.rows.size).toBe(0);
  });

  it('hears when what it forgets was refused, and until when an older one could still be fresh', async () => {
    const removals: Removal[] = [];
    const store = new Store();
    store.remove = async (_, removal) => void removals.push(removal);
    const [cache, server] = [cacheWith({ store, maxFreshSeconds: 600 }), new Server()];
    await cache.obtain(request(server));
    clock.advance(60);
    server.answer = failing('entity_not_found');
    await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'entity_not_found' });
    expect(removals).toEqual([{ removedAt: NOW + 60, forgettableAt: NOW + 660 }]);
  });

  it('has no effect with what another node retrieved before this one was refused', async () => {
    const [store, server] = [new Store(), new Server(failing('entity_not_found'))];
    const cache = cacheWith({ store });
    clock.advance(10);
    await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason: 'entity_not_found' });
    const jwt = await federation.configuration('op');
    const late = { jwt, etag: undefined, retrievedAt: NOW + 9, freshUntil: NOW + 3000, expiresAt: NOW + 3000 };
    await store.write({ issuer: op, subject: op }, late);
    for (const reason of ['connection_failed', 'entity_not_found'] as const) {
      clock.advance(6);
      server.answer = failing(reason);
      await expect(cache.obtain(request(server))).rejects.toMatchObject({ reason });
    }
    expect(server.questions).toBe(3);
    await store.write({ issuer: op, subject: op }, { ...late, retrievedAt: NOW + 23 });
    clock.advance(6);
    expect(await cache.obtain(request(server))).toMatchObject({ retrievedAt: NOW + 23 });
  });

  it('is told when a statement was asked for, not when it came', async () => {
    const [store, server] = [new Store(), new Server()];
    server.answer = async () => {
      clock.advance(5);
      return { jwt: await federation.configuration('op') };
    };
    expect(await cacheWith({ store }).obtain(request(server))).toMatchObject({ retrievedAt: NOW });
    expect([...store.rows.values()]).toMatchObject([{ retrievedAt: NOW, freshUntil: NOW + 60 }]);
  });

  it('that fails is done without, and somebody is told', async () => {
    const errors: unknown[] = [];
    const broken = () => Promise.reject(new Error('the database is away'));
    const store = { read: broken, write: broken, remove: broken };
    const cache = cacheWith({ store, onStoreError: (error) => errors.push(error) });
    expect(await cache.obtain(request(new Server()))).toMatchObject({ retrievedAt: NOW });
    await expect.poll(() => errors.length).toBe(2);
  });
});
