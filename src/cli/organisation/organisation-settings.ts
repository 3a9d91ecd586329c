/** Options about an organisation: shared by `organisation add` and `organisation update`. */
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { findOrganisation } from '../find-record.ts';
import { repeatable } from '../option-values.ts';

export interface OrganisationOptions {
  registrationNumber?: string;
  register?: string;
  country?: string;
  parent?: string | false;
  tag?: string[] | false;
}

export function addOrganisationOptions(command: Command): Command {
  return command
    .option('--registration-number <number>', 'its number in a register, with --register and --country')
    .option('--register <name>', 'the register, such as "Companies House"')
    .option('--country <code>', 'the country of the register, such as GB')
    .option('--parent <organisation>', 'the organisation that it belongs to: id, or legal name if unique')
    .option('--tag <word>', 'a word to find it by; may be repeated', repeatable);
}

/**
 * The settings named, as the API takes them; `undefined` where nothing was said.
 * @throws CommandError usage for half a registration
 */
export async function organisationSettings(
  { registrationNumber, register, country, parent, tag }: OrganisationOptions,
  client: ApiClient,
  authorityId?: string,
): Promise<Record<string, JsonValue | undefined>> {
  const parts = { number: registrationNumber, register, country };
  const isNamed = Object.values(parts).some((part) => part !== undefined);
  if (isNamed && (registrationNumber === undefined || register === undefined || country === undefined)) {
    throw new CommandError('usage', '--registration-number, --register and --country go together');
  }
  return {
    registration: isNamed
      ? { number: registrationNumber ?? '', register: register ?? '', country: country ?? '' }
      : undefined,
    parentId: typeof parent === 'string' ? (await findOrganisation(client, parent, authorityId)).id : noneOf(parent),
    tags: tag === false ? [] : tag,
  };
}

function noneOf(value: false | undefined): null | undefined {
  return value === false ? null : undefined;
}
