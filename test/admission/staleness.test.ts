import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { changeRegistry } from '../../src/registry/change.ts';
import { addCredential } from '../../src/registry/credentials/add-credential.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { credentials } from '../../src/storage/schema/credentials.ts';
import { entities } from '../../src/storage/schema/entities.ts';
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
  let authority: Authority;
  let entityId: string;
  const { certificate } = clientCertificate();

  beforeAll(async () => {
    const cut = await databaseWithFeedSwitch();
    feed = cut.feed;
    service = await TestService.start(cut.database, {});
    listening = await service.listen();
    authority = await service.authority();
    const entity = await service.entity(await service.organisation(authority));
    entityId = entity.id;
    await addCredential(service.context(), entityId, { usage: 'transport', material: { certificate } });
    point = await testPoint(service, authority, { maxStalenessSeconds: MAX_STALENESS_SECONDS });
  });
  afterAll(async () => {
    await listening[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  async function ask(
    shown = certificate,
  ): Promise<{ status: number; decision: string; reasons: string[]; seq: number; lifeMs: number }> {
    const response = await fetch(`${listening.origin}/api/v1/admission`, {
      ...{ method: 'POST', body: JSON.stringify({ certificate: shown }) },
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
    const { certificate: shown } = clientCertificate();
    const { id } = await service.entity(await service.organisation(authority));
    const transport = { usage: 'transport', material: { certificate: shown } } as const;
    const credential = await addCredential(service.context(), id, transport);
    const answered = async () => (await ask(shown)).reasons.join();
    expect(await answered()).toBe('');
    const { admission } = service;
    const { seq } = admission.state;
    feed.isCut = true;
    // One change to records of two kinds.
    const elsewhere = { ...service.context(), committed: async () => {} };
    await changeRegistry(elsewhere, async (tx, record) => {
      await tx.update(entities).set({ state: 'suspended' }).where(eq(entities.id, id));
      await tx.update(credentials).set({ state: 'on_hold' }).where(eq(credentials.id, credential.id));
      const authorityId = authority.id;
      record({ action: 'entity.suspend', authorityId, subjectKind: 'entity', subjectId: id });
      record({ action: 'credential.hold', authorityId, subjectKind: 'credential', subjectId: credential.id });
    });
    // Every query of the way is the one that fails, each time.
    const { committed } = service.context();
    const seen: string[] = [];
    for (let queries = 0; ; queries++) {
      Object.assign(feed, { isCut: false, queriesLeft: queries });
      const isFollowed = await committed?.(seq + 1).then(
        () => true,
        () => false,
      );
      seen.push(`${await answered()} ${admission.state.seq - seq}`);
      if (isFollowed === true) break;
    }
    delete feed.queriesLeft;
    expect([...new Set(seen)]).toEqual([' 0', 'certificate_on_hold,suspended 1']);
    // Its seq, the change, and at least one record of it were read before one could not be.
    expect(seen.filter((answer) => answer === ' 0').length).toBeGreaterThan(3);
  });
});
