/** `holdfast token-issuer show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeIssuer, findTokenIssuer, ISSUER_ARGUMENT } from './token-issuer-records.ts';

export function addIssuerShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a token issuer; our secret there is shown to nobody.')
    .argument('<issuer>', ISSUER_ARGUMENT)
    .addHelpText('after', example('holdfast token-issuer show https://as.bank.example'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    await showRecord(session, await findTokenIssuer(session.client, given), describeIssuer);
  });
}
