/** `holdfast trust-list remove` */
import type { Command } from 'commander';
import { nothingSchema } from '../api-records.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { ENTRY_ARGUMENT, findTrustListEntry } from './find-entry.ts';

export function addTrustListRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .summary('take a certification authority off the list')
    .description(
      'Take a certification authority off the list. Where only listed ones are believed, its certificates are denied at\n' +
        'once; put its successor on the list first.',
    )
    .argument('<entry>', ENTRY_ARGUMENT)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast trust-list remove "Example CA"'));
  command.action(async (given: string, options: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, name, purpose } = await findTrustListEntry(session.client, given);
    const lookAt = `holdfast trust-list show ${id}`;
    await confirm(`believe ${name} no more for ${purpose}?`, session, { yes: options.yes, lookAt });
    await session.client.send({ method: 'DELETE', path: `trust-list/${id}` }, nothingSchema);
    session.output.result({ removed: id }, (report) => report.line(`${name} is removed.`));
  });
}
