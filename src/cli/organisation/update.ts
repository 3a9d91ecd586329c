/** `holdfast organisation update` */
import type { Command } from 'commander';
import { organisationSchema } from '../api-records.ts';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { type ContactInput, contact, recordVersion } from '../option-values.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeOrganisation } from './organisation-report.ts';

interface UpdateOptions {
  name?: string;
  contact?: ContactInput[];
  ifMatch?: number;
}

export function addOrganisationUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .description('Change the name or the contacts of an organisation.')
    .argument('<organisation>', 'id, or name if unique')
    .option('--name <name>', 'its new name')
    .option('--contact <type=email>', 'replaces all contacts; may be repeated', contact)
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText(
      'after',
      example('holdfast organisation update "Example University" --contact security=cert@example.edu'),
    );
  command.action(async (given: string, options: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const body = { name: options.name, contacts: options.contact };
    requireSomeChange(body);
    const { id, version } = await findOrganisation(session.client, given);
    const organisation = await session.client.send(
      { method: 'PATCH', path: `organisations/${id}`, body, ifMatch: options.ifMatch ?? version },
      organisationSchema,
    );
    session.output.result(organisation, (report) => describeOrganisation(report, organisation));
  });
}
