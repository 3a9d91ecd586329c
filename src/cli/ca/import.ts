/** `holdfast ca import` */
import type { Command } from 'commander';
import { readCertificateInput } from '../credential/material-options.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { certificationAuthoritySchema } from './ca-records.ts';
import { describeCa } from './ca-report.ts';
import { CA_ARGUMENT, findCa } from './find-ca.ts';

export function addCaImportCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('import')
    .summary('bring the certificate of a certification authority')
    .description(
      'Bring the certificate that a root gave for the request of a certification authority, with those above it: its own\n' +
        'first, the root last. It issues from then on. One that is active gets another certificate of its key and name.',
    )
    .argument('<ca>', CA_ARGUMENT)
    .argument('<chain>', 'file with the chain as PEM; - is standard input')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast ca import "Example Issuing CA" chain.pem'));
  command.action(async (given: string, file: string, { ifMatch }: { ifMatch?: number }) => {
    const session = openServiceSession(command, surroundings);
    const { decodePem } = await import('../../pki/pem.ts');
    // Only that nothing else leaves: what is wrong with the chain, the service tells best.
    const certificate = await readCertificateInput(file, session, decodePem);
    const { id } = await findCa(session.client, given);
    const active = await session.client.send(
      { method: 'POST', path: `certification-authorities/${id}/activate`, body: { certificate }, ifMatch },
      certificationAuthoritySchema,
    );
    await showRecord(session, active, describeCa);
  });
}
