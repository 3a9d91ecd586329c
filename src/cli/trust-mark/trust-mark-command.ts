/** `holdfast trust-mark`: types, marks, delegations, and the marks that we show ourselves. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addDelegationCommand } from './delegation/delegation-command.ts';
import { addTrustMarkGrantCommand } from './grant.ts';
import { addHeldCommand } from './held/held-command.ts';
import { addTrustMarkListCommand } from './list.ts';
import { addTrustMarkRenewCommand } from './renew.ts';
import { addTrustMarkRequestCommand } from './request.ts';
import { addTrustMarkShowCommand } from './show.ts';
import { addTrustMarkTransitionCommands } from './transitions.ts';
import { addTypeCommand } from './type/type-command.ts';

export function addTrustMarkCommand(program: Command, surroundings: Surroundings): void {
  const trustMark = program
    .command('trust-mark')
    .summary('Trust Marks: issue, renew and withdraw them')
    .description(
      'Trust Marks that our authorities issue. Define a type, let the Trust Anchor list it, grant marks: bearers fetch\n' +
        'them at the Trust Mark endpoint of the authority and show them in their Entity Configurations.',
    )
    .addHelpText(
      'after',
      example(
        'holdfast trust-mark type define https://fed.example.org/marks/member --name Member',
        'holdfast trust-mark grant https://rp.example.edu --type https://fed.example.org/marks/member',
        'holdfast trust-mark withdraw https://rp.example.edu --reason "audit failed"',
      ),
    );
  addTypeCommand(trustMark, surroundings);
  addTrustMarkGrantCommand(trustMark, surroundings);
  addTrustMarkRequestCommand(trustMark, surroundings);
  addTrustMarkListCommand(trustMark, surroundings);
  addTrustMarkShowCommand(trustMark, surroundings);
  addTrustMarkRenewCommand(trustMark, surroundings);
  addTrustMarkTransitionCommands(trustMark, surroundings);
  addDelegationCommand(trustMark, surroundings);
  addHeldCommand(trustMark, surroundings);
}
