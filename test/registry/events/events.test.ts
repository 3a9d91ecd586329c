/** What others are told of a change: one event with all that it affects, in the transaction of the change. */
import { readFileSync } from 'node:fs';
import { asc, eq, gt } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { changeRegistry } from '../../../src/registry/change.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { type EventRow, eventBody, parseEventId, placeAfterSeq } from '../../../src/registry/events/event-body.ts';
import {
  ALL_EVENT_TYPES,
  EVENT_TYPES,
  eventTypeOf,
  isEventTypeFilter,
  matchesTypes,
  UNTOLD_ACTIONS,
} from '../../../src/registry/events/event-types.ts';
import { type EventFilter, readEvents, requireKeptSince } from '../../../src/registry/events/read-events.ts';
import { addContact } from '../../../src/registry/organisations/contacts/add-contact.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { removeRoleAssignment } from '../../../src/registry/roles/remove-role-assignment.ts';
import { transitionRole } from '../../../src/registry/roles/transition-role.ts';
import { eventStream, events } from '../../../src/storage/schema/events.ts';
import { organisations } from '../../../src/storage/schema/organisations.ts';
import { publicJwk } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW_DATE, openRegistry, outcome, refusedBy, type TestRegistry } from '../../support/registry.ts';
import { assignedRole, role } from '../../support/roles.ts';

const EVERYTHING: EventFilter = { authorityIds: 'all', types: [], roleIds: [] };

describe.each(DATABASE_KINDS)('events of the registry on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  async function eventsAfter(seq: number): Promise<EventRow[]> {
    return await registry.db
      .select()
      .from(events)
      .where(gt(events.seq, seq))
      .orderBy(asc(events.seq), asc(events.ordinal));
  }

  /** An organisation with two applications that live, one that waits, a credential, and a role given to one of them. */
  async function member() {
    const organisation = await registry.organisation(authority);
    const [first, second] = [await registry.entity(organisation), await registry.entity(organisation)];
    const draft = await registry.entity(organisation, {}, 'pending');
    const held = await role(registry, authority);
    const assignment = await assignedRole(registry, organisation, { id: held.id });
    const { entityRoleId } = await giveRole(registry.context(), first.id, held.id);
    const credential = await addCredential(registry.context(), first.id, { usage: 'signing', material: publicJwk() });
    return { organisation, first, second, draft, role: held, assignment, entityRoleId, credential };
  }

  it('[F50] [F15] tell of a suspension once, with its reason and everything that it affects, at its seq', async () => {
    const { organisation, first, second, draft, role, assignment, entityRoleId, credential } = await member();
    const before = await registry.seq();
    const decision = { reason: 'a note for the file', reasonCode: 'security_incident' } as const;
    const { seq } = await transitionOrganisation(registry.context(), organisation.id, 'suspend', decision);
    const told = await eventsAfter(before);
    expect(told).toHaveLength(1);
    const [event] = told as [EventRow];
    expect(event).toMatchObject({
      ...{ seq, ordinal: 0, type: 'organisation.suspended', authorityId: authority.id, at: NOW_DATE },
      ...{ organisationId: organisation.id, entityId: null, roleIds: [role.id] },
      statuses: [
        { kind: 'organisation', id: organisation.id, status: 'suspended' },
        ...[first, second].map(({ id }) => ({ kind: 'entity', id, status: 'suspended' })),
      ],
    });
    const was = { statusBefore: 'active', status: 'suspended' };
    expect(eventBody(event)).toEqual({
      id: `evt_${seq}_0`,
      type: 'organisation.suspended',
      timestamp: NOW_DATE.toISOString(),
      seq,
      data: {
        authority: { id: authority.id, entityIdentifier: authority.entityIdentifier },
        subject: {
          ...{ kind: 'organisation', id: organisation.id, name: 'Partner Ltd' },
          ...{ organisationId: organisation.id, status: 'suspended' },
        },
        reasonCode: 'security_incident',
        affected: [
          { kind: 'entity', id: first.id, name: first.entityIdentifier, ...was },
          { kind: 'entity', id: second.id, name: second.entityIdentifier, ...was },
          { kind: 'entity', id: draft.id, name: draft.entityIdentifier, statusBefore: 'pending', status: 'suspended' },
          { kind: 'credential', id: credential.id, name: expect.any(String), ...was },
          { kind: 'role_assignment', id: assignment.id, name: 'PISP', ...was },
          { kind: 'entity_role_assignment', id: entityRoleId, name: `PISP of ${first.entityIdentifier}`, ...was },
        ],
      },
    });
    expect(JSON.stringify(event.data)).not.toContain('a note for the file');
  });

  it('[F50] name the member that a record belongs to, and keep a role that was taken', async () => {
    const { organisation, first, role, assignment, entityRoleId } = await member();
    const before = await registry.seq();
    await transitionRole(registry.context(), role.id, 'retire', 'over');
    await transitionRole(registry.context(), role.id, 'reinstate', 'not over');
    await removeRoleAssignment(registry.context(), organisation.id, assignment.id, 'lost it');
    const [credential] = (await eventsAfter(0)).filter(({ type }) => type === 'credential.added').slice(-1);
    expect(credential).toMatchObject({ organisationId: organisation.id, entityId: first.id, roleIds: [role.id] });
    expect(credential?.data['subject']).toMatchObject({ entityIdentifier: first.entityIdentifier, status: 'active' });
    const told = await eventsAfter(before);
    expect(
      told.map(({ type, data }) => [type, (data['affected'] as { kind: string; id: string }[]).map(({ id }) => id)]),
    ).toEqual([
      ['role.retired', [assignment.id, entityRoleId]],
      ['role.reinstated', [assignment.id, entityRoleId]],
      ['role_assignment.removed', [entityRoleId]],
    ]);
    expect(told[2]).toMatchObject({ organisationId: organisation.id, roleIds: [role.id], statuses: null });
    expect(told[2]?.data['affected']).toMatchObject([{ statusBefore: 'active', status: 'locked' }]);
  });

  it('tell of no status where none that counts is another, and of nobody who was never let in', async () => {
    const { organisation, first, draft } = await member();
    await transitionOrganisation(registry.context(), organisation.id, 'suspend', 'x');
    const before = await registry.seq();
    await transitionEntity(registry.context(), first.id, 'suspend', 'x');
    await transitionEntity(registry.context(), draft.id, 'reject', 'x');
    await transitionEntity(registry.context(), first.id, 'revoke', 'x');
    expect((await eventsAfter(before)).map(({ type, statuses }) => [type, statuses])).toEqual([
      ['entity.suspended', null],
      ['entity.rejected', null],
      ['entity.revoked', [{ kind: 'entity', id: first.id, status: 'revoked' }]],
    ]);
  });

  it('tell of all that a restored organisation has, whatever else was restored with it', async () => {
    const { organisation, first, second, draft } = await member();
    const before = await registry.seq();
    await changeRegistry(registry.context(), async (tx, record) => {
      await tx.update(organisations).set({ state: 'suspended' }).where(eq(organisations.id, organisation.id));
      const entry = { authorityId: authority.id, subjectKind: 'organisation', subjectId: organisation.id } as const;
      const states = { before: { state: 'active' }, after: { state: 'suspended' } };
      record({ action: 'organisation.import', ...entry, ...states, affected: [] });
    });
    const [event] = await eventsAfter(before);
    expect(event?.statuses).toEqual([
      { kind: 'organisation', id: organisation.id, status: 'suspended' },
      ...[first, second].map(({ id }) => ({ kind: 'entity', id, status: 'suspended' })),
    ]);
    expect(JSON.stringify(event?.statuses)).not.toContain(draft.id);
  });

  it('are not there after a change that failed, a dry run, or one that is nobody else’s business', async () => {
    const organisation = await registry.organisation(authority);
    const before = await registry.seq();
    const dryRun = { reason: 'x', isDryRun: true };
    await transitionOrganisation(registry.context(), organisation.id, 'suspend', dryRun);
    expect(await outcome(transitionOrganisation(registry.context(), organisation.id, 'approve', 'x'))).toBe(
      'illegal_transition',
    );
    // The audit is written last of all, and fails.
    const unwritable = registry.context(undefined, { requestId: '\0' });
    await expect(transitionOrganisation(unwritable, organisation.id, 'suspend', 'x')).rejects.toThrow();
    await addContact(registry.context(), organisation.id, { type: 'business', email: 'a@b.example' });
    expect(await eventsAfter(before)).toEqual([]);
    expect(await registry.seq()).toBe(before + 1);
  });

  it('are written for many records with as many queries as for one', async () => {
    const organisation = await registry.organisation(authority);
    const one = await registry.entity(organisation);
    const seq = await registry.seq();
    let queries = 0;
    await changeRegistry(registry.context(), async (tx, record) => {
      const { execute } = tx;
      tx.execute = ((query) => {
        queries++;
        return execute.call(tx, query);
      }) as typeof execute;
      for (let index = 0; index < 5000; index++) {
        const entry = { authorityId: authority.id, subjectKind: 'entity', subjectId: one.id } as const;
        record({ action: 'entity.update', ...entry, after: { state: 'active' } });
      }
    });
    expect(queries).toBe(1);
    const told = await eventsAfter(seq);
    expect(told).toHaveLength(5000);
    expect(told.at(-1)).toMatchObject({ ordinal: 4999, entityId: one.id, organisationId: organisation.id });
  });

  it('are read in their order, from a place on, filtered by authority, type and role', async () => {
    const other = await registry.authority();
    const before = await registry.seq();
    const { role, first, organisation } = await member();
    await registry.organisation(other);
    const all = await readEvents(registry.db, { after: placeAfterSeq(before), limit: 1000 }, EVERYTHING);
    expect(all.map(({ seq, ordinal }) => [seq, ordinal])).toEqual(
      (await eventsAfter(before)).map(({ seq, ordinal }) => [seq, ordinal]),
    );
    const read = async (filter: Partial<EventFilter>, limit = 1000) => {
      const found = await readEvents(
        registry.db,
        { after: placeAfterSeq(before), limit },
        { ...EVERYTHING, ...filter },
      );
      return found.map(({ type }) => type);
    };
    expect(await read({ authorityIds: [other.id] })).toEqual(['organisation.added', 'organisation.approved']);
    expect(await read({ authorityIds: [] })).toEqual([]);
    expect(await read({ types: ['role.*', 'credential.added'] })).toEqual(['role.added', 'credential.added']);
    expect(await read({ roleIds: [role.id] })).toEqual([
      ...['role.added', 'role_assignment.added', 'entity.role_given', 'credential.added'],
    ]);
    expect(await read({ organisationIds: [organisation.id], entityIds: [first.id] }, 2)).toEqual([
      ...['entity.added', 'entity.approved'],
    ]);
    const [, second] = all;
    const rest = await readEvents(registry.db, { after: second ?? placeAfterSeq(0), limit: 1 }, EVERYTHING);
    expect(rest).toEqual([all[2]]);
  });

  it('are asked for anew from a later place once they are not kept', async () => {
    const [{ prunedThroughSeq: pruned } = { prunedThroughSeq: 0 }] = await registry.db.select().from(eventStream);
    await registry.db.update(eventStream).set({ prunedThroughSeq: 3 });
    await requireKeptSince(registry.db, 3);
    expect((await refusedBy(requireKeptSince(registry.db, 2))).code).toBe('resync_required');
    await registry.db.update(eventStream).set({ prunedThroughSeq: pruned });
  });
});

describe('types of events', () => {
  it('are of actions that are told, each action in one list only', () => {
    expect(UNTOLD_ACTIONS.filter((action) => Object.hasOwn(EVENT_TYPES, action))).toEqual([]);
    expect(new Set(UNTOLD_ACTIONS).size).toBe(UNTOLD_ACTIONS.length);
    expect(eventTypeOf('contact.add')).toBeUndefined();
    for (const [action, type] of Object.entries(EVENT_TYPES)) {
      expect(type.split('.')[0], action).toBe(action.split('.')[0]);
    }
  });

  it('cannot be forgotten: an action that is in neither list does not compile', () => {
    const source = readFileSync(new URL('../../../src/registry/change.ts', import.meta.url), 'utf8');
    expect(source).toMatch(/export interface AuditEntry \{[^}]*\n {2}action: Action;/);
  });

  it('match themselves and their kind', () => {
    expect(matchesTypes([], 'entity.added')).toBe(true);
    expect(matchesTypes(['organisation.*', 'entity.added'], 'entity.added')).toBe(true);
    expect(matchesTypes(['organisation.*'], 'organisation.suspended')).toBe(true);
    expect(matchesTypes(['entity.*'], 'entity_exception.ended')).toBe(false);
    expect(ALL_EVENT_TYPES.every(isEventTypeFilter)).toBe(true);
    expect(['*', 'entity', 'entity.', 'contact.*', 'entity.*.x', '__proto__'].filter(isEventTypeFilter)).toEqual([]);
  });

  it('stand under ids that name a place', () => {
    expect(parseEventId('evt_12_0')).toEqual({ seq: 12, ordinal: 0 });
    const wrong = [
      '',
      'evt_1',
      'evt_01_0',
      'evt_1_-1',
      'evt_9999999999999999_0',
      'evt_1_9999999999',
      'EVT_1_0',
      'evt_1_0 ',
    ];
    expect(wrong.filter((id) => parseEventId(id) !== undefined)).toEqual([]);
  });
});
