/** `holdfast enrolment`: how an entity is let in. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addEnrolmentAddCommand } from './add.ts';
import { addEnrolmentDecisionCommands } from './decide.ts';
import { addEnrolmentListCommand, addEnrolmentShowCommand } from './look.ts';
import {
  addEnrolmentAcceptTermsCommand,
  addEnrolmentRunCommand,
  addEnrolmentSubmitCommand,
  addEnrolmentUpdateCommand,
} from './mend.ts';
import { addEnrolmentWithdrawDomainCommand, addEnrolmentWithdrawTermsCommand } from './withdraw.ts';

export function addEnrolmentCommand(program: Command, surroundings: Surroundings): void {
  const enrolment = program
    .command('enrolment')
    .summary('how an entity is let in: steps with evidence, approvals')
    .description(
      'An enrolment takes an entity through the steps of its authority: who is behind it, its domain, keys, configuration,\n' +
        'policy, roles, contacts, terms, and the word of others. What each found is kept; one that failed is run again when\n' +
        'it is mended. Then people approve it, never the one who submitted it. An authority says which steps there are:\n' +
        '`holdfast authority update --enrolment-flow FILE`.',
    )
    .addHelpText('after', example('holdfast enrolment list --state pending_approval'));
  addEnrolmentAddCommand(enrolment, surroundings);
  addEnrolmentListCommand(enrolment, surroundings);
  addEnrolmentShowCommand(enrolment, surroundings);
  addEnrolmentRunCommand(enrolment, surroundings);
  addEnrolmentUpdateCommand(enrolment, surroundings);
  addEnrolmentSubmitCommand(enrolment, surroundings);
  addEnrolmentDecisionCommands(enrolment, surroundings);
  addEnrolmentAcceptTermsCommand(enrolment, surroundings);
  addEnrolmentWithdrawTermsCommand(enrolment, surroundings);
  addEnrolmentWithdrawDomainCommand(enrolment, surroundings);
}
