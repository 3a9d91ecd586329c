/** Options about what an entity is for: shared by `entity add` and `entity update`. */
import { type Command, Option } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import type { ApiClient } from '../api-client.ts';
import { findOrganisation } from '../find-record.ts';

export interface AttributeOptions {
  name?: string | false;
  mode?: string;
  environment?: string;
  onBehalfOf?: string | false;
}

export function addAttributeOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what people call it')
    .addOption(
      new Option('--mode <mode>', 'whether it is live or for tests; settled by its approval').choices(['live', 'test']),
    )
    .option('--environment <word>', 'where it runs (default: production, or sandbox); settled by its approval')
    .option('--on-behalf-of <organisation>', 'the organisation that it acts for, if not its own: id, or legal name');
}

/** The attributes named, as the API takes them; `undefined` where nothing was said. */
export async function attributeSettings(
  { name, mode, environment, onBehalfOf }: AttributeOptions,
  client: ApiClient,
  authorityId?: string,
): Promise<Record<string, JsonValue | undefined>> {
  return {
    name: name === false ? null : name,
    mode,
    environment,
    onBehalfOf:
      typeof onBehalfOf === 'string'
        ? (await findOrganisation(client, onBehalfOf, authorityId)).id
        : noneOf(onBehalfOf),
  };
}

function noneOf(value: false | undefined): null | undefined {
  return value === false ? null : undefined;
}
