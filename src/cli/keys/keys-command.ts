/** `holdfast keys`: the keys that the service signs with, and the master key over them. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addKeysListCommand } from './list.ts';
import { addKeysRewrapCommand } from './rewrap.ts';

export function addKeysCommand(program: Command, surroundings: Surroundings): void {
  const keys = program
    .command('keys')
    .summary('the keys that the service signs with')
    .description(
      'The service signs with Federation Entity Keys that never leave it. They are kept sealed under a master key,\n' +
        'which stands in a file of its own: a copy of the database alone signs nothing.',
    )
    .addHelpText('after', example('holdfast keys list'));
  addKeysListCommand(keys, surroundings);
  addKeysRewrapCommand(keys, surroundings);
}
