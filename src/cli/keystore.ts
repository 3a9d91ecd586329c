/** `holdfast keystore`: public keys of members, as everybody sees them. */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { findEntity, findOrganisation } from './find-record.ts';
import { example } from './help-text.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';

const keySetSchema = z.looseObject({
  keys: z.array(
    z.looseObject({
      kid: z.string(),
      kty: z.string(),
      use: z.string(),
      alg: z.string().optional(),
      'x5t#S256': z.string().optional(),
    }),
  ),
});

interface KeyStoreOptions {
  for: string;
  inactive?: true;
  mode?: string;
  environment?: string;
}

export function addKeystoreCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('keystore')
    .summary('public keys of members, as everybody sees them')
    .description(
      'Show the keys of an organisation or of one of its applications that count now, and where everybody finds them.\n' +
        'With --json: the JWK Set itself.',
    )
    .argument('<organisation>', 'id, or name')
    .argument('[entity]', 'id, or Entity Identifier; without it all of one mode and environment')
    .addOption(
      new Option('--for <use>', 'what the keys are for; application: signing and encryption')
        .choices(['transport', 'signing', 'encryption', 'application'])
        .default('transport'),
    )
    .option('--inactive', 'those that counted once, and do not now')
    .addOption(new Option('--mode <mode>', 'of which applications').choices(['live', 'test']))
    .option('--environment <environment>', 'of which applications')
    .addHelpText('after', example('holdfast keystore "Example University" https://rp.example.edu --for signing'));
  command.action(async (organisation: string, entity: string | undefined, options: KeyStoreOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const { id, authorityId } = await findOrganisation(client, organisation);
    const owner = entity === undefined ? [id] : [id, (await findEntity(client, entity, authorityId)).id];
    const folder = options.inactive === true ? ['inactive'] : [];
    const path = `/keystore/${[...owner, ...folder, `${options.for}.jwks`].join('/')}`;
    const { mode, environment } = options;
    const set = await client.send({ method: 'GET', path, query: { mode, environment } }, keySetSchema);
    session.output.result(set, (report) => {
      report.line(new URL(path, client.serviceUrl).href);
      report.table(
        ['KID', 'TYPE', 'USE', 'ALGORITHM', 'SHA-256 OF THE CERTIFICATE'],
        set.keys.map(({ kid, kty, use, alg, 'x5t#S256': x5tS256 }) => [kid, kty, use, alg ?? '-', x5tS256 ?? '-']),
      );
    });
  });
}
