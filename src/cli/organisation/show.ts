/** `holdfast organisation show` */
import type { Command } from 'commander';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { withNames } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeOrganisation, readProofs } from './organisation-report.ts';

export function addOrganisationShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show an organisation, with the domains that it proved and the terms that it accepted.')
    .argument('<organisation>', 'id, or legal name if unique')
    .addHelpText('after', example('holdfast organisation show "Example University"'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const organisation = await findOrganisation(session.client, given);
    const [readable = organisation] = await withNames(session, [organisation]);
    const proofs = session.output.isJson ? undefined : await readProofs(session.client, organisation);
    session.output.result(organisation, (report) => describeOrganisation(report, readable, proofs));
  });
}
