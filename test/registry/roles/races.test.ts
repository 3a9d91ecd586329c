import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { readAuthority } from '../../../src/registry/authorities/read-authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { settingsDigest } from '../../../src/registry/entities/judging-settings.ts';
import { lockOpenEntity } from '../../../src/registry/entities/lock-entity.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { recordChecks } from '../../../src/registry/entities/record-checks.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { insertEntityRoles } from '../../../src/registry/roles/insert-entity-roles.ts';
import { removeRoleAssignment } from '../../../src/registry/roles/remove-role-assignment.ts';
import { holdRoles, lockRole } from '../../../src/registry/roles/role.ts';
import { updateRole } from '../../../src/registry/roles/update-role.ts';
import { roleAssignments } from '../../../src/storage/schema/role-assignments.ts';
import { untilWaiting } from '../../support/postgres-locks.ts';
import { actor, openOrganisation, outcome, type TestRegistry } from '../../support/registry.ts';
import { assignedRole, policyOf, role } from '../../support/roles.ts';

describe('F02 a role removed while it is given, on postgresql', () => {
  let registry: TestRegistry;
  let authority: Authority;
  let organisation: Organisation;
  beforeAll(async () => {
    ({ registry, authority, organisation } = await openOrganisation('postgresql'));
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const remove = (assignmentId: string) =>
    removeRoleAssignment(registry.context(), organisation.id, assignmentId, 'licence lost');

  it('F02 the removal waits for who is being given the role, and takes it from them too', async () => {
    const { id } = await role(registry, authority);
    const assignment = await assignedRole(registry, organisation, { id });
    const entity = await registry.entity(organisation);
    const removing = await registry.db.transaction(async (tx) => {
      const held = await holdRoles(tx, authority.id, [id]);
      const removed = remove(assignment.id);
      await untilWaiting(registry.db);
      await insertEntityRoles(tx, registry.context(), await lockOpenEntity(tx, entity.id), held);
      return { removed };
    });
    expect((await removing.removed).affected.map((holder) => holder.id)).toEqual([entity.id]);
    expect((await readEntity(registry.db, actor(), entity.id)).roles).toEqual([]);
  });

  it('F02 whoever is to be given the role waits for a removal, and is refused', async () => {
    const { id } = await role(registry, authority);
    const assignment = await assignedRole(registry, organisation, { id });
    const entity = await registry.entity(organisation);
    let giving = Promise.resolve('');
    await registry.db.transaction(async (tx) => {
      await lockRole(tx, id);
      await tx.update(roleAssignments).set({ state: 'removed' }).where(eq(roleAssignments.id, assignment.id));
      giving = outcome(giveRole(registry.context(), entity.id, id));
      await untilWaiting(registry.db);
    });
    expect(await giving).toBe('role_not_held at /roleId');
  });

  it('F02 an application that was checked with the role is not approved on these checks once it is removed', async () => {
    const { id } = await role(registry, authority, { metadataPolicy: policyOf({ essential: true }) });
    const assignment = await assignedRole(registry, organisation, { id });
    const entity = await registry.entity(organisation, {}, 'pending');
    await giveRole(registry.context(), entity.id, id);
    const given = await readEntity(registry.db, actor(), entity.id);
    const defaults = await readAuthority(registry.db, actor(), authority.id);
    const evidence = { ...given.evidence, settingsDigest: settingsDigest(given, defaults, given.roles) };
    const checked = await recordChecks(registry.context(), entity.id, { ...given, evidence, jwks: null });
    expect(checked.checksOutdated).toBe(false);
    await remove(assignment.id);
    const approve = (version?: number) =>
      outcome(transitionEntity(registry.context(), entity.id, 'approve', 'looks good', version));
    expect(await approve(checked.version)).toBe('version_mismatch');
    expect(await approve()).toBe('evidence_changed');
  });

  it('F02 many changes of roles, their holders and defaults at once wait for each other, and none for ever', async () => {
    const names = ['A', 'B'];
    const given = await Promise.all(names.map((name) => role(registry, authority, { name })));
    const assignments = await Promise.all(given.map(({ id }) => assignedRole(registry, organisation, { id })));
    const entities = [];
    for (let made = 0; made < 4; made++) entities.push(await registry.entity(organisation));
    const context = () => registry.context();
    const changes = entities.flatMap(({ id }) => [
      ...given.map((one) => () => giveRole(context(), id, one.id)),
      () => updateEntity(context(), id, { metadataPolicy: policyOf({ add: [id] }, 'contacts') }),
      ...given.map(
        (one) => () => updateRole(context(), one.id, { metadataPolicy: policyOf({ add: [id] }, 'contacts') }),
      ),
    ]);
    const others = [
      () => updateAuthority(context(), authority.id, { defaultMetadataPolicy: policyOf({ add: ['x'] }, 'contacts') }),
      ...assignments.map(
        ({ id }) =>
          () =>
            remove(id),
      ),
    ];
    const outcomes = await Promise.all([...changes, ...others].map((change) => outcome(change())));
    expect(outcomes.filter((one) => one !== 'done' && one !== 'role_not_held at /roleId')).toEqual([]);
    for (const { id } of entities) expect((await readEntity(registry.db, actor(), id)).roles).toEqual([]);
  });
});
