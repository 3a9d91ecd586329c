/** `holdfast decisions`: what was answered to those who asked for admission. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addDecisionsListCommand } from './list.ts';
import { addDecisionsPruneCommand } from './prune.ts';
import { addDecisionsVerifyCommand } from './verify.ts';

export function addDecisionsCommand(program: Command, surroundings: Surroundings): void {
  const decisions = program
    .command('decisions')
    .summary('who was denied admission, when and why: list, verify, prune')
    .description(
      'Every deny, and a sample of what was allowed, by enforcement point, participant, reason and time. Of tokens and\n' +
        'certificates there are hashes only. The rows of each run of a node form a chain, as those of the audit do.\n' +
        'Without a subcommand: list.',
    )
    .addHelpText('after', example('holdfast decisions --reason suspended --from 2027-01-15'));
  addDecisionsListCommand(decisions, surroundings);
  addDecisionsVerifyCommand(decisions, surroundings);
  addDecisionsPruneCommand(decisions, surroundings);
}
