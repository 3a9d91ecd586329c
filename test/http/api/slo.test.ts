import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { pruneExpired } from '../../../src/registry/prune-expired.ts';
import { burnOf } from '../../../src/registry/slo/objectives.ts';
import { saveServiceMinute } from '../../../src/registry/slo/save-service-hours.ts';
import { ApiClient } from '../../support/api-client.ts';
import { type ApiService, startApi } from '../../support/api-service.ts';
import { callHoldfast } from '../../support/cli.ts';
import { testPoint } from '../../support/evidence.ts';

let api: ApiService;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const NOTHING = { requests: 0, failures: 0 };

/** By whichever composition runs, and a token of now. */
async function slo() {
  const auditor = await api.client(['auditor']);
  const { status, body } = await auditor.get('/api/v1/slo');
  expect(status).toBe(200);
  return body;
}

/** Of the longest window. */
async function month() {
  const { availability } = await slo();
  return availability.windows.at(-1);
}

describe('[F54] the objectives', () => {
  it('are judged by what all nodes answered, across restarts, and by the minutes in which one was ready', async () => {
    const { service } = api;
    expect(await slo()).toMatchObject({ since: null, availability: { objective: 0.995 } });
    const authority = await service.authority();
    await service.ask(authority, 'fetch', { sub: 'https://nobody.example' });
    await service.saveServiceMinute();
    await service.saveServiceMinute();
    service.clock.advance(60);
    await service.restart();
    await service.ask(authority, 'fetch', { sub: 'https://nobody.example' });
    await service.saveServiceMinute();
    // The minute after that nobody was ready; in the next one another node was, and failed.
    service.clock.advance(120);
    const another = { federation: { requests: 2, failures: 1 }, admission: NOTHING, api: NOTHING };
    const at = new Date(service.clock.now() * 1000);
    await saveServiceMinute(service.db, { at, isReady: true, answered: another });
    service.clock.advance(60);
    const { minutes, readyMinutes, time, requests } = await month();
    expect({ minutes, readyMinutes, time }).toEqual({
      ...{ minutes: 4, readyMinutes: 3 },
      time: { share: 0.75, burnRate: 50 },
    });
    expect(requests[0]).toEqual({
      ...{ surface: 'federation', requests: 4, failures: 1 },
      burn: { share: 0.75, burnRate: 50 },
    });
    expect(requests[1]).toMatchObject({ surface: 'admission', burn: { share: null, burnRate: null } });
  });

  it('forget what is older than their window, and hours are deleted in the end', async () => {
    const { service } = api;
    service.clock.advance(31 * 86_400);
    expect(await month()).toMatchObject({ requests: [{ requests: 0 }, {}, {}] });
    const hours = async () => (await service.db.execute(sql`SELECT 1 FROM service_hours`)).rows.length;
    expect(await hours()).toBeGreaterThan(0);
    await pruneExpired(service.db, new Date((service.clock.now() + 400 * 86_400) * 1000));
    expect(await hours()).toBe(0);
  });

  it('tell how quickly what takes a permission away was acted on, and what nobody can know', async () => {
    const { service } = api;
    const authority = await service.authority();
    const entity = await service.entity(await service.organisation(authority));
    const points = await Promise.all(
      ['quick', 'slow', 'late caller', 'silent'].map((name) => testPoint(service, authority, { name })),
    );
    await transitionEntity(service.context(), entity.id, 'suspend', 'as a test needs it');
    const seq = await service.seq();
    const [quick, slow, caller] = points.map(({ id }) => id);
    const acknowledged = [
      [quick, 'stream', 900],
      [slow, 'stream', 1_100],
      [caller, 'call', 60_000],
    ] as const;
    for (const [id, via, lagMs] of acknowledged) {
      await service.db.execute(sql`
        INSERT INTO enforcement_point_acknowledgements (enforcement_point_id, seq, via, acknowledged_at)
        SELECT ${id}::uuid, seq, ${via}, written_at + ${lagMs}::int * interval '1 millisecond'
        FROM audit WHERE seq = ${seq} AND ordinal = 0`);
    }
    const [day] = (await slo()).propagation.windows;
    expect(day).toMatchObject({ hours: 24, changes: 1, inTime: 1, late: 1, burn: { share: 0.5, burnRate: 50 } });
    // Heard of by its call alone, a minute after: nobody knows whom it would have let in before. Of the silent one the
    // second is not over yet, or it was not heard of since.
    expect([1, 2]).toContain(day.unknown);
    await testPoint(service, authority, { name: 'came later' });
    expect((await slo()).propagation.windows[0]).toMatchObject({ inTime: 1, late: 1, unknown: expect.any(Number) });
  });

  it('are for staff that reaches all authorities', async () => {
    const authority = await api.service.authority();
    const clients = [new ApiClient(api.service.app), await api.client(['auditor'], [authority])];
    clients.push(await api.client(['registrar']));
    const statuses = clients.map(async (client) => (await client.get('/api/v1/slo')).status);
    expect(await Promise.all(statuses)).toEqual([401, 403, 200]);
  });

  it('are shown by the command line', async () => {
    const { service } = api;
    await using listening = await service.listen();
    const { authorization } = await service.bearer(['auditor']);
    const env = { HOLDFAST_URL: listening.origin, HOLDFAST_TOKEN: authorization.replace('Bearer ', '') };
    const { exitCode, stdout } = await callHoldfast(['slo'], { env });
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/objective 99\.5 %[\s\S]*BURN RATE[\s\S]*within 1000 ms/),
    ]);
  });
});

it('burns nothing when all is well, its room at the objective, and never hides a failure', () => {
  expect(burnOf(1000, 1000, 0.995)).toEqual({ share: 1, burnRate: 0 });
  expect(burnOf(995, 1000, 0.995)).toEqual({ share: 0.995, burnRate: 1 });
  expect(burnOf(0, 0, 0.995)).toEqual({ share: null, burnRate: null });
});
