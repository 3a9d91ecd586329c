/** `holdfast organisation`: who is responsible for entities. */
import type { Command } from 'commander';
import { type OrganisationRecord, organisationSchema } from '../api-records.ts';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addTransitionCommands } from '../transition-commands.ts';
import { addOrganisationAddCommand } from './add.ts';
import { addContactCommand } from './contact/contact-command.ts';
import { addOrganisationListCommand } from './list.ts';
import { describeOrganisation } from './organisation-report.ts';
import { addOrganisationShowCommand } from './show.ts';
import { addOrganisationUpdateCommand } from './update.ts';

export function addOrganisationCommand(program: Command, surroundings: Surroundings): void {
  const organisation = program
    .command('organisation')
    .summary('who is responsible for entities')
    .description(
      'Organisations are responsible for entities. An entity counts only as long as its organisation is active:\n' +
        'suspending the organisation stops all of its entities, reinstating it brings back those that were active.',
    )
    .addHelpText('after', example('holdfast organisation list'));
  addOrganisationAddCommand(organisation, surroundings);
  addOrganisationListCommand(organisation, surroundings);
  addOrganisationShowCommand(organisation, surroundings);
  addOrganisationUpdateCommand(organisation, surroundings);
  addContactCommand(organisation, surroundings);
  addTransitionCommands<OrganisationRecord>(organisation, surroundings, {
    noun: 'organisation',
    collection: 'organisations',
    record: organisationSchema,
    argument: 'id, or legal name if unique',
    sample: '"Example University"',
    find: ({ client }, given) => findOrganisation(client, given),
    describe: describeOrganisation,
    title: ({ legalName }) => legalName,
  });
}
