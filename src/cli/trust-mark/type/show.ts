/** `holdfast trust-mark type show` */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { findTrustMarkType } from '../find-trust-mark.ts';
import { showType } from './show-type.ts';

export function addTypeShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a Trust Mark type: what its marks say, and who may get one.')
    .argument('<type>', 'id or name')
    .addHelpText('after', example('holdfast trust-mark type show https://fed.example.org/marks/member'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const type = await findTrustMarkType(session.client, given);
    await showType(session, type);
  });
}
