import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addCredential } from '../../src/registry/credentials/add-credential.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import type { Body } from '../support/api-client.ts';
import { clientCertificate } from '../support/credentials.ts';
import { type TestPoint, testPoint } from '../support/evidence.ts';
import { databaseWithFeedSwitch, type FeedSwitch } from '../support/lagging-feed.ts';
import { TestService } from '../support/service.ts';

const MAX_STALENESS_SECONDS = 10;

describe('[F44] a node that does not hear from the database', () => {
  let service: TestService;
  let feed: FeedSwitch;
  let point: TestPoint;
  let listening: Awaited<ReturnType<TestService['listen']>>;
  let entityId: string;
  const { certificate } = clientCertificate();

  beforeAll(async () => {
    const cut = await databaseWithFeedSwitch();
    feed = cut.feed;
    service = await TestService.start(cut.database, {});
    listening = await service.listen();
    const authority = await service.authority();
    const entity = await service.entity(await service.organisation(authority));
    entityId = entity.id;
    await addCredential(service.context(), entityId, { usage: 'transport', material: { certificate } });
    point = await testPoint(service, authority, { maxStalenessSeconds: MAX_STALENESS_SECONDS });
  });
  afterAll(async () => {
    await listening[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  async function ask(): Promise<{ status: number; decision: string; reasons: string[]; seq: number; lifeMs: number }> {
    const response = await fetch(`${listening.origin}/api/v1/admission`, {
      ...{ method: 'POST', body: JSON.stringify({ certificate }) },
      headers: { 'holdfast-enforcement-point': point.token, 'content-type': 'application/json' },
    });
    const { decision, reasons, seq, validUntil, evaluatedAt } = (await response.json()) as Body;
    return {
      status: response.status,
      decision,
      reasons,
      seq,
      lifeMs: Date.parse(validUntil) - Date.parse(evaluatedAt),
    };
  }

  /** What the gateway hears that asks before each request. */
  async function pass(): Promise<[number, string | null]> {
    const der = Buffer.from(certificate.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64').toString('base64');
    const headers = { 'holdfast-enforcement-point': point.token, 'client-cert': `:${der}:` };
    const response = await fetch(`${listening.origin}/api/v1/admission/http`, { headers });
    return [response.status, response.headers.get('holdfast-reason')];
  }

  it('goes on by what it knows, as long as that may be old, then denies everybody, and loses nothing', async () => {
    expect(await ask()).toMatchObject({ status: 200, decision: 'allow' });
    const { seq } = await ask();
    feed.isCut = true;
    // The database itself goes on: somebody else suspends the application, and this node does not hear of it.
    const elsewhere = { ...service.context(), committed: async () => {} };
    await transitionEntity(elsewhere, entityId, 'suspend', 'breach');

    service.monotonic.aheadMs += (MAX_STALENESS_SECONDS - 2) * 1000;
    const late = await ask();
    expect(late).toMatchObject({ status: 200, decision: 'allow', seq });
    expect(late.lifeMs).toBeLessThanOrEqual(2_000);
    expect(await pass()).toEqual([200, null]);
    // The doors that say what is so refuse long since.
    expect((await fetch(`${listening.origin}/readyz`)).status).toBe(503);

    service.monotonic.aheadMs += 2_000;
    expect(await ask()).toMatchObject({ status: 200, decision: 'deny', reasons: ['state_stale'], seq, lifeMs: 0 });
    expect(await pass()).toEqual([403, 'state_stale']);

    feed.isCut = false;
    await vi.waitFor(async () => expect((await ask()).reasons).toEqual(['suspended']), { timeout: 5_000 });
    expect((await ask()).seq).toBe(await service.seq());
    await transitionEntity(service.context(), entityId, 'reinstate', 'mended');
    expect(await ask()).toMatchObject({ decision: 'allow', reasons: [] });
  });

  it('never goes by a clock that is set', async () => {
    feed.isCut = true;
    service.clock.advance(-3600);
    service.monotonic.aheadMs += MAX_STALENESS_SECONDS * 1000;
    expect(await ask()).toMatchObject({ decision: 'deny', reasons: ['state_stale'] });
    service.clock.advance(3600);
    feed.isCut = false;
    await vi.waitFor(async () => expect((await ask()).decision).toBe('allow'), { timeout: 5_000 });
  });

  it('keeps a change back that it cannot take over whole, and takes it over later', async () => {
    const { admission } = service;
    const { seq } = admission.state;
    feed.isCut = true;
    const elsewhere = { ...service.context(), committed: async () => {} };
    await transitionEntity(elsewhere, entityId, 'suspend', 'again');
    expect(admission.state.seq).toBe(seq);
    feed.isCut = false;
    await vi.waitFor(() => expect(admission.state.seq).toBeGreaterThan(seq), { timeout: 5_000 });
    expect(await ask()).toMatchObject({ decision: 'deny', reasons: ['suspended'] });
  });
});
