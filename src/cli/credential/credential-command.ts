/** `holdfast credential`: certificates and keys of entities. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addCredentialAddCommand } from './add.ts';
import { addCredentialListCommand } from './list.ts';
import { addCredentialProveCommand } from './prove.ts';
import { addCredentialReplaceCommand } from './replace.ts';
import { addCredentialShowCommand } from './show.ts';
import { addCredentialTransitionCommands } from './transitions.ts';

export function addCredentialCommand(program: Command, surroundings: Surroundings): void {
  const credential = program
    .command('credential')
    .summary('certificates and keys of entities: add, replace, revoke, …')
    .description(
      'Certificates and keys that entities use in TLS, to sign and to decrypt. One counts while it is active and valid,\n' +
        'and its entity and organisation are active. Federation Entity Keys: `holdfast entity keys`.',
    )
    .addHelpText('after', example('holdfast credential list --entity https://rp.example.edu'));
  addCredentialProveCommand(credential, surroundings);
  addCredentialAddCommand(credential, surroundings);
  addCredentialListCommand(credential, surroundings);
  addCredentialShowCommand(credential, surroundings);
  addCredentialReplaceCommand(credential, surroundings);
  addCredentialTransitionCommands(credential, surroundings);
}
