/** `holdfast token-issuer list` */
import type { Command } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { ISSUER_COLUMNS, issuerRow, tokenIssuerSchema } from './token-issuer-records.ts';

export function addIssuerListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List token issuers.'))
    .option('--authority <authority>', 'only those of one authority')
    .addHelpText('after', example('holdfast token-issuer list'));
  command.action(async (options: ListOptions & { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const listing = { record: tokenIssuerSchema, columns: ISSUER_COLUMNS, row: issuerRow };
    await showList(session, { path: 'token-issuers', query: { authorityId }, ...listing }, options);
  });
}
