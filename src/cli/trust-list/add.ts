/** `holdfast trust-list add` */
import { type Command, Option } from 'commander';
import { readCertificateInput } from '../credential/material-options.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { trustListEntrySchema } from './trust-list-records.ts';
import { describeTrustListEntry } from './trust-list-report.ts';

interface AddOptions {
  purpose: string;
  name?: string;
  authority?: string;
  idempotencyKey?: string;
}

export function addTrustListAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('put a certification authority on the list')
    .description(
      'Put a certification authority on the list. Compare the fingerprint of its certificate out of band first; the\n' +
        'certificate may be that of a root, or of one below a root.',
    )
    .argument('<certificate>', 'file with its certificate, PEM or DER; - is standard input')
    .addOption(
      new Option(
        '--purpose <purpose>',
        'what its certificates are believed for: transport (of TLS clients), or signing',
      )
        .choices(['transport', 'signing'])
        .makeOptionMandatory(),
    )
    .option('--name <name>', 'what people call it; its subject unless given')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText('after', example('holdfast trust-list add ca.pem --purpose transport --name "Example CA"'));
  command.action(async (file: string, { purpose, name, idempotencyKey, ...options }: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { readNewAnchor } = await import('../../pki/path/trust-anchors.ts');
    const certificate = await readCertificateInput(file, session, readNewAnchor);
    const { id: authorityId } = await findAuthority(session.client, options.authority);
    const body = { authorityId, purpose, certificate, name };
    const entry = await session.client.send(
      { method: 'POST', path: 'trust-list', body, idempotencyKey },
      trustListEntrySchema,
    );
    await showRecord(session, entry, describeTrustListEntry);
  });
}
