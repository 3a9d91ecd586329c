import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import { createToken } from '../../../../src/registry/tokens/create-token.ts';
import { revokeToken } from '../../../../src/registry/tokens/revoke-token.ts';
import { eventStream } from '../../../../src/storage/schema/events.ts';
import { ApiClient } from '../../../support/api-client.ts';
import { type ApiService, startApi } from '../../../support/api-service.ts';
import { DATABASE_KINDS } from '../../../support/databases.ts';

const ORIGIN = 'http://localhost:8080';

describe.each(DATABASE_KINDS)('[F50] events of the API on %s', (kind) => {
  let api: ApiService;
  let ours: Authority;
  let organisation: Organisation;
  let entity: Entity;
  beforeAll(async () => {
    api = await startApi({}, kind);
    ours = await api.service.authority();
    organisation = await api.service.organisation(ours);
    entity = await api.service.entity(organisation);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const seqNow = () => api.service.seq();
  const decide = (transition: 'suspend' | 'reinstate', id = entity.id) =>
    transitionEntity(api.service.context(), id, transition, 'x');

  async function tokenOf(roles: ('auditor' | 'technical-contact')[], organisationIds?: string[]) {
    const input = {
      name: 't',
      roles,
      authorityIds: null,
      lifetimeSeconds: 3600,
      ...(organisationIds && { organisationIds }),
    };
    const { secret, token } = await createToken(api.service.context(), input);
    return { id: token.id, authorization: `Bearer ${secret}` };
  }

  /** Takes the stream apart as its events come. */
  async function follow(query: string, headers: Record<string, string>) {
    const response = await api.service.app.fetch(new Request(`${ORIGIN}/api/v1/events/stream?${query}`, { headers }));
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    return {
      response,
      cancel: () => reader.cancel(),
      /** The next event; undefined when the stream has ended. */
      async next(): Promise<{ id?: string; event: string; data: { seq: number; type?: string } } | undefined> {
        const { value, done } = await reader.read();
        if (done) return undefined;
        const lines = value
          .trimEnd()
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
        const { data, ...rest } = Object.fromEntries(lines);
        return { ...rest, data: JSON.parse(data) };
      },
    };
  }

  it('[F50] are read in pages, by what was seen last, filtered', async () => {
    const first = await api.auditor.get('/api/v1/events?limit=2');
    expect(first.body.items.map(({ type }: { type: string }) => type)).toHaveLength(2);
    expect(first.body.next).toBe(first.body.items[1].id);
    const rest = await api.auditor.get(`/api/v1/events?after=${first.body.next}&limit=500`);
    expect(rest.body.next).toBe(String(await seqNow()));
    const types = rest.body.items.map(({ type }: { type: string }) => type);
    expect(types.slice(-2)).toEqual(['entity.added', 'entity.approved']);
    expect(rest.body.items.at(-1)).toMatchObject({
      data: {
        subject: { kind: 'entity', id: entity.id, organisationId: organisation.id, status: 'active' },
        affected: [],
      },
    });
    const some = await api.auditor.get(`/api/v1/events?type=organisation.*,entity.added&authorityId=${ours.id}`);
    expect(some.body.items.map(({ type }: { type: string }) => type)).toEqual([
      ...['organisation.added', 'organisation.approved', 'entity.added'],
    ]);
    const wrong = ['after=x', 'after=evt_1', 'type=x', 'type=', 'roleId=x', 'wait=31', 'wait=-1', 'limit=0', 'x=1'];
    for (const query of wrong) {
      expect((await api.auditor.get(`/api/v1/events?${query}`)).body, query).toMatchObject({
        code: 'validation_failed',
      });
    }
  });

  it('[F50] show to a member what is about it, and to nobody what is out of reach', async () => {
    const others = await api.service.organisation(ours);
    await api.service.trustMark(await api.service.trustMarkType(ours), entity.entityIdentifier);
    const { authorization } = await tokenOf(['technical-contact'], [organisation.id]);
    const before = await seqNow();
    await transitionOrganisation(api.service.context(), others.id, 'suspend', 'x');
    const { affected } = await transitionOrganisation(api.service.context(), organisation.id, 'suspend', 'x');
    expect(affected.map((one) => one.kind)).toEqual(['entity', 'trust_mark']);
    const member = new ApiClient(api.service.app, { authorization });
    const { body } = await member.get(`/api/v1/events?after=${before}`);
    expect(body.items.map(({ type }: { type: string }) => type)).toEqual(['organisation.suspended']);
    expect(body.items[0].data.subject.id).toBe(organisation.id);
    expect(body.items[0].data.affected.map(({ kind: what }: { kind: string }) => what)).toEqual(['entity']);
    const all = await member.get('/api/v1/events?limit=500');
    expect(JSON.stringify(all.body)).not.toContain(others.id);
    expect(all.body.items.map(({ type }: { type: string }) => type)).not.toContain('trust_mark.granted');
    const elsewhere = await api.client(['auditor'], [await api.service.authority()]);
    const theirs = await elsewhere.get('/api/v1/events?limit=500');
    expect(JSON.stringify(theirs.body)).not.toContain(ours.id);
    expect((await elsewhere.get(`/api/v1/events?authorityId=${ours.id}`)).status).toBe(404);
    await transitionOrganisation(api.service.context(), organisation.id, 'reinstate', 'x');
  });

  it('[F50] are waited for, and come with the change, without a question to the database meanwhile', async () => {
    const asked = await seqNow();
    const query = `after=${asked}&wait=30&type=entity.*`;
    const waiting = Promise.all(Array.from({ length: 5 }, () => api.auditor.get(`/api/v1/events?${query}`)));
    await vi.waitFor(() => expect(api.service.eventStreams.size).toBe(5));
    const { seq } = await decide('suspend');
    for (const { body } of await waiting) {
      expect(body).toMatchObject({ items: [{ type: 'entity.suspended', seq }], next: String(seq) });
    }
    expect(api.service.eventStreams.size).toBe(0);
    await decide('reinstate');
  });

  it('[F50] are followed from the last that was seen, until the token is revoked', async () => {
    const { id, authorization } = await tokenOf(['auditor']);
    const start = await seqNow();
    const stream = await follow(`after=${start}&type=entity.*`, { authorization });
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    expect(await stream.next()).toEqual({ id: String(start), event: 'heartbeat', data: { seq: start } });
    const { seq } = await decide('suspend');
    const { seq: later } = await decide('reinstate');
    expect(await stream.next()).toMatchObject({ id: `evt_${seq}_0`, event: 'entity.suspended', data: { seq } });
    expect(await stream.next()).toMatchObject({ id: `evt_${later}_0`, event: 'entity.reinstated' });
    const again = await follow('type=entity.*', { authorization, 'last-event-id': `evt_${seq}_0` });
    expect(await again.next()).toMatchObject({ id: `evt_${later}_0` });
    await revokeToken(api.service.context(), id);
    await decide('suspend');
    expect(await stream.next()).toBeUndefined();
    expect(await again.next()).toBeUndefined();
    expect(api.service.eventStreams.size).toBe(0);
    expect((await new ApiClient(api.service.app, { authorization }).get('/api/v1/events/stream')).status).toBe(401);
    await decide('reinstate');
  });

  it('[F50] wait for a reader who does not read, in the database and not in memory, and delay nobody', async () => {
    const { authorization } = await tokenOf(['auditor']);
    const start = await seqNow();
    const slow = await follow(`after=${start}&type=entity.*`, { authorization });
    const fast = await follow(`after=${start}&type=entity.*`, { authorization });
    await fast.next();
    for (let turn = 0; turn < 20; turn++) {
      const { seq } = await decide(turn % 2 === 0 ? 'suspend' : 'reinstate');
      expect((await fast.next())?.data.seq).toBe(seq);
    }
    await fast.cancel();
    const told: (number | undefined)[] = [];
    await slow.next();
    for (let turn = 0; turn < 20; turn++) told.push((await slow.next())?.data.seq);
    expect(told).toEqual(Array.from({ length: 20 }, (_, index) => start + 1 + index));
    await slow.cancel();
    expect(api.service.eventStreams.size).toBe(0);
  });

  it('[F50] are followed by one token in so many streams, of which a further one ends the oldest', async () => {
    const { authorization } = await tokenOf(['auditor']);
    const query = `after=${await seqNow()}`;
    const streams = [];
    for (let index = 0; index < 9; index++) streams.push(await follow(query, { authorization }));
    const [oldest, ...others] = streams;
    await oldest?.next();
    expect(await oldest?.next()).toBeUndefined();
    for (const other of others) expect(await other.next()).toMatchObject({ event: 'heartbeat' });
    expect(api.service.eventStreams.size).toBe(8);
    const polls = Array.from({ length: 17 }, () =>
      new ApiClient(api.service.app, { authorization }).get(`/api/v1/events?${query}&wait=30`),
    );
    const refused = await Promise.race(polls);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    // The service stops: whoever waits is let go.
    api.service.eventStreams[Symbol.dispose]();
    expect((await Promise.all(polls)).filter(({ status }) => status === 200)).toHaveLength(16);
    for (const other of others) expect(await other.next()).toBeUndefined();
    const late = await follow(query, { authorization });
    expect(await late.next()).toBeUndefined();
  });

  it('[F50] are asked for anew by who is too far behind', async () => {
    await api.service.db.update(eventStream).set({ prunedThroughSeq: 5 });
    const old = await api.auditor.get('/api/v1/events?after=4');
    expect(old.body).toMatchObject({ status: 410, code: 'resync_required' });
    expect((await api.auditor.get('/api/v1/events/stream?after=evt_4_0')).status).toBe(410);
    expect((await api.auditor.get('/api/v1/events?limit=1')).body.items[0].seq).toBeGreaterThan(5);
  });
});
