/** `holdfast role`: what organisations and their entities may be, and what that implies. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addRoleAddCommand } from './add.ts';
import { addRoleAmendCommand, addRoleAssignCommand } from './assign.ts';
import { addDomainCommand } from './domain/domain-command.ts';
import { addRoleGiveCommand, addRoleTakeCommand } from './give.ts';
import { addRoleListCommand } from './list.ts';
import { addRoleShowCommand } from './show.ts';
import { addRoleTransitionCommands } from './transitions.ts';
import { addRoleUnassignCommand } from './unassign.ts';
import { addRoleUpdateCommand } from './update.ts';

export function addRoleCommand(program: Command, surroundings: Surroundings): void {
  const role = program
    .command('role')
    .summary('what organisations and entities may be, and what that implies')
    .description(
      'Roles: what organisations may be in an authorisation domain, and within them their entities. A role has scopes,\n' +
        'grant types and a metadata policy, which is in the Subordinate Statements about all who hold it. Assign it to an\n' +
        'organisation, then give it to entities; taken from the organisation, they lose it in the same moment.',
    )
    .addHelpText(
      'after',
      example(
        'holdfast role domain add "Open Banking"',
        'holdfast role add PISP --domain "Open Banking" --scope payments --metadata-policy pisp.json',
        'holdfast role assign PISP --organisation "Example Bank Ltd" --valid-to 2028-12-31',
        'holdfast role give PISP --entity https://rp.bank.example',
      ),
    );
  addDomainCommand(role, surroundings);
  addRoleAddCommand(role, surroundings);
  addRoleListCommand(role, surroundings);
  addRoleShowCommand(role, surroundings);
  addRoleUpdateCommand(role, surroundings);
  addRoleTransitionCommands(role, surroundings);
  addRoleAssignCommand(role, surroundings);
  addRoleAmendCommand(role, surroundings);
  addRoleUnassignCommand(role, surroundings);
  addRoleGiveCommand(role, surroundings);
  addRoleTakeCommand(role, surroundings);
}
