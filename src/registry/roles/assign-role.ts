/** Assigns a role to an organisation: its entities may be given it from then on. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { roleAssignments } from '../../storage/schema/role-assignments.ts';
import { ACCESS } from '../access.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { holdRoles } from './role.ts';
import {
  datedState,
  type RoleAssignment,
  type RoleAssignmentFields,
  type RoleAssignmentRow,
  readRoleAssignment,
  requireOrganisation,
  requireValidAssignment,
  roleAssignmentSnapshot,
} from './role-assignment.ts';

export interface NewRoleAssignment extends Partial<RoleAssignmentFields> {
  roleId: string;
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed, role_retired, role_assigned, illegal_transition when
 *   the organisation's record is closed, idempotency_key_reused
 */
export async function assignRole(
  context: ChangeContext,
  organisationId: string,
  input: NewRoleAssignment,
  idempotency?: Idempotency,
): Promise<RoleAssignment> {
  const authorityId = await requireOrganisation(context.db, context.actor, organisationId);
  authorise(context.actor, ACCESS.assignOrganisationRole.roles, authorityId, organisationId);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (assignmentId) => {
      const [role] = await holdRoles(tx, authorityId, [input.roleId]);
      if (role === undefined) throw notFound('role', input.roleId);
      await requireOpenOrganisation(tx, organisationId);
      const dates = { validFrom: input.validFrom ?? null, validTo: input.validTo ?? null };
      const assignment: RoleAssignmentRow = {
        id: assignmentId,
        authorityId,
        organisationId,
        roleId: input.roleId,
        registrationId: input.registrationId ?? null,
        jurisdictions: input.jurisdictions ?? [],
        assignedBy: context.actor.id,
        ...dates,
        recordedState: datedState(dates, context.now),
        state: 'active',
        stateReason: null,
        stateChangedAt: context.now,
        version: 1,
        createdAt: context.now,
      };
      requireValidAssignment(assignment);
      try {
        await tx.insert(roleAssignments).values(assignment);
      } catch (error) {
        if (!isUniqueViolation(error, 'role_assignments_active')) throw error;
        const message = `the organisation has the role ${role.name} already; change that assignment instead`;
        throw new RegistryError('role_assigned', message, {}, { cause: error });
      }
      record({
        action: 'role_assignment.add',
        authorityId,
        subjectKind: 'role_assignment',
        subjectId: assignmentId,
        after: roleAssignmentSnapshot(assignment, role),
      });
    });
  });
  return readRoleAssignment(context.db, context.actor, organisationId, id);
}

/** @throws RegistryError illegal_transition */
async function requireOpenOrganisation(tx: Tx, organisationId: string): Promise<void> {
  const [organisation] = await tx
    .select({ state: organisations.state })
    .from(organisations)
    .where(eq(organisations.id, organisationId))
    .for('share');
  if (organisation !== undefined && LIVE_STATES.includes(organisation.state)) return;
  const message = `its record is ${organisation?.state} and stays as it is; enrol the organisation anew`;
  throw new RegistryError('illegal_transition', message, { from: organisation?.state, allowed: [] });
}
