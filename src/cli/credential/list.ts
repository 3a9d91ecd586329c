/** `holdfast credential list` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { positiveInteger } from '../option-values.ts';
import { addOwnerOptions, type OwnerOptions, ownerQuery } from '../owner-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { credentialSchema } from './credential-records.ts';
import { CREDENTIAL_COLUMNS, credentialRow } from './credential-report.ts';
import { fingerprint } from './find-credential.ts';

interface CredentialListOptions extends ListOptions, OwnerOptions {
  usage?: string;
  possession?: string;
  environment?: string;
  state?: string;
  live?: boolean;
  expiresWithin?: number;
  fingerprint?: string;
}

export function addCredentialListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addOwnerOptions(
    addListOptions(parent.command('list').description('List credentials, those that count no more too.')),
  )
    .option('--entity <entity>', 'only those of one entity')
    .option('--usage <usage>', 'only those for transport, signing or encryption')
    .option('--possession <word>', 'only those whose key was proven, or unproven')
    .option('--environment <word>', 'only those of one environment, such as sandbox')
    .option('--state <state>', 'only active, not_yet_valid, on_hold, superseded, expired or revoked ones')
    .option('--live', 'only those that count: themselves, their entity and its organisation')
    .option('--expires-within <days>', 'only those that may count and end within so many days', positiveInteger)
    .option('--fingerprint <sha256>', 'whose certificate this is: x5t#S256, or as openssl shows it')
    .addHelpText(
      'after',
      example(
        'holdfast credential list --expires-within 30',
        '# whose certificate is this?',
        'holdfast credential list --fingerprint "$(openssl x509 -noout -fingerprint -sha256 -in client.pem)"',
      ),
    );
  command.action(async (options: CredentialListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const { usage, possession, environment, state, live, expiresWithin } = options;
    const owner = await ownerQuery(client, options);
    const x5tS256 = options.fingerprint === undefined ? undefined : fingerprint(options.fingerprint);
    const query = {
      ...owner,
      ...{ usage, possession, environment, state, x5tS256 },
      isLive: live === true ? 'true' : undefined,
      expiresWithinDays: expiresWithin?.toString(),
    };
    const listing = { record: credentialSchema, columns: CREDENTIAL_COLUMNS, row: credentialRow };
    await showList(session, { path: 'credentials', query, ...listing }, options);
  });
}
