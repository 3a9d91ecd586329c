/** `holdfast keys list` */
import type { Command } from 'commander';
import { type AuthorityKeyRecord, type AuthorityRecord, authoritySchema } from '../api-records.ts';
import { KEY_COLUMNS, keyRow } from '../authority/keys/key-report.ts';
import { readKeys } from '../authority/keys/read-keys.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addKeysListCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('list')
    .description('List the keys of all authorities, or of one; `--json` shows the public keys themselves.')
    .option('--authority <authority>', 'only those of one authority')
    .addHelpText('after', example('holdfast keys list'));
  command.action(async (options: { authority?: string }) => {
    const { client, output } = openServiceSession(command, surroundings);
    const authorities =
      options.authority === undefined
        ? (await client.list('authorities', {}, authoritySchema, { limit: Number.POSITIVE_INFINITY })).items
        : [await findAuthority(client, options.authority)];
    const keys: { key: AuthorityKeyRecord; authority: AuthorityRecord }[] = [];
    for (const authority of authorities) {
      for (const key of await readKeys(client, authority.id)) keys.push({ key, authority });
    }
    const items = keys.map(({ key, authority }) => ({ ...key, authorityId: authority.id }));
    output.result({ items }, (report) =>
      report.table(
        KEY_COLUMNS,
        keys.map(({ key, authority }) => keyRow(key, authority)),
      ),
    );
  });
}
