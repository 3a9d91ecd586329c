/** `holdfast ca certify` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { nameOf, readTextInput } from '../input-file.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { writeNewFile } from './new-file.ts';
import { addCertifyingOptions, type RootOptions, rootPassphrase } from './root-options.ts';

interface CertifyOptions extends Pick<RootOptions, 'years' | 'passphraseFile'> {
  root: string;
  out: string;
}

export function addCaCertifyCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('certify')
    .summary('certify a request with the root, on a machine without any network')
    .description(
      'Certify the request of a certification authority with the root of a folder. It needs no service and no network: a\n' +
        'root can stay where there is none. It says which key it certified: the request may have been exchanged on its way.',
    )
    .argument('<request>', 'file with the request, as `holdfast ca init --request` wrote it; - is standard input')
    .requiredOption('--root <folder>', 'the folder of the root')
    .requiredOption('--out <file>', 'new file for the chain: its certificate and that of the root');
  addCertifyingOptions(command).addHelpText(
    'after',
    example(
      '# where the service is',
      'holdfast ca init "Example Issuing CA" --request request.pem',
      '# where the root is',
      'holdfast ca certify request.pem --root /media/stick/root --out chain.pem --passphrase-file /media/stick/passphrase',
      '# where the service is',
      'holdfast ca import "Example Issuing CA" chain.pem',
    ),
  );
  command.action(async (file: string, { root: folder, out, years, ...options }: CertifyOptions) => {
    const session = openSession(command, surroundings);
    const request = await readTextInput(file, session);
    const passphrase = await rootPassphrase(options, session);
    const { certifyRequest, requestFacts } = await import('./root-ceremony.ts');
    const { openOfflineRoot } = await import('../../signer/offline-root.ts');
    const { asOfRoot } = await import('./root-failure.ts');
    const now = Math.floor(Date.now() / 1000);
    const chain = await asOfRoot(async () =>
      certifyRequest(await openOfflineRoot(folder, passphrase), request, years, now),
    );
    await writeNewFile(out, chain);
    const { subject, kid } = await asOfRoot(() => requestFacts(request));
    session.output.result({ chain: out, subject, kid }, (report) => {
      report.line(`${nameOf(file)} is certified: ${out}`);
      report.facts([
        ['subject', subject],
        ['key', kid],
      ]);
      report.line(
        'Compare the key with what `holdfast ca show` shows where the service is, before anybody uses the chain.',
      );
    });
  });
}
