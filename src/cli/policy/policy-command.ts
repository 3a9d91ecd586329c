/** `holdfast policy`: metadata policies, tried out before they are in force. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addPolicyTestCommand } from './test.ts';

export function addPolicyCommand(program: Command, surroundings: Surroundings): void {
  const policy = program
    .command('policy')
    .summary('metadata policies, tried out')
    .description('Metadata policies, tried out from files before they are in force.')
    .addHelpText('after', example('holdfast policy test --policy anchor.json --policy ours.json --metadata rp.json'));
  addPolicyTestCommand(policy, surroundings);
}
