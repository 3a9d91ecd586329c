import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { MEDIA_TYPE, TYP } from '../../src/federation/media-types.ts';
import { MAX_JWT_LENGTH } from '../../src/federation/signature.ts';
import { refreshHeldTrustMarks, type WantedTrustMark } from '../../src/jobs/refresh-held-trust-marks.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { dropHeldTrustMark } from '../../src/registry/trust-marks/drop-held-trust-mark.ts';
import { type HeldTrustMark, listHeldTrustMarks } from '../../src/registry/trust-marks/held-trust-mark.ts';
import {
  holdTrustMark,
  MAX_HELD_MARKS_LENGTH,
  MAX_HELD_TRUST_MARKS,
} from '../../src/registry/trust-marks/hold-trust-mark.ts';
import { transitionTrustMark } from '../../src/registry/trust-marks/transition-trust-mark.ts';
import { heldTrustMarks } from '../../src/storage/schema/held-trust-marks.ts';
import { claimsOf, jwtOf } from '../support/answers.ts';
import { ApiClient, refusalOf } from '../support/api-client.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { signJwt, testKey } from '../support/keys.ts';
import { actor, freshIdentifier, outcome } from '../support/registry.ts';
import { startTestService, type TestService } from '../support/service.ts';

describe.each(DATABASE_KINDS)('Trust Marks that our authorities show, on %s', (kind) => {
  let service: TestService;
  let admin: ApiClient;
  let issuer: Authority;

  beforeAll(async () => {
    service = await startTestService(kind);
    issuer = await service.authority();
  });

  /** Days pass here: nobody's token lasts. */
  beforeEach(async () => {
    admin = new ApiClient(service.app, await service.bearer(['admin']));
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  const PATH = '/api/v1/held-trust-marks';

  const configured = async (authority: Authority): Promise<unknown> => {
    const jwt = await jwtOf(await service.ask(authority, 'configuration'), MEDIA_TYPE.entityStatement);
    return claimsOf(jwt)['trust_marks'];
  };

  /** An authority with a mark of the issuer, which it shows. */
  async function bearer(lifetimeSeconds: number | null = 3600) {
    const authority = await service.authority();
    const type = await service.trustMarkType(issuer, { lifetimeSeconds });
    const mark = await service.trustMark(type, authority.entityIdentifier);
    const { trustMarkType } = type;
    const wanted = { authorityId: authority.id, issuer: issuer.entityIdentifier, trustMarkType };
    const { status, body } = await admin.post(PATH, wanted);
    expect([status, body.detail]).toEqual([200, undefined]);
    return { authority, type, mark, held: body, wanted };
  }

  /** A mark about an authority by an issuer of the test, valid for an hour unless told otherwise. */
  async function foreignMark(wanted: WantedTrustMark, claims: object = {}): Promise<string> {
    const iat = service.clock.now();
    const times = { iat, exp: iat + 3600 };
    const said = { iss: wanted.issuer, sub: wanted.bearer, trust_mark_type: wanted.trustMarkType, ...times, ...claims };
    return await signJwt(await testKey('ES256', 91), TYP.trustMark, said);
  }

  /** A fresh authority that shows a mark of an issuer of the test. */
  async function foreignBearer(claims: object = {}, by = freshIdentifier('issuer')) {
    const authority = await service.authority();
    const wanted = { issuer: by, trustMarkType: freshIdentifier('type'), bearer: authority.entityIdentifier };
    return { authority, wanted, held: await hold(authority, await foreignMark(wanted, claims)) };
  }

  const hold = (authority: Authority, mark: string): Promise<HeldTrustMark> =>
    holdTrustMark(service.context(), authority.id, mark, async () => {});

  const heldBy = (authority: Authority) => listHeldTrustMarks(service.db, actor(), authority.id);

  /** One round of the job, with issuers that answer so about this type; all others are not there. */
  async function refresh(
    trustMarkType: string | undefined,
    fetchTrustMark: (wanted: WantedTrustMark) => Promise<string>,
  ): Promise<string[]> {
    const problems: string[] = [];
    const all = await listHeldTrustMarks(service.db, actor());
    const bearers = new Map(all.map(({ authorityId, jwt }) => [authorityId, String(claimsOf(jwt)['sub'])]));
    await refreshHeldTrustMarks({
      ...{ db: service.db, clock: service.clock, verify: async () => {} },
      fetchTrustMark: async (wanted) => {
        if (trustMarkType !== undefined && wanted.trustMarkType !== trustMarkType) throw absent();
        return await fetchTrustMark(wanted);
      },
      changeContext: () => service.context(actor()),
      identifierOf: (id) => bearers.get(id),
      onProblem: (mark, error) => {
        if (trustMarkType !== undefined && mark.trustMarkType !== trustMarkType) return;
        problems.push(error instanceof Error ? error.message : '');
      },
    });
    return problems;
  }

  const absent = () => new FederationError('connection_failed', 'nobody there');

  it('stand in the Entity Configuration at once, and are gone once dropped', async () => {
    const { authority, type, held } = await bearer();
    const shown = [{ trust_mark_type: type.trustMarkType, trust_mark: held.trustMark }];
    expect(await configured(authority)).toEqual(shown);
    expect(await configured(issuer)).toBeUndefined();
    const { body } = await admin.get(`${PATH}?authorityId=${authority.id}`);
    expect(body.items).toEqual([held]);
    expect((await admin.delete(`${PATH}/${held.id}`, { 'if-match': '"1"' })).status).toBe(204);
    expect(await configured(authority)).toBeUndefined();
    expect(refusalOf(await admin.delete(`${PATH}/${held.id}`))).toBe('404 not_found');
  });

  it('are refreshed before half of their life is over, and the job does nothing before', async () => {
    const { authority, type, held } = await bearer();
    const shown = async () => (await configured(authority)) as { trust_mark: string }[];
    service.clock.advance(1000);
    await service.refreshTrustMarks();
    expect((await shown())[0]?.trust_mark).toBe(held.trustMark);
    service.clock.advance(790);
    await service.refreshTrustMarks();
    const [fresh] = await shown();
    expect(fresh).toMatchObject({ trust_mark_type: type.trustMarkType });
    expect(claimsOf(fresh?.trust_mark ?? '')['exp']).toBe(service.clock.now() + 3600);
    const seq = await service.seq();
    await service.refreshTrustMarks();
    expect(await service.seq()).toBe(seq);
  });

  it('are shown until they expire where no fresh one can be had, and the trouble is told', async () => {
    const { authority, mark, held } = await bearer();
    await transitionTrustMark(service.context(), mark.id, 'withdraw', 'over');
    service.clock.advance(1800);
    await service.refreshTrustMarks();
    expect(await configured(authority)).toHaveLength(1);
    const [told] = (await admin.get(`${PATH}?authorityId=${authority.id}`)).body.items;
    expect(told.refreshProblem).toContain('has no mark');
    expect(Date.parse(told.nextRefreshAt)).toBeGreaterThan(service.clock.now() * 1000);
    service.clock.advance(1800);
    expect(await configured(authority)).toBeUndefined();
    expect(told.id).toBe(held.id);
  });

  it('without an end of an authority of ours are dropped once it withdrew them', async () => {
    const { authority, mark } = await bearer(null);
    await transitionTrustMark(service.context(), mark.id, 'withdraw', 'over');
    service.clock.advance(86_400);
    await service.refreshTrustMarks();
    expect(await configured(authority)).toBeUndefined();
  });

  it('are asked for in vain without harm to the others', async () => {
    const two = await Promise.all([bearer(), bearer()]);
    service.clock.advance(3000);
    const asked: string[] = [];
    const inVain = async ({ trustMarkType }: WantedTrustMark) => {
      asked.push(trustMarkType);
      throw absent();
    };
    const problems = await refresh(undefined, inVain);
    expect(asked).toEqual(expect.arrayContaining(two.map(({ type }) => type.trustMarkType)));
    expect(problems).toEqual(asked.map(() => 'nobody there'));
    expect(await refresh(undefined, inVain)).toEqual([]);
  });

  it('are asked for by one node at a time, eight issuers at once and each about one mark after the other', async () => {
    const same = freshIdentifier('issuer');
    for (let count = 0; count < 3; count++) await foreignBearer({}, same);
    for (let count = 0; count < 9; count++) await foreignBearer();
    service.clock.advance(1800);
    const asked: string[] = [];
    const underWay: string[] = [];
    const most = { all: 0, same: 0 };
    const answering = async (wanted: WantedTrustMark) => {
      asked.push(`${wanted.issuer} ${wanted.trustMarkType}`);
      underWay.push(wanted.issuer);
      most.all = Math.max(most.all, underWay.length);
      most.same = Math.max(most.same, underWay.filter((issuer) => issuer === same).length);
      const mark = await foreignMark(wanted);
      underWay.splice(underWay.indexOf(wanted.issuer), 1);
      return mark;
    };
    await Promise.all([refresh(undefined, answering), refresh(undefined, answering)]);
    expect(asked.length).toBeGreaterThanOrEqual(12);
    expect(new Set(asked).size).toBe(asked.length);
    expect(most.same).toBe(1);
    expect(most.all).toBeLessThanOrEqual(16);
  });

  it('are replaced only by what was asked for', async () => {
    const { authority, wanted, held } = await foreignBearer();
    const { trustMarkType } = wanted;
    const other = { ...wanted, issuer: freshIdentifier('issuer') };
    for (const answer of [other, { ...wanted, trustMarkType: freshIdentifier('type') }]) {
      service.clock.advance(2000);
      expect(await refresh(trustMarkType, () => foreignMark(answer))).toEqual([
        expect.stringMatching(/^\/trustMark .* is not (by|of the type) /),
      ]);
      expect(await heldBy(authority)).toMatchObject([{ id: held.id, jwt: held.jwt, version: 1 }]);
    }
    const asked = { issuer: other.issuer, trustMarkType };
    const mark = await foreignMark(wanted);
    expect(await outcome(holdTrustMark(service.context(), authority.id, mark, async () => {}, asked))).toBe(
      'validation_failed at /trustMark',
    );
  });

  it('do not come back when they were dropped while their issuer was asked', async () => {
    const { authority, wanted, held } = await foreignBearer();
    service.clock.advance(2000);
    const problems = await refresh(wanted.trustMarkType, async () => {
      await dropHeldTrustMark(service.context(), held.id);
      return await foreignMark(wanted);
    });
    expect([problems, await heldBy(authority)]).toEqual([[], []]);
  });

  it('are never replaced by an older one', async () => {
    const { authority, wanted, held } = await foreignBearer();
    const older = await foreignMark(wanted, { iat: service.clock.now() - 1, exp: service.clock.now() + 86_400 });
    expect(await outcome(hold(authority, older))).toBe('validation_failed at /trustMark');
    service.clock.advance(2000);
    expect(await refresh(wanted.trustMarkType, async () => older)).toEqual([
      expect.stringContaining('was issued before'),
    ]);
    expect(await heldBy(authority)).toMatchObject([{ id: held.id, jwt: held.jwt }]);
  });

  it('without an end are dropped when their issuer has them no longer, and not for any other reason', async () => {
    const { authority, wanted } = await foreignBearer({ exp: undefined });
    const { trustMarkType } = wanted;
    const seq = await service.seq();
    service.clock.advance(86_400);
    await refresh(trustMarkType, async () => {
      throw absent();
    });
    expect(await heldBy(authority)).toHaveLength(1);
    service.clock.advance(86_400);
    const gone = new FederationError('trust_mark_not_held', 'has no mark');
    expect(await refresh(trustMarkType, () => Promise.reject(gone))).toEqual(['has no mark']);
    expect(await heldBy(authority)).toEqual([]);
    expect(await configured(authority)).toBeUndefined();
    const [dropped] = (await service.auditAfter(seq)).filter(({ action }) => action === 'held_trust_mark.drop');
    expect(dropped?.reason).toBe('its issuer has it no longer');
  });

  it('are refused with less than ten minutes left', async () => {
    const { authority, wanted } = await foreignBearer();
    const short = await foreignMark(wanted, { exp: service.clock.now() + 599 });
    expect(await outcome(hold(authority, short))).toBe('validation_failed at /trustMark');
    expect(await outcome(hold(authority, await foreignMark(wanted, { exp: service.clock.now() + 600 })))).toBe('done');
  });

  it('stand in the audit with their digests alone', async () => {
    const seq = await service.seq();
    const { authority, wanted, held } = await foreignBearer();
    service.clock.advance(10);
    const next = await hold(authority, await foreignMark(wanted));
    await dropHeldTrustMark(service.context(), held.id);
    const rows = (await service.auditAfter(seq)).filter(({ subjectKind }) => subjectKind === 'held_trust_mark');
    expect(rows.map(({ action }) => action)).toEqual(
      ['hold', 'refresh', 'drop'].map((verb) => `held_trust_mark.${verb}`),
    );
    const digests = rows.map(({ after }) => after?.['digest']);
    expect(digests).toEqual(
      [held.jwt, next.jwt, next.jwt].map((jwt) => createHash('sha256').update(jwt).digest('hex')),
    );
    expect(JSON.stringify(rows)).not.toContain(held.jwt);
  });

  it('of one authority are no more and no longer than a configuration has room for', async () => {
    const { authority, wanted } = await foreignBearer();
    const long = (claims: object = {}) =>
      foreignMark({ ...wanted, trustMarkType: freshIdentifier('type') }, { note: 'x'.repeat(5500), ...claims });
    const room = Math.floor(MAX_HELD_MARKS_LENGTH / (await long()).length);
    for (let count = 0; count < room - 1; count++) await hold(authority, await long());
    const outcomes = [await outcome(hold(authority, await long())), await outcome(hold(authority, await long()))];
    expect(outcomes).toContain('validation_failed at /trustMark');
    expect(
      (await jwtOf(await service.ask(authority, 'configuration'), MEDIA_TYPE.entityStatement)).length,
    ).toBeLessThan(MAX_JWT_LENGTH);
  });

  it('are refreshed also where there is no room, and take none once they have expired', async () => {
    const { authority, wanted } = await foreignBearer();
    const { id } = (await heldBy(authority))[0] ?? { id: '' };
    const another = () => foreignMark({ ...wanted, trustMarkType: freshIdentifier('type') });
    for (let count = 1; count < MAX_HELD_TRUST_MARKS; count++) await hold(authority, await another());
    // As a version before may have left them, which had no such limit.
    const [held] = await service.db.select().from(heldTrustMarks).where(eq(heldTrustMarks.id, id));
    const extra = { ...held, id: service.context().newId(), trustMarkType: freshIdentifier('type') };
    await service.db.insert(heldTrustMarks).values(extra as typeof heldTrustMarks.$inferInsert);
    expect(await outcome(hold(authority, await another()))).toBe('validation_failed at /trustMark');
    service.clock.advance(60);
    expect(await outcome(hold(authority, await foreignMark(wanted)))).toBe('done');
    const longer = await foreignMark(wanted, { note: 'x' });
    expect(await outcome(hold(authority, longer))).toBe('validation_failed at /trustMark');
    service.clock.advance(3600);
    expect(await outcome(hold(authority, await another()))).toBe('done');
    await service.db.delete(heldTrustMarks).where(eq(heldTrustMarks.id, extra.id));
  });

  it('are held by many at once, one of each place', async () => {
    const authority = await service.authority();
    const wanted = { issuer: freshIdentifier('issuer'), trustMarkType: 'urn:type', bearer: authority.entityIdentifier };
    const marks = await Promise.all([0, 1, 2].map((level) => foreignMark(wanted, { level })));
    await Promise.all(marks.map((mark) => hold(authority, mark)));
    expect(await heldBy(authority)).toMatchObject([{ version: 3 }]);
  });

  it('are refused when they are not what they should be', async () => {
    const { authority, wanted, held } = await bearer();
    const other = await bearer();
    const hold = async (trustMark: string) =>
      refusalOf(await admin.post(PATH, { authorityId: authority.id, trustMark }));
    const tampered = `${held.trustMark.slice(0, -8)}AAAAAAAA`;
    for (const jwt of [other.held.trustMark, tampered, 'a.b.c', 'x']) {
      expect(await hold(jwt)).toBe('400 validation_failed /trustMark');
    }
    service.clock.advance(3600);
    expect(await hold(held.trustMark)).toBe('400 validation_failed /trustMark');
    const unknown = { ...wanted, trustMarkType: 'https://marks.example/never' };
    expect((await admin.post(PATH, unknown)).status).toBe(400);
    expect(refusalOf(await admin.post(PATH, { authorityId: authority.id }))).toContain('400 validation_failed');
  });
});
