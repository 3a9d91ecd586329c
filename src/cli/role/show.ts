/** `holdfast role show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findRole } from './find-role.ts';
import { describeRole } from './role-report.ts';

export const ROLE_ARGUMENT = 'id, name, or domain and name such as "Open Banking/PISP"';

export function addRoleShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a role and what it implies.')
    .argument('<role>', ROLE_ARGUMENT)
    .addHelpText('after', example('holdfast role show PISP'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const role = await findRole(session.client, given);
    await showRecord(session, role, describeRole);
  });
}
