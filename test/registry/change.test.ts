import { randomUUID } from 'node:crypto';
import { count, eq } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { affectedSubjects } from '../../src/registry/affected-subjects.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { createAuthority } from '../../src/registry/authorities/create-authority.ts';
import { changeRegistry, type Idempotency, withChanges } from '../../src/registry/change.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { addOrganisation } from '../../src/registry/organisations/add-organisation.ts';
import { updateOrganisation } from '../../src/registry/organisations/update-organisation.ts';
import { givenRoles } from '../../src/registry/roles/given-roles.ts';
import { CHANGES_CHANNEL } from '../../src/storage/change-feed.ts';
import { entities } from '../../src/storage/schema/entities.ts';
import { organisations } from '../../src/storage/schema/organisations.ts';
import { registryCounter } from '../../src/storage/schema/registry-counter.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { untilWaiting } from '../support/postgres-locks.ts';
import {
  actor,
  generateTestKey,
  NOW_DATE,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../support/registry.ts';

const FIELDS = { legalName: 'Partner Ltd' };

describe.each(DATABASE_KINDS)('a change of the registry on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it('takes the next seq, writes its audit rows under it, and tells this node and the others', async () => {
    const seq = await registry.seq();
    const { promise: notified, resolve } = Promise.withResolvers<string>();
    const unlisten = await registry.database.listen(CHANGES_CHANNEL, resolve);
    const committed: number[] = [];
    const context = registry.context(actor({ id: 'ada' }), {
      requestId: 'request-1',
      committed: async (reached) => {
        // By now the change is there for everybody.
        expect(await registry.seq()).toBe(reached);
        committed.push(reached);
      },
    });
    const { id } = await addOrganisation(context, authority.id, FIELDS);
    expect(committed).toEqual([seq + 1]);
    expect(await notified).toBe(String(seq + 1));
    await unlisten();
    expect(await registry.auditAfter(seq)).toEqual([
      expect.objectContaining({
        seq: seq + 1,
        ordinal: 0,
        at: context.now,
        actor: { kind: 'token', id: 'ada', name: 'name of ada' },
        action: 'organisation.add',
        authorityId: authority.id,
        subjectKind: 'organisation',
        subjectId: id,
        before: null,
        requestId: 'request-1',
      }),
    ]);
  });

  it('that fails leaves nothing behind: no record, no audit row, no gap', async () => {
    const organisation = await registry.organisation(authority);
    const entity = await registry.entity(organisation);
    const seq = await registry.seq();
    await refusedBy(transitionEntity(registry.context(), entity.id, 'approve', 'twice'));
    expect(await registry.seq()).toBe(seq);
    expect(await registry.auditAfter(seq)).toEqual([]);
    await transitionEntity(registry.context(), entity.id, 'suspend', 'next');
    expect((await registry.auditAfter(seq)).map((row) => row.seq)).toEqual([seq + 1]);
  });

  it('numbers many at once without a gap, although some fail, even after they took their number', async () => {
    const held = await registry.organisation(authority);
    const start = await registry.seq();
    // No database keeps this request id: the audit, which is written last, fails.
    const unwritable = registry.context(actor(), { requestId: '\0' });
    const attempts = Array.from({ length: 20 }, (_, index) => {
      if (index % 5 === 1) return addOrganisation(unwritable, authority.id, FIELDS);
      if (index % 5 === 2)
        return updateOrganisation(registry.context(), held.id, { legalName: `${index}` }, held.version - 1);
      return addOrganisation(registry.context(), authority.id, FIELDS);
    });
    const made = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'fulfilled').length;
    expect(made).toBe(12);
    const seqs = (await registry.auditAfter(start)).map((row) => row.seq);
    expect(seqs).toEqual(Array.from({ length: made }, (_, index) => start + 1 + index));
    expect(await registry.seq()).toBe(start + made);
  });

  it('of more rows than one statement takes is written whole, in order and chained', async () => {
    const { db } = registry;
    const seq = await registry.seq();
    const [before] = await db.select().from(registryCounter);
    await changeRegistry(registry.context(), async (_tx, record) => {
      for (let index = 0; index < 8001; index++) {
        record({ action: 'contact.stale', authorityId: authority.id, subjectKind: 'contact', subjectId: `${index}` });
      }
    });
    const rows = await registry.auditAfter(seq);
    expect(rows.map(({ ordinal, subjectId }) => `${ordinal} ${subjectId}`)).toEqual(
      Array.from({ length: 8001 }, (_, index) => `${index} ${index}`),
    );
    const [after] = await db.select().from(registryCounter);
    expect(after?.auditRows).toBe((before?.auditRows ?? 0) + 8001);
    expect(after?.auditHash).toBe(rows.at(-1)?.hash);
  });

  describe('with an Idempotency-Key', () => {
    const request = (key: string, requestHash = 'hash'): Idempotency => ({ key, requestHash });
    const add = (idempotency: Idempotency, legalName = 'Partner', by = actor()) =>
      addOrganisation(registry.context(by), authority.id, { ...FIELDS, legalName }, idempotency);
    const organisationCount = async () => (await registry.db.select({ found: count() }).from(organisations))[0]?.found;

    it('makes one record however often it is repeated, and takes no seq for repetitions', async () => {
      const first = await add(request('again'));
      const [seq, before] = [await registry.seq(), await organisationCount()];
      expect(await add(request('again'))).toEqual(first);
      expect(await registry.seq()).toBe(seq);
      expect(await organisationCount()).toBe(before);
    });

    it('makes one record when it is sent twice at once', async () => {
      const seq = await registry.seq();
      const [one, other] = await Promise.all([add(request('at once')), add(request('at once'))]);
      expect(one).toEqual(other);
      expect(await registry.seq()).toBe(seq + 1);
    });

    it('gives the present state of the record to a late repetition', async () => {
      const first = await add(request('late'));
      const renamed = await updateOrganisation(registry.context(), first.id, { legalName: 'Renamed' });
      expect(await add(request('late'))).toEqual(renamed);
    });

    it('refuses another request under the same key', async () => {
      await add(request('reused'));
      const error = await refusedBy(add(request('reused', 'other hash')));
      expect([error.code, error.kind]).toEqual(['idempotency_key_reused', 'conflict']);
    });

    it('tells the keys of different callers apart', async () => {
      const mine = await add(request('shared'), 'mine', actor({ id: 'ada' }));
      const theirs = await add(request('shared', 'other hash'), 'theirs', actor({ id: 'bob' }));
      expect([mine.legalName, theirs.legalName]).toEqual(['mine', 'theirs']);
      expect(await add(request('shared'), 'mine', actor({ id: 'ada' }))).toEqual(mine);
      expect(await add(request('shared', 'other hash'), 'theirs', actor({ id: 'bob' }))).toEqual(theirs);
    });

    it('can be tried again after a failure', async () => {
      const create = (entityIdentifier: string) =>
        createAuthority(registry.context(), { entityIdentifier, name: 'Test' }, generateTestKey, request('failed'));
      expect(await outcome(create(authority.entityIdentifier))).toBe('authority_exists');
      expect(await outcome(create(`${authority.entityIdentifier}/free`))).toBe('done');
    });
  });
});

it('on postgresql concerns more entities than a statement takes parameters, and so do those who follow it', async () => {
  await using registry = await openRegistry('postgresql');
  const { id: authorityId } = await registry.authority();
  const entity = await registry.entity(await registry.organisation(await registry.authority()));
  const ids = [entity.id, ...Array.from({ length: 66_000 }, () => randomUUID())];
  const seq = await registry.seq();
  const now = new Date(NOW_DATE.getTime() + 1000);
  await changeRegistry(registry.context(actor(), { now }), async (_tx, record) => {
    for (const subjectId of ids) record({ action: 'entity.lock_role', authorityId, subjectKind: 'entity', subjectId });
  });
  const changes = await registry.auditAfter(seq);
  expect(changes).toHaveLength(ids.length);
  const [row] = await registry.db.select().from(entities).where(eq(entities.id, entity.id));
  expect(row?.updatedAt).toEqual(now);
  expect(await affectedSubjects(registry.db, changes)).toHaveLength(1);
  expect(await givenRoles(registry.db, ids)).toEqual(new Map());
});

it('on postgresql the counter is held only at the end: work under way holds up no other change', async () => {
  await using registry = await openRegistry('postgresql');
  const authority = await registry.authority();
  const slow = await registry.organisation(authority);
  const seq = await registry.seq();
  let update = Promise.resolve('');
  await registry.db.transaction(async (tx) => {
    await tx.select().from(organisations).for('update');
    update = outcome(updateOrganisation(registry.context(), slow.id, { legalName: 'slow' }));
    await untilWaiting(registry.db);
    // Its transaction is open and waits; a new record needs nothing that it holds.
    await addOrganisation(registry.context(), authority.id, FIELDS);
  });
  expect(await update).toBe('done');
  expect((await registry.auditAfter(seq)).map((row) => row.action)).toEqual([
    'organisation.add',
    'organisation.update',
  ]);
});

it('on postgresql counter, audit rows, end of the chain and notification take two round trips', async () => {
  await using registry = await openRegistry('postgresql');
  const { id } = await registry.authority();
  const query = vi.spyOn(Client.prototype, 'query');
  onTestFinished(() => query.mockRestore());
  await addOrganisation(registry.context(), id, FIELDS);
  const texts = query.mock.calls.map(([sent]) => (typeof sent === 'string' ? sent : (sent as { text: string }).text));
  const kept = texts.filter((text) => /registry_counter|"audit"|pg_notify/.test(text));
  expect(kept.map((text) => /^\w+/.exec(text)?.[0])).toEqual(['update', 'with']);
});

describe('withChanges', () => {
  it('replaces what is given, null too, and leaves what is undefined', () => {
    const record: { a: number; b: number | null; c: number } = { a: 1, b: 2, c: 3 };
    expect(withChanges(record, { a: 9, b: null, c: undefined })).toEqual({ a: 9, b: null, c: 3 });
  });
});
