/** `holdfast enforcement-point show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describePoint, findEnforcementPoint, POINT_ARGUMENT } from './enforcement-point-records.ts';

export function addPointShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show an enforcement point; its token is kept nowhere.')
    .argument('<point>', POINT_ARGUMENT)
    .addHelpText('after', example('holdfast enforcement-point show gw-1'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    await showRecord(session, await findEnforcementPoint(session.client, given), describePoint);
  });
}
