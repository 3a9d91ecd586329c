/** `holdfast exception`: what legacy partners are let off for a while. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addExceptionListCommand, addExceptionShowCommand } from './read.ts';
import { addExceptionRequestCommand } from './request.ts';
import { addExceptionTransitionCommands } from './transitions.ts';

export function addExceptionCommand(program: Command, surroundings: Surroundings): void {
  const exception = program
    .command('exception')
    .summary('what legacy partners are let off for a while')
    .description(
      'An exception lets an entity off a requirement that it cannot meet yet. Somebody answers for it, somebody else\n' +
        'approves it, and it ends within a year. It never lifts a suspension: it counts only while the entity does.',
    )
    .addHelpText('after', example('holdfast exception list --state approved'));
  addExceptionRequestCommand(exception, surroundings);
  addExceptionListCommand(exception, surroundings);
  addExceptionShowCommand(exception, surroundings);
  addExceptionTransitionCommands(exception, surroundings);
}
