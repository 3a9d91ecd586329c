/** `holdfast authority list` */
import type { Command } from 'commander';
import { authoritySchema } from '../api-records.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { AUTHORITY_COLUMNS, authorityRow } from './authority-report.ts';

export function addAuthorityListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List the authorities that the token reaches.'));
  command.addHelpText('after', example('holdfast authority list')).action(async (options: ListOptions) => {
    const listing = {
      path: 'authorities',
      query: {},
      record: authoritySchema,
      columns: AUTHORITY_COLUMNS,
      row: authorityRow,
    };
    await showList(openServiceSession(command, surroundings), listing, options);
  });
}
