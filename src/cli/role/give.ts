/** `holdfast role give` and `holdfast role take`: roles of entities. */
import type { Command } from 'commander';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findEntityRole, findRole } from './find-role.ts';
import { entityRolesSchema } from './role-records.ts';
import { describeEntityRoles } from './role-report.ts';
import { ROLE_ARGUMENT } from './show.ts';

interface GiveOptions {
  entity: string;
  dryRun?: boolean;
  ifMatch?: number;
}

const TRIED = ', if it had been changed';

export function addRoleGiveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('give')
    .summary('give an entity a role that its organisation has')
    .description(
      "Give an entity a role that its organisation has. The role's policy is in its Subordinate Statement at once; where it\n" +
        'does not go with what is said already, nothing changes, and the refusal says whose policy is at fault.',
    )
    .argument('<role>', ROLE_ARGUMENT)
    .requiredOption('--entity <entity>', 'id, or Entity Identifier')
    .option('--dry-run', 'show the policy that would come of it, and change nothing')
    .option('--if-match <version>', 'the version of the entity that was looked at', recordVersion)
    .addHelpText('after', example('holdfast role give PISP --entity https://rp.example.edu --dry-run'));
  command.action(async (given: string, { entity, dryRun = false, ifMatch }: GiveOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id, entityIdentifier, authorityId } = await findEntity(session.client, entity);
    const { id: roleId } = await findRole(session.client, given, authorityId);
    const body = { roleId, ...(dryRun && { dryRun }) };
    const request = { method: 'POST', path: `entities/${id}/roles`, body, ifMatch } as const;
    const roles = await session.client.send(request, entityRolesSchema);
    session.output.result(roles, (report) => {
      describeEntityRoles(report, roles, `${entityIdentifier}${dryRun ? TRIED : ''}`);
    });
  });
}

export function addRoleTakeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('take')
    .description('Take a role from an entity. Its Subordinate Statement follows at once.')
    .argument('<role>', ROLE_ARGUMENT)
    .requiredOption('--entity <entity>', 'id, or Entity Identifier')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--dry-run', 'show the policy that would be left, and change nothing')
    .option('--if-match <version>', 'the version of the entity that was looked at', recordVersion)
    .addHelpText('after', example('holdfast role take PISP --entity https://rp.example.edu --reason "not used"'));
  command.action(async (given: string, options: GiveOptions & { reason: string }) => {
    const { reason, dryRun = false, ifMatch } = options;
    const session = openServiceSession(command, surroundings);
    const entity = await findEntity(session.client, options.entity);
    const role = await findRole(session.client, given, entity.authorityId);
    const { id } = await findEntityRole(session.client, entity, role);
    const body = { reason, ...(dryRun && { dryRun }) };
    const request = { method: 'POST', path: `entities/${entity.id}/roles/${id}/remove`, body, ifMatch } as const;
    const roles = await session.client.send(request, entityRolesSchema);
    session.output.result(roles, (report) => {
      describeEntityRoles(report, roles, `${entity.entityIdentifier}${dryRun ? TRIED : ''}`);
    });
  });
}
