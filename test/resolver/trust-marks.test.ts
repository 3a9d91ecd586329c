import { afterAll, describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { parseEntityStatement } from '../../src/federation/statement/validate-statement.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import { TrustMarkStatusClient } from '../../src/resolver/trust-mark-status.ts';
import {
  type ResolvedIssuer,
  type VerifiedTrustMarks,
  type VerifyTrustMarksOptions,
  verifyTrustMarks,
} from '../../src/resolver/trust-marks.ts';
import { buildFederation, ManualClock, NOW, type TestFederation } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import type { Tampering } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';
import {
  AUDITED,
  bear,
  chainsOf,
  configurationOf,
  delegation,
  entry,
  MEMBER,
  NOBODY,
  recognise,
  serveStatus,
  statusAnswer,
  statusMetadata,
  trustMark,
} from '../support/trust-marks.ts';

const outbound = testClient();

afterAll(async () => {
  await outbound[Symbol.asyncDispose]();
});

const ENTITIES = {
  anchor: {},
  lower: { superiors: ['anchor'] },
  issuer: { superiors: ['lower'], metadata: statusMetadata },
  second: { superiors: ['lower'] },
  owner: { superiors: ['anchor'] },
  op: { superiors: ['lower'] },
  stranger: {},
};
const WAYS = { issuer: ['lower', 'anchor'], second: ['lower', 'anchor'], owner: ['anchor'] };
const OPEN = 'https://anchor.example/marks/open';
const RECOGNITION = {
  issuers: { [MEMBER]: ['issuer', 'second', 'anchor', 'op', 'stranger'], [AUDITED]: ['issuer'], [OPEN]: [] },
  owners: { [AUDITED]: 'owner' },
};

async function build(): Promise<TestFederation> {
  const federation = await buildFederation(ENTITIES);
  recognise(federation, RECOGNITION);
  return federation;
}

/** Verifies what `op` shows; the chains of issuers are real, and nobody is asked for a status unless told. */
async function verify(
  federation: TestFederation,
  options: Partial<VerifyTrustMarksOptions> = {},
): Promise<VerifiedTrustMarks> {
  return await verifyTrustMarks({
    subject: await configurationOf(federation, 'op'),
    trustAnchor: await configurationOf(federation, 'anchor'),
    resolveIssuer: chainsOf(federation, WAYS),
    status: 'never',
    validation: { now: federation.clock.now() },
    ...options,
  });
}

/** Refusals as `reason at place (section)`. */
function told({ refused }: VerifiedTrustMarks): string[] {
  return refused.map(({ reason, at, section }) => `${reason} at ${at} (${section})`);
}

describe('the Trust Marks of an entity', () => {
  it('are none where its configuration shows none', async () => {
    expect(await verify(await build())).toEqual({ accepted: [], refused: [] });
  });

  it('[OIDFED-7.3-1] are accepted with issuer and end, in their order', async () => {
    const federation = await build();
    const permission = await delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: NOW + 500 } });
    const audited = await trustMark(federation, 'issuer', 'op', AUDITED, { claims: { delegation: permission } });
    const member = await trustMark(federation, 'second', 'op', MEMBER, { claims: { exp: NOW + 700 } });
    bear(federation, 'op', entry(audited, AUDITED), entry(member));
    expect(await verify(federation)).toEqual({
      accepted: [
        { trust_mark_type: AUDITED, trust_mark: audited, issuer: federation.id('issuer'), expiresAt: NOW + 500 },
        { trust_mark_type: MEMBER, trust_mark: member, issuer: federation.id('second'), expiresAt: NOW + 700 },
      ],
      refused: [],
    });
  });

  it('[OIDFED-7.3-4] last no longer than the chain of their issuer, also those that never expire', async () => {
    const federation = await build();
    const endless = await trustMark(federation, 'issuer', 'op', MEMBER, { claims: { exp: undefined } });
    bear(federation, 'op', entry(endless));
    federation.entity('lower').superiors = new Map([['anchor', { exp: NOW + 123 }]]);
    expect((await verify(federation)).accepted).toMatchObject([{ expiresAt: NOW + 123 }]);
  });

  it.each(['anchor', 'op'])('[OIDFED-7.3-1] may be issued by %s, whose chain is there already', async (issuer) => {
    const federation = await build();
    bear(federation, 'op', entry(await trustMark(federation, issuer, 'op')));
    const asked: string[] = [];
    const outcome = await verify(federation, { resolveIssuer: chainsOf(federation, WAYS, asked) });
    expect(outcome).toMatchObject({ accepted: [{ issuer: federation.id(issuer) }], refused: [] });
    expect(asked).toEqual([]);
  });

  it('[OIDFED-7.3-1] do not count when their issuer has no valid chain to the Trust Anchor', async () => {
    const federation = await build();
    bear(federation, 'op', entry(await trustMark(federation, 'stranger', 'op')));
    const { accepted, refused } = await verify(federation);
    expect(accepted).toEqual([]);
    expect(refused).toEqual([
      {
        trust_mark_type: MEMBER,
        reason: 'trust_mark_issuer_unresolved',
        section: '7.3',
        at: '/trust_marks/0/trust_mark /iss',
        message: `no valid chain from ${federation.id('stranger')} to ${federation.id('anchor')}: entity_not_found, there is no stranger`,
      },
    ]);
  });

  it('[OIDFED-7.3-1] do not count when a statement above their issuer is refused', async () => {
    const federation = await build();
    bear(federation, 'op', entry(await trustMark(federation, 'issuer', 'op')));
    federation.entity('lower').superiors = new Map([['anchor', { exp: NOW - 31 }]]);
    const { refused } = await verify(federation);
    expect(refused).toMatchObject([{ reason: 'trust_mark_issuer_unresolved' }]);
    expect(refused[0]?.message).toContain('statement_expired');
    expect(refused[0]).not.toHaveProperty('retryable');
  });

  it('[OIDFED-7.3-5] are verified with the keys of their issuer, nobody else', async () => {
    const federation = await build();
    const [key] = federation.entity('second').keys;
    const kid = federation.entity('issuer').keys[0]?.kid;
    const marks = [{ key }, { key, header: { kid } }].map((tampering: Tampering) =>
      trustMark(federation, 'issuer', 'op', MEMBER, tampering),
    );
    bear(federation, 'op', ...(await Promise.all(marks)).map((mark) => entry(mark)));
    expect(told(await verify(federation))).toEqual([
      'key_not_found at /trust_marks/0/trust_mark header/kid (7.3)',
      'signature_invalid at /trust_marks/1/trust_mark header/kid (7.3)',
    ]);
  });

  it('[OIDFED-7.3-2] [OIDFED-17.5-1] cost nobody but themselves when they are broken or foreign', async () => {
    const federation = await build();
    const mark = (tampering?: Tampering, type?: string) => trustMark(federation, 'issuer', 'op', type, tampering);
    const unlisted = 'https://elsewhere.example/mark';
    bear(
      federation,
      'op',
      entry(await mark({ header: { typ: 'JWT' } })),
      entry(await mark()),
      entry(await mark({ claims: { exp: NOW - 30 } })),
      entry(await mark({ claims: { sub: NOBODY } })),
      entry(await mark({}, unlisted), unlisted),
      entry(await mark({}, AUDITED), AUDITED),
      entry(await trustMark(federation, 'owner', 'op')),
      entry(await mark({ header: { kid: 'unknown' } })),
    );
    const outcome = await verify(federation);
    expect(outcome.accepted).toHaveLength(1);
    expect(told(outcome)).toEqual([
      'typ_invalid at /trust_marks/0/trust_mark header/typ (7.3)',
      'trust_mark_expired at /trust_marks/2/trust_mark /exp (7.3)',
      'subject_mismatch at /trust_marks/3/trust_mark /sub (7.3)',
      'trust_mark_type_unrecognised at /trust_marks/4/trust_mark /trust_mark_type (17.5)',
      'trust_mark_delegation_missing at /trust_marks/5/trust_mark /delegation (7.3)',
      'trust_mark_issuer_not_trusted at /trust_marks/6/trust_mark /iss (17.5)',
      'key_not_found at /trust_marks/7/trust_mark header/kid (7.3)',
    ]);
  });

  it('[OIDFED-7-3] are accepted with the typ of a framework if that is configured', async () => {
    const federation = await build();
    bear(
      federation,
      'op',
      entry(await trustMark(federation, 'issuer', 'op', MEMBER, { header: { typ: 'wallet+jwt' } })),
    );
    expect(told(await verify(federation))).toEqual(['typ_invalid at /trust_marks/0/trust_mark header/typ (7.3)']);
    const validation = { now: NOW, furtherTyps: ['wallet+jwt'] };
    expect((await verify(federation, { validation })).accepted).toHaveLength(1);
  });

  it('[OIDFED-3.1.2-6] are recognised by the chosen Trust Anchor, not by their bearer', async () => {
    const federation = await build();
    recognise(federation, {});
    recognise(federation, RECOGNITION, 'op');
    bear(federation, 'op', entry(await trustMark(federation, 'op', 'op')));
    expect(told(await verify(federation))).toEqual([
      'trust_mark_type_unrecognised at /trust_marks/0/trust_mark /trust_mark_type (17.5)',
    ]);
  });
});

describe('the cost of Trust Marks', () => {
  it('is no request for marks that could not count, and one resolution for each issuer', async () => {
    const federation = await build();
    const bad = await trustMark(federation, 'second', 'op', MEMBER, { claims: { exp: 1 } });
    const good = await Promise.all(
      [1, 2, 3].map((number) => trustMark(federation, 'issuer', 'op', MEMBER, { claims: { number } })),
    );
    bear(federation, 'op', entry(bad), ...good.map((mark) => entry(mark)));
    const asked: string[] = [];
    const { accepted } = await verify(federation, { resolveIssuer: chainsOf(federation, WAYS, asked) });
    expect(accepted).toHaveLength(3);
    expect(asked).toEqual(['issuer']);
  });

  it('is limited in marks', async () => {
    const federation = await build();
    const marks = await Promise.all(
      Array.from({ length: 34 }, (_, number) => trustMark(federation, 'issuer', 'op', MEMBER, { claims: { number } })),
    );
    bear(federation, 'op', ...marks.map((mark) => entry(mark)));
    const outcome = await verify(federation);
    expect(outcome.accepted.map(({ trust_mark: mark }) => mark)).toEqual(marks.slice(0, 32));
    expect(told(outcome)).toEqual([
      'budget_exhausted at /trust_marks/32 (18.1)',
      'budget_exhausted at /trust_marks/33 (18.1)',
    ]);
    expect((await verify(federation, { budget: { maxMarks: 34 } })).accepted).toHaveLength(34);
  });

  it('is limited in issuers: the first ones that could count, however quickly they answer', async () => {
    const federation = await build();
    const unlisted = await trustMark(federation, 'owner', 'op');
    const free = await trustMark(federation, 'anchor', 'op', OPEN);
    const first = await trustMark(federation, 'second', 'op', OPEN);
    const next = await trustMark(federation, 'issuer', 'op', OPEN);
    bear(federation, 'op', entry(unlisted), entry(free, OPEN), entry(first, OPEN), entry(next, OPEN));
    const outcome = await verify(federation, { budget: { maxIssuers: 1 } });
    expect(outcome.accepted.map(({ trust_mark: mark }) => mark)).toEqual([free, first]);
    expect(told(outcome)).toEqual([
      'trust_mark_issuer_not_trusted at /trust_marks/0/trust_mark /iss (17.5)',
      'budget_exhausted at /trust_marks/3/trust_mark /iss (18.1)',
    ]);
  });

  it('is limited in marks under way', async () => {
    const federation = await build();
    const issuers = ['issuer', 'second', 'owner'];
    const marks = await Promise.all(issuers.map((issuer) => trustMark(federation, issuer, 'op', OPEN)));
    bear(federation, 'op', ...marks.map((mark) => entry(mark, OPEN)));
    const resolve = chainsOf(federation, WAYS);
    const most = async (maxConcurrent: number): Promise<number> => {
      let [underWay, peak] = [0, 0];
      const resolveIssuer = async (issuer: EntityIdentifier) => {
        peak = Math.max(peak, ++underWay);
        return await resolve(issuer).finally(() => underWay--);
      };
      const { accepted } = await verify(federation, { resolveIssuer, budget: { maxConcurrent } });
      expect(accepted).toHaveLength(3);
      return peak;
    };
    expect([await most(1), await most(2), await most(8)]).toEqual([1, 2, 3]);
  });
});

describe('an issuer in trouble', () => {
  it.each<[string, FederationError, boolean]>([
    ['whose server is down', new FederationError('server_unavailable', 'status 503'), true],
    ['that does not answer in time', new FederationError('timed_out', 'too late'), true],
    ['that does not exist', new FederationError('entity_not_found', '404'), false],
    ['that would cost too much', new FederationError('budget_exhausted', 'too many statements'), false],
  ])('%s costs its own marks, and says whether to try again', async (_what, error, isRetryable) => {
    const federation = await build();
    bear(
      federation,
      'op',
      entry(await trustMark(federation, 'second', 'op')),
      entry(await trustMark(federation, 'issuer', 'op')),
    );
    const resolve = chainsOf(federation, WAYS);
    for (const fail of [() => Promise.resolve(error), () => Promise.reject(error)]) {
      const resolveIssuer = (issuer: EntityIdentifier) =>
        issuer === federation.id('second') ? fail() : resolve(issuer);
      const outcome = await verify(federation, { resolveIssuer });
      expect(outcome.accepted).toMatchObject([{ issuer: federation.id('issuer') }]);
      expect(told(outcome)).toEqual(['trust_mark_issuer_unresolved at /trust_marks/0/trust_mark /iss (7.3)']);
      expect(outcome.refused[0]?.retryable === true).toBe(isRetryable);
    }
  });

  it('does not hide an outage of our own', async () => {
    const federation = await build();
    bear(federation, 'op', entry(await trustMark(federation, 'issuer', 'op')));
    const resolveIssuer = () => Promise.reject(new Error('the database is gone'));
    await expect(verify(federation, { resolveIssuer })).rejects.toThrow('the database is gone');
  });

  it('that never answers is left behind when time is over; what was verified stays', async () => {
    const federation = await build();
    bear(
      federation,
      'op',
      entry(await trustMark(federation, 'issuer', 'op')),
      entry(await trustMark(federation, 'second', 'op')),
    );
    const ending = new AbortController();
    const resolve = chainsOf(federation, WAYS);
    const hung = Promise.withResolvers<ResolvedIssuer>();
    const { promise: isHanging, resolve: onHanging } = Promise.withResolvers<void>();
    const resolveIssuer = (issuer: EntityIdentifier, signal: AbortSignal | undefined) => {
      expect(signal).toBe(ending.signal);
      if (issuer === federation.id('issuer')) return resolve(issuer);
      onHanging();
      return hung.promise;
    };
    const underWay = verify(federation, { resolveIssuer, signal: ending.signal, budget: { maxConcurrent: 1 } });
    await isHanging;
    ending.abort(new FederationError('timed_out', 'not resolved within 10 s'));
    const outcome = await underWay;
    expect(outcome.accepted).toMatchObject([{ issuer: federation.id('issuer') }]);
    expect(outcome.refused).toMatchObject([
      { reason: 'timed_out', at: '/trust_marks/1/trust_mark', message: 'not resolved within 10 s', retryable: true },
    ]);
  });

  it('is not asked once the time is over, whatever ended it', async () => {
    const federation = await build();
    bear(federation, 'op', entry(await trustMark(federation, 'issuer', 'op')));
    const asked: string[] = [];
    const signal = AbortSignal.abort('enough');
    const outcome = await verify(federation, { signal, resolveIssuer: chainsOf(federation, WAYS, asked) });
    expect(told(outcome)).toEqual(['timed_out at /trust_marks/0/trust_mark (10.5)']);
    expect(asked).toEqual([]);
  });
});

describe('over HTTP', () => {
  async function serve(): Promise<FederationServer> {
    const server = await serveFederation(ENTITIES, { clock: new ManualClock() });
    recognise(server.federation, RECOGNITION);
    const { federation } = server;
    bear(
      federation,
      'op',
      entry(await trustMark(federation, 'issuer', 'op', MEMBER, { claims: { exp: undefined } })),
      entry(await trustMark(federation, 'second', 'op')),
    );
    return server;
  }

  /** Issuers are resolved as any entity is. */
  async function verifyOverHttp({ federation }: FederationServer): Promise<VerifiedTrustMarks> {
    const { clock } = federation;
    const resolver = createResolver({ outbound, clock });
    const resolveIssuer = async (issuer: EntityIdentifier): Promise<ResolvedIssuer | FederationError> => {
      const outcome = await resolver.resolve({ subject: issuer, trustAnchors: federation.trustAnchors('anchor') });
      if (!('resolved' in outcome))
        return new FederationError('no_valid_trust_chain', JSON.stringify(outcome.attempts));
      const { trustChain, expiresAt } = outcome.resolved;
      return { configuration: parseEntityStatement(trustChain[0]), expiresAt };
    };
    return await verify(federation, { resolveIssuer, status: new TrustMarkStatusClient({ outbound, clock }) });
  }

  it('[OIDFED-7.3-8] asks the issuer that offers its status endpoint, and only that', async () => {
    await using server = await serve();
    const { federation } = server;
    const questions = serveStatus(server, 'issuer', async (jwt) => ({
      body: await statusAnswer(federation, 'issuer', jwt),
    }));
    const outcome = await verifyOverHttp(server);
    expect(outcome).toMatchObject({
      accepted: [{ issuer: federation.id('issuer'), activeUntil: NOW + 60 }, { issuer: federation.id('second') }],
      refused: [],
    });
    expect(questions).toHaveLength(1);
    expect(outcome.accepted[1]).not.toHaveProperty('activeUntil');
  });

  it('[OIDFED-8.4-8] leaves out what is not active, and what nobody answers for', async () => {
    await using server = await serve();
    const { federation } = server;
    const answers = ['revoked', 'expired', 'invalid'].map((status) => async (jwt: string) => ({
      body: await statusAnswer(federation, 'issuer', jwt, status),
    }));
    for (const answer of answers) {
      serveStatus(server, 'issuer', answer);
      const outcome = await verifyOverHttp(server);
      expect(outcome.accepted).toMatchObject([{ issuer: federation.id('second') }]);
      expect(told(outcome)).toEqual(['trust_mark_status_not_active at /trust_marks/0/trust_mark /status (8.4)']);
    }
    serveStatus(server, 'issuer', () => ({ status: 503 }));
    const outcome = await verifyOverHttp(server);
    expect(outcome.refused).toMatchObject([{ reason: 'server_unavailable', retryable: true }]);
    expect(outcome.accepted).toHaveLength(1);
  });

  it('[OIDFED-7.3-8] takes the endpoint from the issuer, whatever its superior states', async () => {
    await using server = await serve();
    const { federation } = server;
    const elsewhere = { federation_entity: { federation_trust_mark_status_endpoint: `${server.origin}/elsewhere` } };
    federation.entity('issuer').superiors = new Map([['lower', { metadata: elsewhere }]]);
    const questions = serveStatus(server, 'issuer', async (jwt) => ({
      body: await statusAnswer(federation, 'issuer', jwt),
    }));
    expect((await verifyOverHttp(server)).accepted).toHaveLength(2);
    expect(questions).toHaveLength(1);
    expect(server.requestCount(`${server.origin}/elsewhere`)).toBe(0);
  });
});
