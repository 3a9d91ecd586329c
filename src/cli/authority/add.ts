/** `holdfast authority add` */
import type { Command } from 'commander';
import { authoritySchema } from '../api-records.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeAuthority } from './authority-report.ts';
import { type AuthorityOptions, addAuthorityOptions, authoritySettings } from './authority-settings.ts';

interface AddOptions extends AuthorityOptions {
  name: string;
  idempotencyKey?: string;
}

export function addAuthorityAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('make a Trust Anchor or, with superiors, an Intermediate')
    .description('Make an authority with a key of its own: a Trust Anchor or, with --superior, an Intermediate.')
    .argument('<entity-identifier>', 'its Entity Identifier: this service must be reachable there')
    .requiredOption('--name <name>', 'the name of its organisation, published with its metadata');
  addAuthorityOptions(command)
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText(
      'after',
      example('holdfast authority add https://fed.example.org/edu --name "Edu" --superior https://fed.example.org'),
    );
  command.action(async (entityIdentifier: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const body = { entityIdentifier, ...(await authoritySettings(options, session)) };
    const authority = await session.client.send(
      { method: 'POST', path: 'authorities', body, idempotencyKey: options.idempotencyKey },
      authoritySchema,
    );
    session.output.result(authority, (report) => describeAuthority(report, authority));
  });
}
