/** `holdfast authority keys` */
import type { Command } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { type AuthorityKeyRecord, authorityKeySchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { KEY_COLUMNS, keyRow } from './authority-report.ts';

export function addAuthorityKeysCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('keys')
    .description('List the Federation Entity Keys of an authority; `--json` shows the public keys themselves.')
    .argument('[authority]', 'id, Entity Identifier or name; may be left out if there is only one')
    .addHelpText('after', example('holdfast authority keys'));
  command.action(async (given: string | undefined) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, given);
    const items = await readKeys(session.client, authority.id);
    session.output.result({ items }, (report) =>
      report.table(
        KEY_COLUMNS,
        items.map((key) => keyRow(key, authority)),
      ),
    );
  });
}

export async function readKeys(client: ApiClient, authorityId: string): Promise<AuthorityKeyRecord[]> {
  const path = `authorities/${authorityId}/keys`;
  const { items } = await client.send({ method: 'GET', path }, z.object({ items: z.array(authorityKeySchema) }));
  return items;
}
