import { X509Certificate } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { addCredential } from '../../../../src/registry/credentials/add-credential.ts';
import { rotateEnforcementPointToken } from '../../../../src/registry/enforcement-points/rotate-enforcement-point-token.ts';
import type { Entity } from '../../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { readMeasures } from '../../../../src/registry/measures/read-measures.ts';
import { pruneExpired } from '../../../../src/registry/prune-expired.ts';
import { connectDatabase } from '../../../../src/storage/connect.ts';
import { enforcementPointAcknowledgements } from '../../../../src/storage/schema/enforcement-points.ts';
import { ApiClient } from '../../../support/api-client.ts';
import { callHoldfast } from '../../../support/cli.ts';
import { clientCertificate } from '../../../support/credentials.ts';
import { DATABASE_KINDS } from '../../../support/databases.ts';
import { suspendPoint, type TestPoint, testPoint } from '../../../support/evidence.ts';
import { startTestService, TestService } from '../../../support/service.ts';

const SELF = '/api/v1/enforcement-points/self';

describe.each(DATABASE_KINDS)('[B1] the way of a change on %s', (kind) => {
  let stack: AsyncDisposableStack;
  /** One node, or two. */
  let nodes: { service: TestService; origin: string; auditor: ApiClient }[];
  let authority: Authority;
  let member: { entity: Entity; certificate: string };
  let points: TestPoint[];
  let bearer: string;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const first = stack.use(await startTestService(kind));
    const services = [first];
    const { url } = first.database;
    if (url !== undefined) services.push(stack.use(await TestService.start(await connectDatabase({ url }), {})));
    authority = await first.authority();
    const entity = await first.entity(await first.organisation(authority));
    const { certificate } = clientCertificate();
    await addCredential(first.context(), entity.id, { usage: 'transport', material: { certificate } });
    member = { entity, certificate };
    points = await Promise.all(['caller', 'follower', 'silent'].map((name) => testPoint(first, authority, { name })));
    ({ authorization: bearer } = await first.bearer(['auditor'], [authority]));
    const opened = services.map(async (service) => {
      const { origin } = stack.use(await service.listen());
      return { service, origin, auditor: new ApiClient(service.app, { authorization: bearer }) };
    });
    nodes = await Promise.all(opened);
  });
  afterAll(() => stack.disposeAsync());

  const first = () => nodes[0]!;
  const last = () => nodes.at(-1)!;

  /** Waits until every node knows it, as their users would see. @returns its seq */
  async function change(): Promise<number> {
    const { entity } = member;
    const isSuspended =
      (await first().service.db.execute(sql`SELECT 1 FROM entities WHERE id = ${entity.id} AND state = 'suspended'`))
        .rows.length > 0;
    await transitionEntity(
      first().service.context(),
      entity.id,
      isSuspended ? 'reinstate' : 'suspend',
      'as a test needs it',
    );
    const seq = await first().service.seq();
    await expect.poll(() => last().service.admission.state.seq).toBe(seq);
    return seq;
  }

  /** Asks for admission as a gateway does. */
  async function call({ origin }: { origin: string }, { token }: TestPoint): Promise<Response> {
    const der = new X509Certificate(member.certificate).raw.toString('base64');
    const headers = { 'holdfast-enforcement-point': token, 'client-cert': `:${der}:` };
    return await fetch(`${origin}/api/v1/admission/http`, { headers });
  }

  async function save(): Promise<void> {
    for (const { service } of nodes) await service.evidence.save();
  }

  async function databaseMs(): Promise<number> {
    const { rows } = await first().service.db.execute<{ ms: string }>(
      sql`SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms`,
    );
    return Number(rows[0]?.ms);
  }

  async function propagation(seq: number | 'latest', { auditor } = first()) {
    const { status, body } = await auditor.get(`/api/v1/propagation/${seq}`);
    expect(status).toBe(200);
    return body;
  }

  /** Of whom the last change is acknowledged, as all nodes say. */
  async function acknowledged(seq: number | 'latest'): Promise<string[]> {
    const reports = await Promise.all(nodes.map((node) => propagation(seq, node)));
    const named = reports.map(({ points }) =>
      points
        .flatMap(({ name, lagMs }: { name: string; lagMs: number | null }) => (lagMs === null ? [] : [name]))
        .sort(),
    );
    for (const names of named) expect(names).toEqual(named[0]);
    return named[0];
  }

  it('is known of whoever asks, by any node, from its first answer on', async () => {
    const before = await databaseMs();
    const seq = await change();
    expect(await acknowledged(seq)).toEqual([]);
    const beforeCall = await databaseMs();
    const [caller, follower] = [points[0]!, points[1]!];
    const response = await call(first(), caller);
    expect(response.headers.get('holdfast-reason')).toBe('suspended');
    await call(last(), follower);
    await call(last(), caller);
    await save();
    const after = await databaseMs();
    expect(await acknowledged(seq)).toEqual(['caller', 'follower']);
    const report = await propagation('latest');
    expect(report).toMatchObject({ seq, acknowledged: 2, laggards: [points[2]!.id] });
    expect(Date.parse(report.writtenAt)).toBeGreaterThanOrEqual(Math.floor(before));
    for (const point of report.points.slice(1)) {
      const acknowledgedMs = Date.parse(point.acknowledgedAt);
      expect(acknowledgedMs).toBeGreaterThanOrEqual(Math.floor(beforeCall));
      expect(acknowledgedMs).toBeLessThanOrEqual(after);
      expect(point).toMatchObject({ via: 'call', lagMs: acknowledgedMs - Date.parse(report.writtenAt) });
    }
    const lags = report.points.slice(1).map(({ lagMs }: { lagMs: number }) => lagMs);
    expect([report.worstLagMs, report.p95LagMs, report.p50LagMs]).toEqual([lags[0], lags[0], lags[1]]);
    expect(report.points[0]).toMatchObject({ name: 'silent', lagMs: null, lastSeenAt: null, canary: null });
  });

  it('is measured for alerts, at those who act on it or asked since and do not', async () => {
    const seq = await change();
    const { db } = first().service;
    const [caller, follower] = [points[0]!, points[1]!];
    const lags = async () => Object.fromEntries((await readMeasures(db)).propagation.map((row) => [row.name, row]));
    // Nobody was heard of since: nothing is known.
    expect(await lags()).toEqual({});
    await call(last(), caller);
    await save();
    const { points: reported } = await propagation('latest');
    const { lagMs } = reported.find(({ name }: { name: string }) => name === 'caller');
    // One that still acts on what was before, two seconds after the change.
    await db.execute(sql`
      INSERT INTO enforcement_point_sightings (enforcement_point_id, seq, seen_at)
      SELECT ${follower.id}, ${seq - 1}, written_at + interval '2 seconds' FROM audit WHERE seq = ${seq} LIMIT 1
      ON CONFLICT (enforcement_point_id) DO UPDATE SET seen_at = excluded.seen_at`);
    const { caller: quick, follower: late, silent } = await lags();
    expect(quick).toMatchObject({ authority: authority.entityIdentifier, via: 'call' });
    expect(quick?.lagSeconds).toBeCloseTo(lagMs / 1000, 2);
    expect(late).toMatchObject({ via: 'none', lagSeconds: expect.any(Number) });
    expect(silent).toBeUndefined();
    const shown = await first().service.metrics();
    const of = (name: string) => `authority="${authority.entityIdentifier}",enforcement_point="${name}"`;
    expect(shown).toMatch(new RegExp(`^holdfast_propagation_lag_seconds\\{${of('caller')},via="call"\\} \\d`, 'm'));
    expect(shown).toMatch(new RegExp(`^holdfast_propagation_lag_seconds\\{${of('follower')},via="none"\\} \\d`, 'm'));
    await db.execute(sql`DELETE FROM enforcement_point_sightings WHERE enforcement_point_id = ${follower.id}`);
    await call(last(), follower);
    await save();
    expect((await lags())['follower']).toMatchObject({ via: 'call' });
  });

  it('is acknowledged by whoever acknowledges a later one', async () => {
    const seq = await change();
    await change();
    await call(last(), points[0]!);
    await save();
    expect(await acknowledged(seq)).toEqual(['caller']);
  });

  it('is told to those that follow, who acknowledge it', async () => {
    const follower = points[1]!;
    const headers = { 'holdfast-enforcement-point': follower.token };
    await using stream = await follow(last().origin, headers);
    expect(await stream.next()).toMatchObject({ seq: last().service.admission.state.seq });
    const seq = await change();
    expect(await stream.next()).toMatchObject({ seq });
    const acknowledge = (body: unknown) =>
      fetch(`${last().origin}${SELF}/acknowledgements`, {
        ...{ method: 'POST', body: JSON.stringify(body) },
        headers: { ...headers, 'content-type': 'application/json' },
      });
    expect((await acknowledge({ seq })).status).toBe(204);
    expect((await acknowledge({ seq: seq + 1 })).status).toBe(400);
    expect((await acknowledge({ seq: -1 })).status).toBe(400);
    await save();
    expect(await acknowledged(seq)).toEqual(['follower']);
    expect((await propagation(seq)).points.at(-1)).toMatchObject({ via: 'stream' });
  });

  it('is none of what strangers hear of, and a stream ends with its enforcement point', async () => {
    for (const headers of [{}, { 'holdfast-enforcement-point': 'hfep_x' }, { authorization: bearer }]) {
      expect((await fetch(`${first().origin}${SELF}/seq`, { headers })).status).toBe(401);
      const posted = { method: 'POST', body: '{"seq":1}', headers: { ...headers, 'content-type': 'application/json' } };
      expect((await fetch(`${first().origin}${SELF}/acknowledgements`, posted)).status).toBe(401);
    }
    const { service, origin } = first();
    const gone = await testPoint(service, authority);
    await using stream = await follow(origin, { 'holdfast-enforcement-point': gone.token });
    await stream.next();
    await suspendPoint(service, gone);
    expect(await stream.next()).toBeUndefined();
  });

  it('is followed no longer with a token that was rotated', async () => {
    const { service, origin } = first();
    const rotated = await testPoint(service, authority);
    await using stream = await follow(origin, { 'holdfast-enforcement-point': rotated.token });
    await stream.next();
    await rotateEnforcementPointToken(service.context(), rotated.id);
    expect(await stream.next()).toBeUndefined();
  });

  it('is nothing to staff of another authority, whose latest is their own', async () => {
    const { service } = first();
    const other = await service.authority();
    const { seq: own } = await propagation('latest');
    const stranger = new ApiClient(service.app, await service.bearer(['auditor'], [other]));
    const { body: last } = await stranger.get('/api/v1/propagation/latest');
    const seq = await change();
    expect((await stranger.get(`/api/v1/propagation/${seq}`)).status).toBe(404);
    expect((await stranger.get('/api/v1/propagation/latest')).body).toMatchObject({ seq: last.seq });
    expect((await stranger.get(`/api/v1/propagation/${last.seq}`)).status).toBe(200);
    expect((await first().auditor.get(`/api/v1/propagation/${last.seq}`)).status).toBe(404);
    expect(own).toBeLessThan(last.seq);
  });

  it('does not count those that came after it, nor those of another authority', async () => {
    const seq = await change();
    await testPoint(first().service, authority, { name: 'newcomer' });
    await testPoint(first().service, await first().service.authority(), { name: 'stranger' });
    const names = (await propagation(seq)).points.map(({ name }: { name: string }) => name);
    expect(names).not.toContain('newcomer');
    expect(names).not.toContain('stranger');
    for (const unknown of [0, seq + 1000]) {
      expect((await first().auditor.get(`/api/v1/propagation/${unknown}`)).status).toBe(404);
    }
  });

  it('is shown by the command line, whose exit code tells whether all act on it', async () => {
    const env = { HOLDFAST_URL: first().origin, HOLDFAST_TOKEN: bearer.replace('Bearer ', '') };
    const seq = String(await change());
    await call(first(), points[0]!);
    await save();
    const waiting = await callHoldfast(['propagation', seq], { env });
    expect(waiting.exitCode).toBe(1);
    expect(waiting.stdout).toMatch(/silent +no call since/);
    expect(waiting.stderr).toMatch(new RegExp(`nobody has called since change ${seq} at .*follower.* silent,`));
    expect(waiting.stderr).not.toContain('caller');
    const watching = callHoldfast(['propagation', seq, '--watch'], { env });
    const { body } = await first().auditor.get(`/api/v1/propagation/${seq}`);
    await first().service.db.execute(sql`
      INSERT INTO enforcement_point_acknowledgements SELECT id::uuid, ${Number(seq)}, 'call', clock_timestamp()
      FROM jsonb_array_elements_text(${JSON.stringify(body.laggards)}::jsonb) AS laggard (id)`);
    const watched = await watching;
    expect(watched.exitCode).toBe(0);
    expect(watched.stdout).toMatch(/silent +\d+ ms/);
    expect((await callHoldfast(['propagation', 'x'], { env })).exitCode).toBe(2);
  });

  it('is forgotten after 30 days, but for what each acknowledged last', async () => {
    const { db } = first().service;
    const count = () => db.$count(enforcementPointAcknowledgements, sql`enforcement_point_id = ${points[0]!.id}`);
    expect(await count()).toBeGreaterThan(1);
    await db.execute(sql`UPDATE enforcement_point_acknowledgements SET acknowledged_at = now() - interval '31 days'`);
    await pruneExpired(db, new Date());
    expect(await count()).toBe(1);
  });
});

interface EventReader extends AsyncDisposable {
  /** Undefined once it has ended. */
  next(): Promise<{ seq: number } | undefined>;
}

/** Events of a stream, one by one. */
async function follow(origin: string, headers: Record<string, string>): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(`${origin}${SELF}/seq`, { headers, signal: abort.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const events: EventReader = {
    async next() {
      while (!text.includes('\n\n')) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value;
      }
      const [event = '', ...rest] = text.split('\n\n');
      text = rest.join('\n\n');
      if (event.startsWith('event: heartbeat')) return await events.next();
      return JSON.parse(event.replace('event: seq\ndata: ', ''));
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await reader.closed.catch(() => undefined);
    },
  };
  return events;
}
