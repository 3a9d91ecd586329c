/** `holdfast authorization-server list` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { authorizationServerSchema } from '../offers/offer-records.ts';
import { SERVER_COLUMNS, serverRow } from '../offers/offer-report.ts';
import { addOwnerOptions, type OwnerOptions, ownerQuery } from '../owner-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface ServerListOptions extends ListOptions, OwnerOptions {
  state?: string;
}

export function addServerListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addOwnerOptions(addListOptions(parent.command('list').description('List authorization servers.')))
    .option(
      '--state <state>',
      'only those that are active, deprecated, retired or removed (default: active and deprecated)',
    )
    .addHelpText('after', example('holdfast authorization-server list --state deprecated'));
  command.action(async (options: ServerListOptions) => {
    const session = openServiceSession(command, surroundings);
    const query = { ...(await ownerQuery(session.client, options)), state: options.state };
    const listing = { record: authorizationServerSchema, columns: SERVER_COLUMNS, row: serverRow };
    await showList(session, { path: 'authorization-servers', query, ...listing }, options);
  });
}
