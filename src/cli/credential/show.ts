/** `holdfast credential show` */
import type { Command } from 'commander';
import { encodePem } from '../../pki/pem.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeCredential } from './credential-report.ts';
import { findCredential } from './find-credential.ts';

export function addCredentialShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a credential: whose it is, and whether it counts.')
    .argument('<credential>', 'id, or SHA-256 of the certificate')
    .option('--pem', 'the certificate itself and those above it, as PEM')
    .addHelpText('after', example('holdfast credential show 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f'));
  command.action(async (given: string, { pem }: { pem?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const credential = await findCredential(session.client, given);
    if (pem !== true) {
      session.output.result(credential, (report) => describeCredential(report, credential));
      return;
    }
    if (credential.x5c == null) throw new CommandError('refused', 'it is a key without a certificate');
    const text = credential.x5c.map((base64) => encodePem(Buffer.from(base64, 'base64'))).join('');
    session.output.text(text.trimEnd(), { certificate: text });
  });
}
