import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import { refreshHeldTrustMarks } from '../../src/jobs/refresh-held-trust-marks.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { heldTrustMarksDue } from '../../src/registry/trust-marks/held-trust-mark.ts';
import { transitionTrustMark } from '../../src/registry/trust-marks/transition-trust-mark.ts';
import { claimsOf, jwtOf } from '../support/answers.ts';
import { ApiClient, refusalOf } from '../support/api-client.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { actor } from '../support/registry.ts';
import { startTestService, type TestService } from '../support/service.ts';

describe.each(DATABASE_KINDS)('Trust Marks that our authorities show, on %s', (kind) => {
  let service: TestService;
  let admin: ApiClient;
  let issuer: Authority;

  beforeAll(async () => {
    service = await startTestService(kind);
    admin = new ApiClient(service.app, await service.bearer(['admin']));
    issuer = await service.authority();
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

  /** One round of the job, with an issuer that answers so. */
  async function refresh(fetchTrustMark: () => Promise<string>): Promise<string[]> {
    const problems: string[] = [];
    await refreshHeldTrustMarks({
      ...{ db: service.db, clock: service.clock, fetchTrustMark, verify: async () => {} },
      changeContext: () => service.context(actor()),
      identifierOf: () => issuer.entityIdentifier,
      onProblem: (_mark, error) => problems.push(error instanceof Error ? error.message : ''),
    });
    return problems;
  }

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

  it('are asked for in vain without harm to the others', async () => {
    await Promise.all([bearer(), bearer()]);
    service.clock.advance(3000);
    const due = await heldTrustMarksDue(service.db, new Date(service.clock.now() * 1000));
    expect(due.length).toBeGreaterThan(1);
    const problems = await refresh(async () => {
      throw new FederationError('connection_failed', 'nobody there');
    });
    expect(problems).toEqual(due.map(() => 'nobody there'));
    expect(await heldTrustMarksDue(service.db, new Date(service.clock.now() * 1000))).toEqual([]);
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
