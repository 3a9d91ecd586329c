/** Options about what is asked for: shared by `enrolment add` and `enrolment update`. */
import type { Command } from 'commander';
import { z } from 'zod';
import type { JsonValue } from '../../federation/json.ts';
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { only } from '../find-record.ts';
import { repeatable } from '../option-values.ts';

export interface RequestOptions {
  entityType?: string[];
  name?: string;
  environment?: string;
  role?: string[];
  domain?: string;
  terms?: string;
  acceptedBy?: string;
}

const roleSchema = z.looseObject({ id: z.string(), name: z.string(), state: z.string() });
const heldRoleSchema = z.looseObject({ roleId: z.string(), role: z.string(), state: z.string() });

/** Whose roles can be meant; null while nobody said whose the entity is. */
interface RolePlace {
  authorityId: string;
  organisationId: string | null;
}

export function addRequestOptions(command: Command): Command {
  return command
    .option('--entity-type <type>', 'an Entity Type that it is meant to play; may be repeated', repeatable)
    .option('--name <text>', 'what people call it')
    .option('--environment <word>', 'where it runs, such as production')
    .option('--role <role>', 'a role that it is to hold: id, or name if unique; may be repeated', repeatable)
    .option('--domain <name>', 'the domain to prove, above its host; by a DNS record')
    .option('--terms <version>', 'the version of the terms that is accepted, with --accepted-by')
    .option('--accepted-by <name>', 'the person who accepts the terms');
}

/** What was named, as the API takes it. @throws CommandError usage, refused */
export async function requestBody(
  { entityType, name, environment, role, domain, terms, acceptedBy }: RequestOptions,
  client: ApiClient,
  place: RolePlace,
): Promise<Record<string, JsonValue | undefined>> {
  if ((terms === undefined) !== (acceptedBy === undefined)) {
    throw new CommandError('usage', '--terms and --accepted-by go together');
  }
  return {
    ...{ entityTypes: entityType, name, environment, domain },
    roles: role && (await roleIds(role, client, place)),
    terms: terms === undefined ? undefined : { version: terms, acceptedBy: acceptedBy ?? '' },
  };
}

/** Members know the roles of their organisation only; whoever works for the authority may ask for others, too. */
async function roleIds(given: readonly string[], client: ApiClient, place: RolePlace): Promise<string[]> {
  if (given.every(isRecordId)) return [...given];
  const { authorityId, organisationId } = place;
  const all = { limit: Number.POSITIVE_INFINITY };
  const path = `organisations/${organisationId}/roles`;
  const held = organisationId === null ? [] : (await client.list(path, {}, heldRoleSchema, all)).items;
  const known = held
    .filter(({ state }) => state === 'active')
    .map(({ roleId, role }) => ({ id: roleId, name: role, state: 'active' }));
  const isKnown = (name: string) => isRecordId(name) || known.some((role) => role.name === name);
  const roles = given.every(isKnown) ? known : (await client.list('roles', { authorityId }, roleSchema, all)).items;
  return given.map((name) => {
    if (isRecordId(name)) return name;
    return only(
      roles.filter((role) => role.name === name && role.state === 'active'),
      'role',
      name,
    ).id;
  });
}
