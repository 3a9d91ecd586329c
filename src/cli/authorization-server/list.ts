/** `holdfast authorization-server list` */
import type { Command } from 'commander';
import { findAuthority, findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { authorizationServerSchema } from '../offers/offer-records.ts';
import { SERVER_COLUMNS, serverRow } from '../offers/offer-report.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface ServerListOptions extends ListOptions {
  authority?: string;
  organisation?: string;
  state?: string;
}

export function addServerListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List authorization servers.'))
    .option('--authority <authority>', 'only those of one authority')
    .option('--organisation <organisation>', 'only those of one organisation')
    .option(
      '--state <state>',
      'only those that are active, deprecated, retired or removed (default: active and deprecated)',
    )
    .addHelpText('after', example('holdfast authorization-server list --state deprecated'));
  command.action(async (options: ServerListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const organisationId =
      options.organisation && (await findOrganisation(client, options.organisation, authorityId)).id;
    const query = { authorityId, organisationId, state: options.state };
    const listing = { record: authorizationServerSchema, columns: SERVER_COLUMNS, row: serverRow };
    await showList(session, { path: 'authorization-servers', query, ...listing }, options);
  });
}
