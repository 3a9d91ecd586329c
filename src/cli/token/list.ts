/** `holdfast token list` */
import type { Command } from 'commander';
import { type TokenRecord, tokenSchema } from '../api-records.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { reachNames, TOKEN_COLUMNS, tokenRow } from './token-report.ts';

export function addTokenListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List tokens; their secrets are kept nowhere.'));
  command.addHelpText('after', example('holdfast token list')).action(async (options: ListOptions) => {
    const session = openServiceSession(command, surroundings);
    let names: Awaited<ReturnType<typeof reachNames>> = new Map();
    const listing = {
      path: 'tokens',
      query: {},
      record: tokenSchema,
      columns: TOKEN_COLUMNS,
      prepare: async (tokens: readonly TokenRecord[]) => {
        names = await reachNames(session.client, tokens);
      },
      row: (token: TokenRecord) => tokenRow(token, names),
    };
    await showList(session, listing, options);
  });
}
