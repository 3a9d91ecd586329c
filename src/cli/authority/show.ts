/** `holdfast authority show` */
import type { Command } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeAuthority } from './authority-report.ts';

export function addAuthorityShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show an authority with its endpoints and settings.')
    .argument('[authority]', 'id, Entity Identifier or name; may be left out if there is only one')
    .addHelpText('after', example('holdfast authority show'));
  command.action(async (given: string | undefined) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, given);
    session.output.result(authority, (report) => describeAuthority(report, authority));
  });
}
