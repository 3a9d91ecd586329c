/** `holdfast authority keys`: the keys that an authority signs with, and their life. */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import type { Surroundings } from '../../surroundings.ts';
import { addKeysActivateCommand } from './activate.ts';
import { addKeysListCommand } from './list.ts';
import { addKeysRevokeCommand } from './revoke.ts';
import { addKeysRollCommand } from './roll.ts';

export function addAuthorityKeysCommand(parent: Command, surroundings: Surroundings): void {
  const keys = parent
    .command('keys')
    .summary('its Federation Entity Keys: list, roll, revoke, …')
    .description(
      'The Federation Entity Keys of an authority. A new key is announced, so that everybody learns it, then signs; the\n' +
        'one before it is retired and stays published while anything lives that it signed, then becomes historical.\n' +
        'All of that happens by itself once a roll has begun. Without a subcommand: list.',
    )
    .addHelpText('after', example('holdfast authority keys roll', 'holdfast authority keys list'));
  addKeysListCommand(keys, surroundings);
  addKeysRollCommand(keys, surroundings);
  addKeysActivateCommand(keys, surroundings);
  addKeysRevokeCommand(keys, surroundings);
}
