/** `holdfast certificate`: certificates that our own certification authorities issue to entities. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addCertificateCodeCommand } from './code.ts';
import { addCertificateDecisionCommands } from './decisions.ts';
import { addCertificateListCommand, addCertificateShowCommand } from './read.ts';
import { addCertificateRequestCommand } from './request.ts';

export function addCertificateCommand(program: Command, surroundings: Surroundings): void {
  const certificate = program
    .command('certificate')
    .summary('certificates of our own: request, approve, code, …')
    .description(
      'Requests for certificates that a certification authority of ours issues (`holdfast ca`). What was issued is a\n' +
        'credential: `holdfast credential` lists, holds and revokes it.',
    )
    .addHelpText('after', example('holdfast certificate list --state pending'));
  addCertificateRequestCommand(certificate, surroundings);
  addCertificateCodeCommand(certificate, surroundings);
  addCertificateListCommand(certificate, surroundings);
  addCertificateShowCommand(certificate, surroundings);
  addCertificateDecisionCommands(certificate, surroundings);
}
