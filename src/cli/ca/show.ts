/** `holdfast ca show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeCa } from './ca-report.ts';
import { CA_ARGUMENT, findCa } from './find-ca.ts';

export function addCaShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .summary('show one, and whether it is believed')
    .description('Show a certification authority, what it publishes, and whether the trust list has it.')
    .argument('<ca>', CA_ARGUMENT)
    .option('--request', 'its request for a certificate alone, as PEM')
    .addHelpText('after', example('holdfast ca show "Example Issuing CA"'));
  command.action(async (given: string, options: { request?: true }) => {
    const session = openServiceSession(command, surroundings);
    const record = await findCa(session.client, given);
    if (options.request === true) session.output.text(record.request.trimEnd(), { request: record.request });
    else await showRecord(session, record, describeCa);
  });
}
