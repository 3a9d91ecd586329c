/** `holdfast organisation contact confirm` */
import type { Command } from 'commander';
import { contactSchema } from '../../api-records.ts';
import { findContact, findOrganisation } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeContact } from '../organisation-report.ts';

export function addContactConfirmCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('confirm')
    .summary('record that you reached it and that it is right')
    .description('Record that you reached a contact and that it is right.')
    .argument('<organisation>', 'id, or legal name if unique')
    .argument('<contact>', 'id, or address if unique')
    .requiredOption('--reason <text>', 'how you know, for the audit trail')
    .addHelpText(
      'after',
      example(
        'holdfast organisation contact confirm "Example University" soc@example.edu --reason "test alarm answered"',
      ),
    );
  command.action(async (given: string, contact: string, { reason }: { reason: string }) => {
    const session = openServiceSession(command, surroundings);
    const organisation = await findOrganisation(session.client, given);
    const { id, version } = findContact(organisation, contact);
    const path = `organisations/${organisation.id}/contacts/${id}/confirm`;
    const confirmed = await session.client.send(
      { method: 'POST', path, body: { reason }, ifMatch: version },
      contactSchema,
    );
    session.output.result(confirmed, (report) => describeContact(report, confirmed));
  });
}
