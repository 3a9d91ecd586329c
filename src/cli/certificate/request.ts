/** `holdfast certificate request` */
import { unlink } from 'node:fs/promises';
import type { Command } from 'commander';
import { CommandError, EXIT } from '../command-error.ts';
import { createPrivateFile } from '../configuration/private-file.ts';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { readTextInput } from '../input-file.ts';
import { writeWhole } from '../output-file.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import {
  type CertificateRequestRecord,
  certificateRequestSchema,
  chainOf,
  describeCertificateRequest,
} from './request-report.ts';
import { addWantedOptions, readWantedOptions, type WantedOptions } from './wanted-options.ts';

interface RequestOptions extends WantedOptions {
  csr?: string;
  keyOut?: string;
  replaces?: string;
  out?: string;
  idempotencyKey?: string;
}

export function addCertificateRequestCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('request')
    .summary('ask for a certificate of an entity')
    .description(
      'Ask for a certificate of an entity. Subject and names are those of the registry, whatever the request says. It waits\n' +
        'for somebody else to approve it, but for a renewal that says the same as before.',
    )
    .argument('<entity>', 'id, or Entity Identifier');
  addWantedOptions(command)
    .option('--csr <file>', 'the request (PKCS#10) as PEM; - is standard input')
    .option('--key-out <file>', 'in its place make a new key in this file, and the request for it; the key stays here')
    .option('--replaces <credential>', 'renew this certificate: its id, as `holdfast credential list` shows it')
    .option('--out <file>', 'where the certificate and those above it go, if it is issued at once')
    .option('--idempotency-key <key>', 'repeating the command with this key asks for nothing twice (with --csr)')
    .addHelpText(
      'after',
      example(
        'holdfast certificate request https://rp.example.edu --profile client --key-out client.key',
        '# once somebody approved it',
        'holdfast certificate show 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f --pem > client.pem',
      ),
    );
  command.action(async (given: string, options: RequestOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client, output } = session;
    const { csr, keyOut, replaces, out, idempotencyKey } = options;
    if ((csr === undefined) === (keyOut === undefined)) {
      throw new CommandError('usage', 'name either --csr or --key-out');
    }
    const { authorityId, ...wanted } = await readWantedOptions(client, options);
    const { id } = await findEntity(client, given, authorityId);
    const path = `entities/${id}/certificate-requests`;
    const ask = (request: string): Promise<CertificateRequestRecord> => {
      const body = { ...wanted, request, replaces };
      return client.send({ method: 'POST', path, body, idempotencyKey }, certificateRequestSchema);
    };
    const asked =
      csr === undefined ? await withNewKey(keyOut ?? '', ask) : await ask(await readTextInput(csr, session));
    const certificate = chainOf(asked);
    if (out !== undefined && certificate !== undefined) await writeWhole(out, certificate);
    output.result(asked, (report) => {
      describeCertificateRequest(report, asked);
      if (certificate === undefined)
        report.line(`It waits for somebody else: holdfast certificate approve ${asked.id}`);
    });
  });
}

/** The key is on disk before anybody certifies it, and goes again if nobody will. */
async function withNewKey<T>(file: string, ask: (request: string) => Promise<T>): Promise<T> {
  // Loaded here, since no other command needs it.
  const { newKey, requestFor } = await import('./new-request.ts');
  const key = newKey();
  await createPrivateFile(file, key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  try {
    return await ask(requestFor(key));
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === EXIT.refused) await unlink(file);
    throw error;
  }
}
