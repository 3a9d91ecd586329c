/** `holdfast authority`: the Trust Anchors and Intermediates that the service operates. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addAuthorityAddCommand } from './add.ts';
import { addAuthorityKeysCommand } from './keys/keys-command.ts';
import { addAuthorityListCommand } from './list.ts';
import { addAuthorityShowCommand } from './show.ts';
import { addAuthorityUpdateCommand } from './update.ts';

export function addAuthorityCommand(program: Command, surroundings: Surroundings): void {
  const authority = program
    .command('authority')
    .summary('the Trust Anchors and Intermediates operated here')
    .description('Authorities are the Trust Anchors and Intermediates that this service operates. Each stands alone.')
    .addHelpText('after', example('holdfast authority list'));
  addAuthorityAddCommand(authority, surroundings);
  addAuthorityListCommand(authority, surroundings);
  addAuthorityShowCommand(authority, surroundings);
  addAuthorityUpdateCommand(authority, surroundings);
  addAuthorityKeysCommand(authority, surroundings);
}
