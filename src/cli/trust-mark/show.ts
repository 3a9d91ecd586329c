/** `holdfast trust-mark show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findTrustMark } from './find-trust-mark.ts';
import { describeMark } from './trust-mark-report.ts';

export function addTrustMarkShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a Trust Mark: who bears it, its state and why.')
    .argument('<mark>', 'id, or Entity Identifier of the bearer')
    .option('--type <type>', 'the type, where the bearer has several marks')
    .addHelpText('after', example('holdfast trust-mark show https://rp.example.edu'));
  command.action(async (given: string, options: { type?: string }) => {
    const session = openServiceSession(command, surroundings);
    const mark = await findTrustMark(session.client, given, options.type);
    session.output.result(mark, (report) => describeMark(report, mark));
  });
}
