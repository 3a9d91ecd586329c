/** `holdfast organisation list` */
import type { Command } from 'commander';
import { organisationSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { ORGANISATION_COLUMNS, organisationRow } from './organisation-report.ts';

interface OrganisationListOptions extends ListOptions {
  authority?: string;
  state?: string;
  tag?: string;
  registrationNumber?: string;
  country?: string;
}

export function addOrganisationListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List organisations.'))
    .option('--authority <authority>', 'only those of one authority')
    .option('--state <state>', 'only those in this state, such as pending')
    .option('--tag <word>', 'only those with this tag')
    .option('--registration-number <number>', 'only those with this number in a register')
    .option('--country <code>', 'only those registered in this country, such as GB')
    .addHelpText('after', example('holdfast organisation list --state pending'));
  command.action(async (options: OrganisationListOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const listing = {
      path: 'organisations',
      query: {
        authorityId,
        state: options.state,
        tag: options.tag,
        registrationNumber: options.registrationNumber,
        registrationCountry: options.country,
      },
      record: organisationSchema,
      columns: ORGANISATION_COLUMNS,
      row: organisationRow,
      isNamed: true,
    };
    await showList(session, listing, options);
  });
}
