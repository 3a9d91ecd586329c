/** `holdfast trust-mark type list` */
import type { Command } from 'commander';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../../list-options.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { trustMarkTypeSchema } from '../trust-mark-records.ts';
import { TYPE_COLUMNS, typeRow } from '../trust-mark-report.ts';

export function addTypeListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List the Trust Mark types of our authorities.'))
    .option('--authority <authority>', 'only those of one authority')
    .addHelpText('after', example('holdfast trust-mark type list'));
  command.action(async (options: ListOptions & { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const listing = { record: trustMarkTypeSchema, columns: TYPE_COLUMNS, row: typeRow };
    await showList(session, { path: 'trust-mark-types', query: { authorityId }, ...listing }, options);
  });
}
