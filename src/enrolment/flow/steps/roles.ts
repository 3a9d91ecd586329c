/** What the entity is to be: roles that its organisation holds. */
import { and, eq, inArray } from 'drizzle-orm';
import { roleAssignments } from '../../../storage/schema/role-assignments.ts';
import { roles } from '../../../storage/schema/roles.ts';
import type { StepResult } from '../enrolment.ts';
import { failed, passed, type StepSubject } from '../step-subject.ts';

/**
 * Those that were asked for, and those that the pending record was given since. A role that the organisation lost
 * meanwhile, or that was retired, is held no more.
 */
export async function checkRoles({ context, enrolment, organisation, entity }: StepSubject): Promise<StepResult> {
  const given = entity?.roles.map(({ roleId }) => roleId) ?? [];
  const wanted = [...new Set([...enrolment.request.roles, ...given])];
  if (wanted.length === 0) return passed('roles', { detail: 'asks for none' });
  const rows = await context.db
    .select({ role: roles, assignment: roleAssignments })
    .from(roles)
    .leftJoin(
      roleAssignments,
      and(
        eq(roleAssignments.roleId, roles.id),
        eq(roleAssignments.state, 'active'),
        organisation === undefined ? undefined : eq(roleAssignments.organisationId, organisation.id),
      ),
    )
    .where(and(inArray(roles.id, wanted), eq(roles.authorityId, enrolment.authorityId)));
  const isHeld = ({ role, assignment }: (typeof rows)[number]) => {
    if (organisation === undefined || assignment === null || role.state !== 'active') return false;
    const { validFrom, validTo } = assignment;
    return (validFrom === null || validFrom <= context.now) && (validTo === null || context.now < validTo);
  };
  const names = rows.map(({ role }) => role.name).sort();
  const policies = rows
    .filter(({ role }) => Object.keys(role.metadataPolicy).length > 0)
    .map(({ role }) => [role.name, role.metadataPolicy] as const);
  const lacking = rows.filter((row) => !isHeld(row)).map(({ role }) => role.name);
  const evidence = {
    roles: rows
      .map(({ role: { id, name, version } }) => ({ id, name, version }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    approvals: Math.max(1, ...rows.map(({ role }) => role.approvals)),
  };
  if (lacking.length > 0 || rows.length < wanted.length) {
    const detail = `its organisation does not hold ${lacking.join(', ') || 'a role that was asked for'}`;
    return failed('roles', 'role_not_held', detail, { ...evidence, lacking });
  }
  return passed('roles', {
    detail: `its organisation holds ${names.join(', ')}`,
    evidence,
    wouldChange: { holdsRoles: names, metadataPolicies: Object.fromEntries(policies) },
  });
}
