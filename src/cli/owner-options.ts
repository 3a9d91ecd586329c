/** Whose records a list shows. */
import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import { findAuthority, findEntity, findOrganisation } from './find-record.ts';

export interface OwnerOptions {
  authority?: string;
  organisation?: string;
  /** Of lists that add the option themselves. */
  entity?: string;
}

export function addOwnerOptions(command: Command): Command {
  return command
    .option('--authority <authority>', 'only those of one authority')
    .option('--organisation <organisation>', 'only those of one organisation');
}

/** The ids of what was named. @throws CommandError refused, usage */
export async function ownerQuery(client: ApiClient, { authority, organisation, entity }: OwnerOptions) {
  const authorityId = authority && (await findAuthority(client, authority)).id;
  const organisationId = organisation && (await findOrganisation(client, organisation, authorityId)).id;
  const entityId = entity && (await findEntity(client, entity, authorityId)).id;
  return { authorityId, organisationId, entityId };
}
