import { and, eq, gt } from 'drizzle-orm';
import { afterAll, describe, expect, it } from 'vitest';
import { SharedReads } from '../../../../src/http/api/events/shared-reads.ts';
import { readStatusChanges } from '../../../../src/registry/events/read-status.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import { eventStream, events } from '../../../../src/storage/schema/events.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service, anonymous } = api;
const authority = await service.authority();
const organisation = await service.organisation(authority);
const entity = await service.entity(organisation);
const draft = await service.entity(organisation, {}, 'pending');
const waiting = await service.organisation(authority, 'pending');
const refused = await service.organisation(authority, 'rejected');
const gone = await service.organisation(authority, 'withdrawn');
// What these made directly, this node reads before it answers.
await transitionOrganisation(service.context(), organisation.id, 'suspend', 'x');

describe('[F11] the status of a participant, for everybody', () => {
  it('[F11] is told of who was ever let in, and of nobody else', async () => {
    const read = async (id: string) => (await anonymous.get(`/api/v1/status/${id}`)).body;
    expect(await read(organisation.id)).toEqual({ kind: 'organisation', id: organisation.id, status: 'suspended' });
    expect(await read(entity.id)).toEqual({ kind: 'entity', id: entity.id, status: 'suspended' });
    expect(await read(gone.id)).toEqual({ kind: 'organisation', id: gone.id, status: 'withdrawn' });
    for (const id of [draft.id, waiting.id, refused.id, NO_SUCH_ID, 'x', '%00']) {
      expect(await read(id), id).toMatchObject({ status: 404, code: 'unknown_participant' });
    }
  });

  it('[F11] is told of all, then only of what changed', async () => {
    const all = await anonymous.get('/api/v1/status?limit=2');
    expect(all.body.items.map(({ id }: { id: string }) => id)).toEqual([organisation.id, entity.id]);
    const rest = await anonymous.get(`/api/v1/status?limit=2&cursor=${all.body.next}`);
    expect(rest.body).toEqual({
      items: [{ kind: 'organisation', id: gone.id, status: 'withdrawn' }],
      nextSeq: all.body.nextSeq,
    });
    const since = all.body.nextSeq;
    const nothing = await anonymous.get(`/api/v1/status?since=${since}`);
    expect(nothing.body).toEqual({ items: [], nextSeq: since });
    expect(nothing.headers.get('ratelimit')).toBeNull();
    const { seq } = await transitionOrganisation(service.context(), organisation.id, 'reinstate', 'x');
    const changed = await anonymous.get(`/api/v1/status?since=${since}`);
    expect(changed.headers.get('x-registry-seq')).toBe(String(seq));
    expect(changed.body).toEqual({
      items: [
        { kind: 'organisation', id: organisation.id, status: 'active', seq },
        { kind: 'entity', id: entity.id, status: 'active', seq },
      ],
      nextSeq: seq,
    });
  });

  it('[F11] costs little where nothing is new', async () => {
    const first = await anonymous.get('/api/v1/status?since=0');
    const tag = first.headers.get('etag') ?? '';
    const again = await anonymous.get('/api/v1/status?since=0', { 'if-none-match': `"x", ${tag}` });
    expect([again.status, again.headers.get('etag')]).toEqual([304, tag]);
    // Whoever has it costs no look at the records; all others count.
    expect([first.headers.has('ratelimit'), again.headers.has('ratelimit')]).toEqual([true, false]);
    await transitionOrganisation(service.context(), organisation.id, 'suspend', 'x');
    const later = await anonymous.get('/api/v1/status?since=0', { 'if-none-match': tag });
    expect(later.status).toBe(200);
    expect(later.body.nextSeq).toBe(first.body.nextSeq + 1);
  });

  it('[F11] has a tag of its contents: the same numbers of another history have another', async () => {
    const tag = async (limit: number) =>
      (await anonymous.get(`/api/v1/status?since=0&limit=${limit}`)).headers.get('etag');
    const before = await tag(997);
    expect(await tag(998)).toBe(before);
    const lost = and(eq(events.subjectId, organisation.id), gt(events.seq, 0));
    const rows = await service.db.delete(events).where(lost).returning();
    expect(await tag(999)).not.toBe(before);
    await service.db.insert(events).values(rows);
  });

  it('[F11] never divides a change, however many events tell of it', async () => {
    const seq = await service.seq();
    const [row] = await service.db.select().from(events).where(eq(events.seq, seq));
    if (row === undefined) throw new Error('the last change is not told of');
    const more = [1, 2, 3].map((place) => ({
      ...{ ...row, ordinal: row.ordinal + place },
      statuses: [{ kind: 'entity' as const, id: `member ${place}`, status: 'active' as const }],
    }));
    await service.db.insert(events).values(more);
    for (const limit of [1, 2, 3, 4, 5, 6]) {
      const page = await readStatusChanges(service.db, { since: seq - 1, throughSeq: seq, limit });
      expect(page.nextSeq).toBe(seq);
      expect(page.items.map(({ id }) => id).slice(-3)).toEqual(['member 1', 'member 2', 'member 3']);
    }
    const before = await readStatusChanges(service.db, { since: 0, throughSeq: seq, limit: 1 });
    expect(before.nextSeq).toBeLessThan(seq);
    const gone = and(eq(events.seq, seq), gt(events.ordinal, row.ordinal));
    await service.db.delete(events).where(gone);
  });

  it('[F11] is read a few at a time: the others wait, and beyond that are refused', async () => {
    const reads = new SharedReads<number>();
    const begun: (() => void)[] = [];
    const load = () => new Promise<number>((resolve) => begun.push(() => resolve(1)));
    const all = Array.from({ length: 259 }, (_, place) => reads.read(`${place}`, load));
    expect(begun.length).toBe(3);
    await expect(reads.read('one more', load)).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    const same = reads.read('258', load);
    for (const [place, reading] of all.entries()) {
      begun[place]?.();
      await reading;
      expect(begun.length).toBeLessThanOrEqual(place + 4);
    }
    expect([await same, begun.length]).toEqual([1, 259]);
  });

  it('[F11] is refused for what is no change, or not yet one, or no longer kept', async () => {
    for (const query of ['since=x', 'since=-1', 'since=1.5', 'since=', 'limit=0', 'limit=1001', 'cursor=x', 'x=1']) {
      expect((await anonymous.get(`/api/v1/status?${query}`)).body, query).toMatchObject({ code: 'validation_failed' });
    }
    const { body: all } = await anonymous.get('/api/v1/status?limit=1');
    const both = await anonymous.get(`/api/v1/status?since=0&cursor=${all.next}`);
    expect(both.body).toMatchObject({ status: 400, errors: [{ pointer: '/query/cursor' }] });
    const seq = await service.seq();
    const future = await anonymous.get(`/api/v1/status?since=${seq + 1}`);
    expect(future.body).toMatchObject({ status: 410, code: 'resync_required' });
    await service.db.update(eventStream).set({ prunedThroughSeq: 3 });
    const old = await anonymous.get('/api/v1/status?since=2');
    expect(old.body).toMatchObject({ status: 410, code: 'resync_required', keptSince: 3 });
    expect((await anonymous.get('/api/v1/status?since=3')).status).toBe(200);
  });
});
