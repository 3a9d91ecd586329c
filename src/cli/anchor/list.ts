/** `holdfast anchor list` */
import type { Command } from 'commander';
import { trustAnchorSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { ANCHOR_COLUMNS, anchorRow } from './anchor-report.ts';

export function addAnchorListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List pinned Trust Anchors.'))
    .option('--authority <authority>', 'only those of one authority')
    .addHelpText('after', example('holdfast anchor list'));
  command.action(async (options: ListOptions & { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const listing = {
      path: 'trust-anchors',
      query: { authorityId },
      record: trustAnchorSchema,
      columns: ANCHOR_COLUMNS,
      row: anchorRow,
      isNamed: true,
    };
    await showList(session, listing, options);
  });
}
