/** `holdfast authorization-server show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { findAuthorizationServer } from '../offers/find-offer.ts';
import { describeServer } from '../offers/offer-report.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addServerShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show an authorization server.')
    .argument('<server>', 'id, or issuer')
    .addHelpText('after', example('holdfast authorization-server show https://op.example.edu'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const server = await findAuthorizationServer(session.client, given);
    await showRecord(session, server, describeServer);
  });
}
