/** `holdfast api-resource list` */
import type { Command } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { findAuthorizationServer } from '../offers/find-offer.ts';
import { apiResourceSchema } from '../offers/offer-records.ts';
import { API_COLUMNS, apiRow } from '../offers/offer-report.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface ApiListOptions extends ListOptions {
  authority?: string;
  server?: string;
  family?: string;
  certification?: string;
  state?: string;
}

export function addApiListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List versions of APIs.'))
    .option('--authority <authority>', 'only those of one authority')
    .option('--server <server>', 'only those of one authorization server: id, or issuer')
    .option('--family <family>', 'only the versions of one API')
    .option('--certification <status>', 'only those with this certification, such as awaiting')
    .option(
      '--state <state>',
      'only those that are active, deprecated, retired or removed (default: active and deprecated)',
    )
    .addHelpText('after', example('holdfast api-resource list --family payments --state active'));
  command.action(async (options: ApiListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const authorizationServerId = options.server && (await findAuthorizationServer(client, options.server)).id;
    const { family, certification: certificationStatus, state } = options;
    const query = { authorityId, authorizationServerId, family, certificationStatus, state };
    const listing = { record: apiResourceSchema, columns: API_COLUMNS, row: apiRow };
    await showList(session, { path: 'api-resources', query, ...listing }, options);
  });
}
