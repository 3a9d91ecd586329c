/** `holdfast entity list` */
import type { Command } from 'commander';
import { listedEntitySchema } from '../api-records.ts';
import { findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { addOwnerOptions, type OwnerOptions, ownerQuery } from '../owner-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { ENTITY_COLUMNS, entityRow } from './entity-report.ts';

interface EntityListOptions extends ListOptions, OwnerOptions {
  state?: string;
  type?: string;
  text?: string;
  mode?: string;
  environment?: string;
  onBehalfOf?: string;
}

export function addEntityListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addOwnerOptions(addListOptions(parent.command('list').description('List entities.')))
    .option('--state <state>', 'only those in this state, such as pending')
    .option('--type <entity type>', 'only those that play this Entity Type, such as openid_provider')
    .option('--text <text>', 'only those with this text in their identifier, a name or a description')
    .option('--mode <mode>', 'only live ones, or only those for tests')
    .option('--environment <word>', 'only those that run there, such as sandbox')
    .option('--on-behalf-of <organisation>', 'only those that act for one organisation')
    .addHelpText(
      'after',
      example('holdfast entity list --state pending', 'holdfast entity list --type openid_provider --text university'),
    );
  command.action(async (options: EntityListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const { state, type: entityType, text, mode, environment } = options;
    const owner = await ownerQuery(client, options);
    const onBehalfOf = options.onBehalfOf && (await findOrganisation(client, options.onBehalfOf, owner.authorityId)).id;
    const listing = {
      path: 'entities',
      query: { ...owner, onBehalfOf, state, entityType, text, mode, environment },
      record: listedEntitySchema,
      columns: ENTITY_COLUMNS,
      row: entityRow,
    };
    await showList(session, listing, options);
  });
}
