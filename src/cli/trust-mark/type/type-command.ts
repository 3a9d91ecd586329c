/** `holdfast trust-mark type`: what kinds of marks our authorities issue. */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import type { Surroundings } from '../../surroundings.ts';
import { addTypeDefineCommand } from './define.ts';
import { addTypeListCommand } from './list.ts';
import { addTypeShowCommand } from './show.ts';
import { addTypeTransitionCommands } from './transitions.ts';
import { addTypeUpdateCommand } from './update.ts';

export function addTypeCommand(parent: Command, surroundings: Surroundings): void {
  const type = parent
    .command('type')
    .summary('types of marks that our authorities issue')
    .description(
      'Types of Trust Marks that our authorities issue: what marks say, how long they live, who may get one.',
    )
    .addHelpText(
      'after',
      example('holdfast trust-mark type define https://fed.example.org/marks/member --name Member'),
    );
  addTypeDefineCommand(type, surroundings);
  addTypeListCommand(type, surroundings);
  addTypeShowCommand(type, surroundings);
  addTypeUpdateCommand(type, surroundings);
  addTypeTransitionCommands(type, surroundings);
}
