/** `holdfast organisation show` */
import type { Command } from 'commander';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeOrganisation } from './organisation-report.ts';

export function addOrganisationShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show an organisation.')
    .argument('<organisation>', 'id, or legal name if unique')
    .addHelpText('after', example('holdfast organisation show "Example University"'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const organisation = await findOrganisation(session.client, given);
    session.output.result(organisation, (report) => describeOrganisation(report, organisation));
  });
}
