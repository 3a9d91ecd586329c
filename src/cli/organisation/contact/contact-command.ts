/** `holdfast organisation contact`: whom to reach in an organisation, about what. */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import type { Surroundings } from '../../surroundings.ts';
import { addContactAddCommand } from './add.ts';
import { addContactConfirmCommand } from './confirm.ts';
import { addContactListCommand } from './list.ts';
import { addContactRemoveCommand } from './remove.ts';
import { addContactUpdateCommand } from './update.ts';

export function addContactCommand(parent: Command, surroundings: Surroundings): void {
  const contact = parent
    .command('contact')
    .summary('whom to reach in it, about what')
    .description(
      'Contacts of an organisation, each of a type: business, technical, security, incident or billing. Confirm one when\n' +
        'you reached it; another address has to be confirmed anew.',
    )
    .addHelpText('after', example('holdfast organisation contact list "Example University"'));
  addContactAddCommand(contact, surroundings);
  addContactListCommand(contact, surroundings);
  addContactUpdateCommand(contact, surroundings);
  addContactConfirmCommand(contact, surroundings);
  addContactRemoveCommand(contact, surroundings);
}
