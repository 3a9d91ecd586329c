/** `holdfast role update` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findRole } from './find-role.ts';
import { changedRoleSchema } from './role-records.ts';
import { describeAffected, describeRole } from './role-report.ts';
import { addRoleOptions, type RoleOptions, roleSettings } from './role-settings.ts';
import { ROLE_ARGUMENT } from './show.ts';

interface UpdateOptions extends RoleOptions {
  dryRun?: boolean;
  ifMatch?: number;
}

export function addRoleUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change what it implies; statements about its holders follow')
    .description(
      'Change what a role is and implies. The statements about all who hold it follow at once; a policy that does not go\n' +
        'with what is said about one of them is refused, and the refusal says where.',
    )
    .argument('<role>', ROLE_ARGUMENT)
    .option('--name <name>', 'another name');
  addRoleOptions(command)
    .option('--no-entity-type', 'for entities of any Entity Type')
    .option('--dry-run', 'say whom it would concern and whether it would be refused, and change nothing')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast role update PISP --metadata-policy pisp.json --dry-run'));
  command.action(async (given: string, options: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const body = await roleSettings(options, session);
    requireSomeChange(body);
    const { id, version } = await findRole(session.client, given);
    const isDryRun = options.dryRun === true;
    const request = { ...body, ...(isDryRun && { dryRun: true }) };
    const role = await session.client.send(
      { method: 'PATCH', path: `roles/${id}`, body: request, ifMatch: options.ifMatch ?? version },
      changedRoleSchema,
    );
    await showRecord(session, role, (report, readable) => {
      describeRole(report, readable);
      describeAffected(report, role, isDryRun ? 'Would concern' : 'Concerns');
      if (isDryRun) report.line('Nothing was changed.');
    });
  });
}
