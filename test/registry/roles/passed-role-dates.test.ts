import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepDates } from '../../../src/jobs/keep-dates.ts';
import { affectedSubjects } from '../../../src/registry/affected-subjects.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { recordPassedRoleDates } from '../../../src/registry/roles/record-passed-role-dates.ts';
import { removeRoleAssignment } from '../../../src/registry/roles/remove-role-assignment.ts';
import type { RoleAssignmentFields } from '../../../src/registry/roles/role-assignment.ts';
import { updateRoleAssignment } from '../../../src/registry/roles/update-role-assignment.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openOrganisation, outcome, type TestRegistry } from '../../support/registry.ts';
import { assignedRole } from '../../support/roles.ts';

const hours = (count: number) => new Date(NOW_DATE.getTime() + count * 3_600_000);

describe.each(DATABASE_KINDS)('F02 dates of roles that pass, on %s', (kind) => {
  let registry: TestRegistry;
  let organisation: Organisation;
  let entity: Entity;
  beforeEach(async () => {
    ({ registry, organisation } = await openOrganisation(kind));
    entity = await registry.entity(organisation);
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  const round = (now: Date) =>
    keepDates({
      changeContext: () => registry.context(actor(), { now }),
      onError: (error) => {
        throw error;
      },
    });
  /** A role that the entity has, and what the audit says of its dates from then on. */
  const given = async (dates: Partial<RoleAssignmentFields>) => {
    const assignment = await assignedRole(registry, organisation, dates);
    await giveRole(registry.context(), entity.id, assignment.roleId);
    const seq = await registry.seq();
    return { ...assignment, actions: async () => (await registry.auditAfter(seq)).map(({ action }) => action) };
  };

  it('F02 each is written down once, also by two nodes, and tells whom it concerns', async () => {
    const { id, actions } = await given({ validTo: hours(3) });
    const { version } = await readEntity(registry.db, actor(), entity.id);
    await round(hours(2));
    expect(await actions()).toEqual([]);
    const seq = await registry.seq();
    await Promise.all([round(hours(3)), round(hours(3))]);
    await round(hours(9));
    expect(await actions()).toEqual(['role_assignment.end']);
    const changes = await registry.auditAfter(seq);
    expect(changes).toMatchObject([
      { subjectId: id, before: { byDate: 'active' }, after: { byDate: 'ended', validTo: hours(3).toISOString() } },
    ]);
    expect(await affectedSubjects(registry.db, changes)).toEqual([
      { authorityId: entity.authorityId, entityIdentifier: entity.entityIdentifier },
    ]);
    const [row] = await registry.db.select().from(entities).where(eq(entities.id, entity.id));
    // Its statement is another; nobody who looked at the record before has to look again.
    expect([row?.updatedAt, row?.version]).toEqual([hours(3), version]);
  });

  it('F02 a role of the future begins, and ends, also when all is late', async () => {
    // Nobody is given a role of the future: it is put off after it was given.
    const { id, actions } = await given({});
    const dates = { validFrom: hours(1), validTo: hours(2) };
    await updateRoleAssignment(registry.context(), organisation.id, id, dates);
    await round(hours(0));
    await round(hours(1));
    await round(hours(2));
    expect(await actions()).toEqual(['role_assignment.update', 'role_assignment.begin', 'role_assignment.end']);
    await assignedRole(registry, organisation, dates);
    await round(hours(9));
    expect((await actions()).slice(3)).toEqual([
      'authorisation_domain.add',
      'role.add',
      'role_assignment.add',
      'role_assignment.end',
    ]);
  });

  it('F02 a date that is put off is told by that change, and passes anew', async () => {
    const { id, actions } = await given({ validTo: hours(3) });
    await round(hours(3));
    const later = registry.context(actor(), { now: hours(4) });
    await updateRoleAssignment(later, organisation.id, id, { validTo: hours(8) });
    await round(hours(5));
    await round(hours(8));
    expect(await actions()).toEqual(['role_assignment.end', 'role_assignment.update', 'role_assignment.end']);
  });

  it('F02 what was removed has no dates any more, and a node whose clock is behind takes nothing back', async () => {
    const removed = await given({ validTo: hours(3) });
    await removeRoleAssignment(registry.context(), organisation.id, removed.id, 'x');
    const { actions } = await given({ validTo: hours(4) });
    await round(hours(4));
    await round(new Date(hours(4).getTime() - 60_000));
    expect(await actions()).toEqual(['role_assignment.end']);
  });

  it('F02 is for the service alone', async () => {
    const context = registry.context(actor({ roles: ['registrar'] }));
    expect(await outcome(recordPassedRoleDates(context))).toBe('role_missing');
  });
});
