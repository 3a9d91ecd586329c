/** `holdfast organisation contact list` */
import type { Command } from 'commander';
import { contactSchema } from '../../api-records.ts';
import { findOrganisation } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../../list-options.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { CONTACT_COLUMNS, contactRow } from '../organisation-report.ts';

export function addContactListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List the contacts of an organisation.'))
    .argument('<organisation>', 'id, or legal name if unique')
    .option('--type <type>', 'only those of one type, such as incident')
    .addHelpText('after', example('holdfast organisation contact list "Example University" --type incident'));
  command.action(async (given: string, options: ListOptions & { type?: string }) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findOrganisation(session.client, given);
    const listing = { record: contactSchema, columns: CONTACT_COLUMNS, row: contactRow };
    const path = `organisations/${id}/contacts`;
    await showList(session, { path, query: { type: options.type }, ...listing }, options);
  });
}
