/** `holdfast role list` */
import type { Command } from 'commander';
import { findAuthority, findEntity, findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findDomain } from './find-role.ts';
import { entityRoleSchema, organisationRoleSchema, roleSchema } from './role-records.ts';
import { HELD_COLUMNS, heldRow, ROLE_COLUMNS, roleRow } from './role-report.ts';

interface RoleListOptions extends ListOptions {
  authority?: string;
  domain?: string;
  state?: string;
  organisation?: string;
  entity?: string;
  removed?: boolean;
}

export function addRoleListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(
    parent
      .command('list')
      .description('List roles: those that there are, or those of an organisation or of an entity.'),
  )
    .option('--authority <authority>', 'only those of one authority')
    .option('--domain <domain>', 'only those of one authorisation domain: id, or name')
    .option('--state <state>', 'only those that are active, or retired')
    .option('--organisation <organisation>', 'those that an organisation has: id, or legal name')
    .option('--entity <entity>', 'those that an entity has: id, or Entity Identifier')
    .option('--removed', 'of an organisation or entity: those that it had')
    .addHelpText('after', example('holdfast role list --entity https://rp.example.edu'));
  command.action(async (options: RoleListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const query = options.removed === true ? { removed: 'true' } : {};
    const held = { query, columns: HELD_COLUMNS, row: heldRow };
    if (options.entity !== undefined) {
      const path = `entities/${(await findEntity(client, options.entity)).id}/roles`;
      return await showList(session, { path, record: entityRoleSchema, ...held }, options);
    }
    if (options.organisation !== undefined) {
      const path = `organisations/${(await findOrganisation(client, options.organisation)).id}/roles`;
      return await showList(session, { path, record: organisationRoleSchema, ...held }, options);
    }
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const domainId = options.domain && (await findDomain(client, options.domain)).id;
    const listing = { record: roleSchema, columns: ROLE_COLUMNS, row: roleRow };
    await showList(
      session,
      { path: 'roles', query: { authorityId, domainId, state: options.state }, ...listing },
      options,
    );
  });
}
