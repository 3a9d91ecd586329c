/** `holdfast organisation contact remove` */
import type { Command } from 'commander';
import { nothingSchema } from '../../api-records.ts';
import { confirm } from '../../confirm.ts';
import { findContact, findOrganisation } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';

export function addContactRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .description('Remove a contact from an organisation.')
    .argument('<organisation>', 'id, or legal name if unique')
    .argument('<contact>', 'id, or address if unique')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast organisation contact remove "Example University" ops@example.edu'));
  command.action(async (given: string, contact: string, { yes }: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const organisation = await findOrganisation(session.client, given);
    const found = findContact(organisation, contact);
    const lookAt = `holdfast organisation contact list ${organisation.id}`;
    await confirm(`remove the ${found.type} contact ${found.email}?`, session, { yes, lookAt });
    const path = `organisations/${organisation.id}/contacts/${found.id}`;
    await session.client.send({ method: 'DELETE', path, ifMatch: found.version }, nothingSchema);
    session.output.result({ removed: found.id }, (report) => report.line(`${found.email} is removed.`));
  });
}
