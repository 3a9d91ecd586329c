/** `holdfast token list` */
import type { Command } from 'commander';
import { tokenSchema } from '../api-records.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { TOKEN_COLUMNS, tokenRow } from './token-report.ts';

export function addTokenListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List tokens; their secrets are kept nowhere.'));
  command.addHelpText('after', example('holdfast token list')).action(async (options: ListOptions) => {
    const listing = {
      path: 'tokens',
      query: {},
      record: tokenSchema,
      columns: TOKEN_COLUMNS,
      row: (token: Parameters<typeof tokenRow>[0]) => tokenRow(token),
    };
    await showList(openServiceSession(command, surroundings), listing, options);
  });
}
