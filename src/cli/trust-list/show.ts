/** `holdfast trust-list show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { ENTRY_ARGUMENT, findTrustListEntry } from './find-entry.ts';
import { describeTrustListEntry } from './trust-list-report.ts';

export function addTrustListShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a certification authority of the list; `--json` shows its certificate.')
    .argument('<entry>', ENTRY_ARGUMENT)
    .addHelpText('after', example('holdfast trust-list show "Example CA"'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const entry = await findTrustListEntry(session.client, given);
    await showRecord(session, entry, describeTrustListEntry);
  });
}
