import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { type EntityException, exceptionState, isInEffect } from '../../../src/registry/exceptions/exception.ts';
import { listExceptions, readException } from '../../../src/registry/exceptions/read-exception.ts';
import { requestException } from '../../../src/registry/exceptions/request-exception.ts';
import { transitionException } from '../../../src/registry/exceptions/transition-exception.ts';
import { permissionsOf } from '../../../src/registry/life-cycle/permissions.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { revokeToken } from '../../../src/registry/tokens/revoke-token.ts';
import { entityExceptions } from '../../../src/storage/schema/entity-exceptions.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { exceptionOf, exceptionOwner, newException } from '../../support/exceptions.ts';
import { actor, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';

const day = (count: number) => new Date(NOW_DATE.getTime() + count * 86_400_000);

describe.each(DATABASE_KINDS)('an exception for a legacy partner, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const by = (id: string) => registry.context(actor({ id }));
  const decide = (id: string, transition: 'approve' | 'reject' | 'end', who = 'an-approver') =>
    transitionException(by(who), id, transition, 'looked at it');
  const read = (id: string) => readException(registry.db, actor(), id);

  it('has an owner, a reason, an approver and an end, all in the audit', async () => {
    const { id, ownerName } = await exceptionOf(registry, authority);
    const seq = await registry.seq();
    const approved = await decide(id, 'approve');
    expect(approved).toMatchObject({ state: 'approved', approverId: 'an-approver', version: 2 });
    const [row] = await registry.auditAfter(seq);
    expect(row).toMatchObject({
      action: 'entity_exception.approve',
      after: {
        ownerName,
        requesterId: 'somebody-who-asked',
        approverId: 'an-approver',
        reason: 'its gateway is replaced in autumn',
        endsAt: day(30).toISOString(),
      },
    });
  });

  it('is approved by nobody who asked or answers for it', async () => {
    const { id, ownerId } = await exceptionOf(registry, authority);
    expect(await outcome(decide(id, 'approve', 'somebody-who-asked'))).toBe('four_eyes');
    expect(await outcome(decide(id, 'approve', ownerId))).toBe('four_eyes');
    expect((await read(id)).state).toBe('pending');
    expect(await outcome(decide(id, 'approve'))).toBe('done');
  });

  it('may be rejected and ended by them, and is decided once', async () => {
    const { id, ownerId } = await exceptionOf(registry, authority);
    expect(await outcome(decide(id, 'end', ownerId))).toBe('done');
    expect(await outcome(decide(id, 'approve'))).toBe('illegal_transition');
    const { id: rejected } = await exceptionOf(registry, authority);
    expect(await outcome(decide(rejected, 'reject', 'somebody-who-asked'))).toBe('done');
    expect(await outcome(decide(rejected, 'end'))).toBe('illegal_transition');
  });

  it('ends within a year, by the clock', async () => {
    const entity = await registry.entity(await registry.organisation(authority));
    const ask = async (endsAt: Date) =>
      await outcome(requestException(by('x'), entity.id, await newException(registry, { endsAt })));
    expect([await ask(day(0)), await ask(day(367)), await ask(day(366))]).toEqual([
      'validation_failed at /endsAt',
      'validation_failed at /endsAt',
      'done',
    ]);
    const { id } = await exceptionOf(registry, authority);
    const approved = await decide(id, 'approve');
    expect([exceptionState(approved, day(29)), exceptionState(approved, day(30))]).toEqual(['approved', 'expired']);
    expect([isInEffect(approved, day(29)), isInEffect(approved, day(30))]).toEqual([true, false]);
    const late = transitionException(registry.context(actor(), { now: day(30) }), id, 'end', 'x');
    expect(await outcome(late)).toBe('illegal_transition');
  });

  it('cannot be made without them past the verbs either', async () => {
    const exception = await exceptionOf(registry, authority);
    const { entityIdentifier: _, organisationId: __, ownState: ___, organisationState: ____, ...row } = exception;
    const write = async (changes: Partial<typeof row>) => {
      const id = crypto.randomUUID();
      return await registry.db
        .insert(entityExceptions)
        .values({ ...row, ...changes, id })
        .then(
          () => 'written',
          () => 'refused',
        );
    };
    const approved = { state: 'approved', approverId: 'another', approverName: 'x' } as const;
    expect(
      await Promise.all([
        write(approved),
        write({ state: 'approved' }),
        write({ ...approved, approverId: row.ownerId }),
        write({ ...approved, approverId: row.requesterId }),
        write({ endsAt: day(400) }),
      ]),
    ).toEqual(['written', 'refused', 'refused', 'refused', 'refused']);
  });

  it('has an owner with a token in use who works for the authority', async () => {
    const entity = await registry.entity(await registry.organisation(authority));
    const elsewhere = await registry.authority();
    const ask = async (ownerId: string) =>
      await outcome(requestException(by('x'), entity.id, await newException(registry, { ownerId })));
    const gone = await exceptionOwner(registry);
    await revokeToken(registry.context(), gone);
    expect([
      await ask(await exceptionOwner(registry, [authority.id])),
      await ask(await exceptionOwner(registry, [elsewhere.id])),
      await ask(gone),
      await ask('nobody'),
    ]).toEqual([
      'done',
      'validation_failed at /ownerId',
      'validation_failed at /ownerId',
      'validation_failed at /ownerId',
    ]);
  });

  it('never lifts a suspension, of the entity or of its organisation', async () => {
    const { id, entityId, organisationId } = await exceptionOf(registry, authority);
    await decide(id, 'approve');
    const effect = async () => {
      const exception: EntityException = await read(id);
      const { ownState, organisationState } = exception;
      return [isInEffect(exception, NOW_DATE), permissionsOf(organisationState, ownState).useExisting];
    };
    expect(await effect()).toEqual([true, true]);
    await transitionEntity(by('x'), entityId, 'suspend', 'x');
    expect(await effect()).toEqual([false, false]);
    await transitionEntity(by('x'), entityId, 'reinstate', 'x');
    const { affected } = await transitionOrganisation(by('x'), organisationId, 'suspend', 'x');
    expect(affected.map((one) => `${one.kind} ${one.stateBefore} ${one.stateAfter}`)).toEqual([
      'entity active suspended',
      'exception approved suspended',
    ]);
    expect(await effect()).toEqual([false, false]);
    await transitionOrganisation(by('x'), organisationId, 'revoke', 'x');
    expect(await effect()).toEqual([false, false]);
  });

  it('is not asked for of what is closed, and not approved of it', async () => {
    const { id, entityId } = await exceptionOf(registry, authority);
    await transitionEntity(by('x'), entityId, 'revoke', 'x');
    expect(await outcome(decide(id, 'approve'))).toBe('illegal_transition');
    expect(await outcome(requestException(by('x'), entityId, await newException(registry)))).toBe('illegal_transition');
  });

  it('is found by its state at this moment', async () => {
    const own = await registry.authority();
    const [pending, approved] = [await exceptionOf(registry, own), await exceptionOf(registry, own)];
    await decide(approved.id, 'approve');
    const found = async (state: 'pending' | 'approved' | 'expired', now: Date) => {
      const filter = { authorityId: own.id, state };
      const { items } = await listExceptions(registry.db, actor(), filter, { limit: 10 }, now);
      return items.map(({ id }) => id);
    };
    expect([await found('pending', day(1)), await found('approved', day(1)), await found('expired', day(1))]).toEqual([
      [pending.id],
      [approved.id],
      [],
    ]);
    expect(await found('expired', day(30))).toEqual([pending.id, approved.id]);
    expect([await found('pending', day(30)), await found('approved', day(30))]).toEqual([[], []]);
  });
});
