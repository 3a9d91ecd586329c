/** `holdfast authority keys list` */
import type { Command } from 'commander';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeWaiting, KEY_COLUMNS, keyRow } from './key-report.ts';
import { readKeys } from './read-keys.ts';

export function addKeysListCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('list', { isDefault: true })
    .description(
      'List the keys of an authority, and what an announced one waits for; `--json` shows the public keys themselves.',
    )
    .argument('[authority]', 'id, Entity Identifier or name; may be left out if there is only one')
    .addHelpText('after', example('holdfast authority keys list'));
  command.action(async (given: string | undefined) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, given);
    const items = await readKeys(session.client, authority.id);
    session.output.result({ items }, (report) => {
      report.table(
        KEY_COLUMNS,
        items.map((key) => keyRow(key, authority)),
      );
      for (const key of items) describeWaiting(report, key);
    });
  });
}
