/** `holdfast credential add` */
import type { Command } from 'commander';
import { findAuthority, findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { credentialSchema } from './credential-records.ts';
import { describeCredential } from './credential-report.ts';
import { addMaterialOptions, type MaterialOptions, readMaterialOptions } from './material-options.ts';

interface AddOptions extends MaterialOptions {
  usage: string;
  environment?: string;
  authority?: string;
  idempotencyKey?: string;
}

export function addCredentialAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('record a certificate or key of an entity')
    .description(
      'Record a certificate or key of an entity. A key for transport is of one entity in one environment; who issued a\n' +
        'certificate is shown, not judged.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .requiredOption('--usage <usage>', 'transport (TLS), signing or encryption');
  addMaterialOptions(command)
    .option('--environment <word>', "where it is meant to be used; refused unless it is the entity's own")
    .option('--authority <authority>', 'the authority meant, if several have enrolled the entity')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText(
      'after',
      example(
        'holdfast credential add https://rp.example.edu --usage transport --certificate client.pem',
        '# with a token of a member: show that the key is yours',
        'PROOF=$(holdfast credential prove https://rp.example.edu --authority https://fed.example.org --key client.key)',
        'holdfast credential add https://rp.example.edu --usage transport --certificate client.pem --proof "$PROOF"',
      ),
    );
  command.action(async (given: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const material = await readMaterialOptions(options, session);
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const { id } = await findEntity(client, given, authorityId);
    const { usage, environment, idempotencyKey } = options;
    const body = { usage, environment, ...material };
    const path = `entities/${id}/credentials`;
    const credential = await client.send({ method: 'POST', path, body, idempotencyKey }, credentialSchema);
    session.output.result(credential, (report) => describeCredential(report, credential));
  });
}
