import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StatementIssuer } from '../../../src/issuance/statement-issuer.ts';
import { affectedSubjects } from '../../../src/registry/affected-subjects.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { AuthorityDirectory } from '../../../src/registry/authorities/authority-directory.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { addAuthorisationDomain } from '../../../src/registry/roles/add-authorisation-domain.ts';
import { entityRoleState, listEntityRoles } from '../../../src/registry/roles/entity-role.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { removeRoleAssignment } from '../../../src/registry/roles/remove-role-assignment.ts';
import type { Role } from '../../../src/registry/roles/role.ts';
import { assignmentState, listRoleAssignments } from '../../../src/registry/roles/role-assignment.ts';
import { takeRole } from '../../../src/registry/roles/take-role.ts';
import { transitionRole } from '../../../src/registry/roles/transition-role.ts';
import { updateAuthorisationDomain } from '../../../src/registry/roles/update-authorisation-domain.ts';
import { updateRole } from '../../../src/registry/roles/update-role.ts';
import { updateRoleAssignment } from '../../../src/registry/roles/update-role-assignment.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { claimsOf } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { ManualClock, NOW } from '../../support/federation.ts';
import {
  actor,
  NOW_DATE,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
  testSigner,
} from '../../support/registry.ts';
import { assignedRole, authorisationDomain, policyOf, role } from '../../support/roles.ts';

const PAGE = { limit: 100 };
const inSeconds = (seconds: number) => new Date((NOW + seconds) * 1000);

describe.each(DATABASE_KINDS)('roles on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  let organisation: Organisation;

  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority({ statementLifetimeSeconds: 3600 });
    organisation = await registry.organisation(authority);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  /** What the Subordinate Statement says, as of a moment. */
  async function statement({ entityIdentifier }: Entity, clock = new ManualClock()): Promise<Record<string, unknown>> {
    const directory = new AuthorityDirectory(registry.db);
    await directory.reload();
    const served = directory.get(authority.id);
    const houseRules = { maxLifetimeSeconds: 86_400 };
    const issuer = new StatementIssuer({ db: registry.db, signer: testSigner, clock, random: () => 0, houseRules });
    const issued = served && (await issuer.subordinateStatement(served, entityIdentifier));
    if (issued === undefined) throw new Error('not vouched for');
    return claimsOf(issued.jwt);
  }

  /** A role with the policy, and an active entity that has it. */
  async function holder(settings: Parameters<typeof role>[2] = {}): Promise<{ given: Role; entity: Entity }> {
    const given = await role(registry, authority, settings);
    await assignedRole(registry, organisation, given);
    const entity = await registry.entity(organisation);
    await giveRole(registry.context(), entity.id, given.id);
    return { given, entity };
  }

  async function statesOf({ id }: Entity, now = NOW_DATE): Promise<string[]> {
    const { items } = await listEntityRoles(registry.db, actor(), id, {}, PAGE);
    return items.map((entityRole) => entityRoleState(entityRole, now));
  }

  describe('F02 what a role is', () => {
    it('F02 has a name of its own in its domain, whatever its case', async () => {
      const { domainId } = await role(registry, authority, { name: 'AISP' });
      expect(await outcome(role(registry, authority, { name: 'aisp', domainId }))).toBe('role_exists');
      expect((await role(registry, authority, { name: 'AISP' })).name).toBe('AISP');
      const { name } = await authorisationDomain(registry, authority);
      const again = addAuthorisationDomain(registry.context(), authority.id, { name: name.toUpperCase() });
      expect(await outcome(again)).toBe('authorisation_domain_exists');
    });

    it('F02 domains and roles change with before and after in the audit, and only when something is new', async () => {
      const domain = await authorisationDomain(registry, authority);
      const given = await role(registry, authority, { domainId: domain.id });
      const seq = await registry.seq();
      await updateAuthorisationDomain(registry.context(), domain.id, { description: 'x' });
      await updateAuthorisationDomain(registry.context(), domain.id, { description: 'x' });
      await updateRole(registry.context(), given.id, { scopes: ['payments'] });
      await updateRole(registry.context(), given.id, { scopes: ['payments'] });
      const rows = await registry.auditAfter(seq);
      expect(rows.map(({ action, before, after }) => [action, before, after])).toEqual([
        [
          'authorisation_domain.update',
          { name: domain.name, description: null },
          { name: domain.name, description: 'x' },
        ],
        ['role.update', expect.objectContaining({ scopes: [] }), expect.objectContaining({ scopes: ['payments'] })],
      ]);
      const stale = updateRole(registry.context(), given.id, { scopes: [] }, { expectedVersion: 1 });
      expect(await outcome(stale)).toBe('version_mismatch');
    });

    it('F02 its policy is refused where no statement could carry it', async () => {
      const metadataPolicy = policyOf({ value: 'a', one_of: ['b'] });
      expect(await outcome(role(registry, authority, { metadataPolicy }))).toBe(
        'validation_failed at /metadataPolicy/openid_relying_party/grade/one_of',
      );
    });
  });

  describe('F02 roles of organisations', () => {
    it('F02 are assigned once, with what their regulator says, and can be assigned anew once removed', async () => {
      const { id } = await role(registry, authority);
      const fields = { id, registrationId: 'FCA-1', jurisdictions: ['GB'], validTo: inSeconds(100) };
      const assignment = await assignedRole(registry, organisation, fields);
      expect(assignment).toMatchObject({ registrationId: 'FCA-1', jurisdictions: ['GB'], role: { name: 'PISP' } });
      expect(await outcome(assignedRole(registry, organisation, { id }))).toBe('role_assigned');
      await removeRoleAssignment(registry.context(), organisation.id, assignment.id, 'ended');
      expect((await assignedRole(registry, organisation, { id })).id).not.toBe(assignment.id);
      const removed = await listRoleAssignments(
        registry.db,
        actor(),
        organisation.id,
        { roleId: id, isRemoved: true },
        PAGE,
      );
      expect(removed.items.map(({ id: found, stateReason }) => [found, stateReason])).toEqual([
        [assignment.id, 'ended'],
      ]);
      const again = removeRoleAssignment(registry.context(), organisation.id, assignment.id, 'ended');
      expect(await outcome(again)).toBe('illegal_transition');
    });

    it.each([
      ['countries that there are not', { jurisdictions: ['GB', 'XX'] }, 'validation_failed at /jurisdictions/1'],
      ['an end before the beginning', { validFrom: NOW_DATE, validTo: NOW_DATE }, 'validation_failed at /validTo'],
    ])('F02 are not assigned with %s', async (_what, fields, refusal) => {
      expect(await outcome(assignedRole(registry, organisation, fields))).toBe(refusal);
    });

    it('F02 are not assigned to what is closed, nor when they are retired or of another authority', async () => {
      const left = await registry.organisation(authority, 'withdrawn');
      expect(await outcome(assignedRole(registry, left))).toBe('illegal_transition');
      const retired = await role(registry, authority);
      await transitionRole(registry.context(), retired.id, 'retire', 'no longer licensed');
      expect(await outcome(assignedRole(registry, organisation, retired))).toBe('role_retired');
      const foreign = await role(registry, await registry.authority());
      expect(await outcome(assignedRole(registry, organisation, foreign))).toBe('not_found');
    });

    it('F02 are held from validFrom on and no more at validTo, by the clock alone', async () => {
      const validity = { validFrom: inSeconds(10), validTo: inSeconds(20) };
      const assignment = await assignedRole(registry, organisation, validity);
      const states = [9, 10, 19, 20].map((at) => assignmentState(assignment, assignment.role, inSeconds(at)));
      expect(states).toEqual(['upcoming', 'active', 'active', 'ended']);
    });
  });

  describe('F02 roles of entities', () => {
    it('F02 role to an app whose org lacks it → role_not_held, naming both', async () => {
      const { id, name } = await role(registry, authority);
      const entity = await registry.entity(organisation);
      const refusal = await refusedBy(giveRole(registry.context(), entity.id, id));
      expect([refusal.code, refusal.details]).toEqual([
        'role_not_held',
        expect.objectContaining({ role: name, roleId: id, organisation: organisation.id }),
      ]);
      const other = await registry.organisation(authority);
      await assignedRole(registry, other, { id });
      expect(await outcome(giveRole(registry.context(), entity.id, id))).toBe('role_not_held at /roleId');
      const { id: ended } = await role(registry, authority);
      await assignedRole(registry, organisation, { id: ended, validTo: NOW_DATE });
      expect(await outcome(giveRole(registry.context(), entity.id, ended))).toBe('role_not_held at /roleId');
    });

    it('F02 are given to those alone that play its Entity Type', async () => {
      const { id } = await role(registry, authority, { entityType: 'openid_provider' });
      await assignedRole(registry, organisation, { id });
      const entity = await registry.entity(organisation);
      expect(await outcome(giveRole(registry.context(), entity.id, id))).toBe('validation_failed at /roleId');
    });

    it.each(['active', 'pending'] as const)(
      'F02 a role for which two are needed comes to an entity that is %s through two',
      async (state) => {
        const { id } = await role(registry, authority, { approvals: 2 });
        await assignedRole(registry, organisation, { id });
        const entity = await registry.entity(organisation, {}, state);
        expect(await outcome(giveRole(registry.context(), entity.id, id))).toBe('four_eyes');
        await giveRole(registry.context(actor({ id: 'somebody else' })), entity.id, id);
        expect(await statesOf(entity)).toEqual(['active']);
      },
    );

    it('F02 are given once, and taken away with a reason', async () => {
      const { entity, given } = await holder();
      const seq = await registry.seq();
      await giveRole(registry.context(), entity.id, given.id);
      expect(await registry.seq()).toBe(seq);
      const { items } = await listEntityRoles(registry.db, actor(), entity.id, {}, PAGE);
      const id = items[0]?.id ?? '';
      await takeRole(registry.context(), entity.id, id, 'unused');
      expect(await statesOf(entity)).toEqual([]);
      expect(await outcome(takeRole(registry.context(), entity.id, id, 'unused'))).toBe('illegal_transition');
      const [row] = await registry.auditAfter(seq);
      expect([row?.action, row?.subjectId, row?.reason]).toEqual(['entity.take_role', entity.id, 'unused']);
    });

    it('F02 removing an org role locks every app holding it in the same transaction, and lists them', async () => {
      const { given, entity } = await holder({ metadataPolicy: policyOf({ value: 'gold' }) });
      const suspended = await registry.entity(organisation, {}, 'suspended');
      await giveRole(registry.context(), suspended.id, given.id);
      const without = await registry.entity(organisation);
      const elsewhere = await registry.organisation(authority);
      await assignedRole(registry, elsewhere, given);
      const kept = await registry.entity(elsewhere);
      await giveRole(registry.context(), kept.id, given.id);
      expect((await statement(entity))['metadata_policy']).toEqual(policyOf({ value: 'gold' }));
      const [assignment] = (
        await listRoleAssignments(registry.db, actor(), organisation.id, { roleId: given.id }, PAGE)
      ).items;
      const seq = await registry.seq();
      const remove = (isDryRun: boolean) =>
        removeRoleAssignment(registry.context(), organisation.id, assignment?.id ?? '', 'licence lost', { isDryRun });

      const tried = await remove(true);
      expect([await registry.seq(), await statesOf(entity)]).toEqual([seq, ['active']]);
      const removed = await remove(false);
      expect(removed).toEqual(tried);
      expect(removed.affected.map(({ entityIdentifier }) => entityIdentifier)).toEqual([
        entity.entityIdentifier,
        suspended.entityIdentifier,
      ]);
      const rows = await registry.auditAfter(seq);
      expect(new Set(rows.map((row) => row.seq)).size).toBe(1);
      expect(rows.map(({ action, subjectId, reason }) => [action, subjectId, reason])).toEqual([
        ['role_assignment.remove', assignment?.id, 'licence lost'],
        ['entity.lock_role', entity.id, 'licence lost'],
        ['entity.lock_role', suspended.id, 'licence lost'],
      ]);
      expect([await statesOf(entity), await statesOf(suspended)]).toEqual([['locked'], ['locked']]);
      expect([await statesOf(without), await statesOf(kept)]).toEqual([[], ['active']]);
      expect(await statement(entity)).not.toHaveProperty('metadata_policy');
      const concerned = await affectedSubjects(registry.db, rows);
      expect(concerned.map(({ entityIdentifier }) => entityIdentifier).sort()).toEqual(
        [entity.entityIdentifier, suspended.entityIdentifier].sort(),
      );

      await assignedRole(registry, organisation, given);
      expect(await statesOf(entity)).toEqual(['locked']);
      await giveRole(registry.context(), entity.id, given.id);
      expect(await statesOf(entity)).toEqual(['locked', 'active']);
    });
  });

  describe('F02 the policy of roles', () => {
    it('F02 goes into the statement between the default and the own one, in the order of names', async () => {
      const own = { metadataPolicy: policyOf({ add: ['own'] }, 'contacts') };
      const entity = await registry.entity(organisation, own);
      for (const name of ['B', 'A']) {
        const metadataPolicy = policyOf({ add: [name] }, 'contacts');
        const { id } = await role(registry, authority, { name, metadataPolicy });
        await assignedRole(registry, organisation, { id });
        const come = await giveRole(registry.context(), entity.id, id);
        expect(come.version).toBe((await readEntity(registry.db, actor(), entity.id)).version);
      }
      const merged = policyOf({ add: ['A', 'B', 'own'] }, 'contacts');
      expect((await statement(entity))['metadata_policy']).toEqual(merged);
      expect((await readEntity(registry.db, actor(), entity.id)).roles.map(({ name }) => name)).toEqual(['A', 'B']);
    });

    it('F02 a conflict is shown before it is saved, with place, operator and entity', async () => {
      const entity = await registry.entity(organisation, { metadataPolicy: policyOf({ value: 'silver' }) });
      const { id } = await role(registry, authority, { name: 'Gold', metadataPolicy: policyOf({ value: 'gold' }) });
      await assignedRole(registry, organisation, { id });
      const { entityIdentifier } = entity;
      for (const isDryRun of [true, false]) {
        const refusal = await refusedBy(giveRole(registry.context(), entity.id, id, { isDryRun }));
        expect([refusal.code, refusal.details]).toEqual([
          'policy_conflict',
          expect.objectContaining({ place: "the entity's own", operator: 'value', entity: entityIdentifier }),
        ]);
      }
      expect(await statesOf(entity)).toEqual([]);
    });

    it('F02 conflicts wherever a policy is changed: of the role, the entity, the authority, or a role that comes back', async () => {
      const { given, entity } = await holder({ name: 'Platinum', metadataPolicy: policyOf({ value: 'gold' }) });
      const conflict = policyOf({ value: 'silver' });
      const own = await refusedBy(updateEntity(registry.context(), entity.id, { metadataPolicy: conflict }));
      expect([own.code, own.details['place']]).toEqual(['policy_conflict', "the entity's own"]);
      const byDefault = { defaultMetadataPolicy: conflict };
      const changed = await refusedBy(updateAuthority(registry.context(), authority.id, byDefault));
      expect([changed.code, changed.details['place']]).toEqual([
        'policy_conflict',
        expect.stringContaining('the role '),
      ]);

      await transitionRole(registry.context(), given.id, 'retire', 'paused');
      expect([await statesOf(entity), 'metadata_policy' in (await statement(entity))]).toEqual([['retired'], false]);
      await updateEntity(registry.context(), entity.id, { metadataPolicy: conflict });
      expect(await outcome(transitionRole(registry.context(), given.id, 'reinstate', 'again'))).toBe(
        'policy_conflict at ',
      );
      const gentler = await updateRole(registry.context(), given.id, { metadataPolicy: policyOf({ essential: true }) });
      expect(gentler.affected.map(({ id }) => id)).toEqual([entity.id]);
      await transitionRole(registry.context(), given.id, 'reinstate', 'again');
      const changes = { metadataPolicy: policyOf({ value: 'gold' }) };
      expect(await outcome(updateRole(registry.context(), given.id, changes, { isDryRun: true }))).toBe(
        'policy_conflict at /metadataPolicy/openid_relying_party/grade/value',
      );
      expect((await statement(entity))['metadata_policy']).toEqual(policyOf({ value: 'silver', essential: true }));
    });

    it('F02 a statement does not outlive validTo, nor the time before validFrom, and the policy follows the clock', async () => {
      const { given, entity } = await holder({ name: 'Timed', metadataPolicy: policyOf({ value: 'gold' }) });
      const { items } = await listRoleAssignments(registry.db, actor(), organisation.id, { roleId: given.id }, PAGE);
      const validity = { validFrom: inSeconds(100), validTo: inSeconds(200) };
      await updateRoleAssignment(registry.context(), organisation.id, items[0]?.id ?? '', validity);
      const seen = [];
      for (const at of [0, 99, 100, 199, 200]) {
        const clock = new ManualClock();
        clock.advance(at);
        const { exp, metadata_policy } = await statement(entity, clock);
        seen.push([Number(exp) - NOW, metadata_policy !== undefined]);
      }
      expect(seen).toEqual([
        [100, false],
        [100, false],
        [200, true],
        [200, true],
        [3800, false],
      ]);
    });

    it('F02 a change of a role takes a new statement at once, and concerns those that have it alone', async () => {
      const { given, entity } = await holder({ metadataPolicy: policyOf({ value: 'gold' }) });
      await registry.entity(organisation);
      const before = await readEntity(registry.db, actor(), entity.id);
      await statement(entity);
      const seq = await registry.seq();
      await updateRole(registry.context(), given.id, { metadataPolicy: policyOf({ value: 'silver' }) });
      expect((await statement(entity))['metadata_policy']).toEqual(policyOf({ value: 'silver' }));
      const affected = await affectedSubjects(registry.db, await registry.auditAfter(seq));
      expect(affected).toEqual([{ authorityId: authority.id, entityIdentifier: entity.entityIdentifier }]);
      const after = await readEntity(registry.db, actor(), entity.id);
      expect(after.version).toBe(before.version + 1);
      const described = await updateRole(registry.context(), given.id, { description: 'Payments' });
      expect(described.affected).toEqual([]);
      expect((await readEntity(registry.db, actor(), entity.id)).version).toBe(after.version);
    });

    it('F02 checks made before a role changed count no more', async () => {
      const { given, entity } = await holder();
      const isOutdated = async () => (await readEntity(registry.db, actor(), entity.id)).checksOutdated;
      expect(await isOutdated()).toBe(true);
      const { items } = await listEntityRoles(registry.db, actor(), entity.id, {}, PAGE);
      await takeRole(registry.context(), entity.id, items[0]?.id ?? '', 'x');
      expect(await isOutdated()).toBe(false);
      await giveRole(registry.context(), entity.id, given.id);
      await updateRole(registry.context(), given.id, { metadataPolicy: policyOf({ essential: true }) });
      expect(await isOutdated()).toBe(true);
    });

    it('F02 what an entity without roles is told stays as it was signed', async () => {
      const entity = await registry.entity(organisation);
      const before = await statement(entity);
      await holder({ metadataPolicy: policyOf({ value: 'gold' }) });
      expect(await statement(entity)).toEqual(before);
      const [row] = await registry.db.select().from(entities).where(eq(entities.id, entity.id));
      expect(row?.version).toBe(entity.version);
    });
  });
});
