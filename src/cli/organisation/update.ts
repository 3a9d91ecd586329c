/** `holdfast organisation update` */
import type { Command } from 'commander';
import { organisationSchema } from '../api-records.ts';
import { CommandError } from '../command-error.ts';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeOrganisation } from './organisation-report.ts';
import { addOrganisationOptions, type OrganisationOptions, organisationSettings } from './organisation-settings.ts';

interface UpdateOptions extends OrganisationOptions {
  legalName?: string;
  registration?: boolean;
  ifMatch?: number;
}

export function addOrganisationUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change its legal name, registration, parent or tags')
    .description('Change what is known about an organisation. Contacts: `holdfast organisation contact`.')
    .argument('<organisation>', 'id, or legal name if unique')
    .option('--legal-name <name>', 'its new legal name');
  addOrganisationOptions(command)
    .option('--no-registration', 'it is in no register that we know of')
    .option('--no-parent', 'it belongs to no other organisation')
    .option('--no-tag', 'it has no tags')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast organisation update "Example University" --tag research --tag pilot'));
  command.action(async (given: string, options: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const settings = await organisationSettings(options, session.client);
    if (options.registration === false && settings['registration'] !== undefined) {
      throw new CommandError('usage', '--no-registration and a registration contradict each other');
    }
    const body = {
      legalName: options.legalName,
      ...settings,
      ...(options.registration === false ? NO_REGISTRATION : {}),
    };
    requireSomeChange(body);
    const { id, version } = await findOrganisation(session.client, given);
    const organisation = await session.client.send(
      { method: 'PATCH', path: `organisations/${id}`, body, ifMatch: options.ifMatch ?? version },
      organisationSchema,
    );
    await showRecord(session, organisation, describeOrganisation);
  });
}

const NO_REGISTRATION = { registration: null };
