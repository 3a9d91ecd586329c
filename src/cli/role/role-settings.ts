/** Options about a role: shared by `role add` and `role update`. */
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { optionalJsonInput } from '../input-file.ts';
import { positiveInteger, repeatable } from '../option-values.ts';
import type { Surroundings } from '../surroundings.ts';

export interface RoleOptions {
  name?: string;
  description?: string;
  scope?: string[];
  grantType?: string[];
  entityType?: string | false;
  metadataPolicy?: string;
  trustMarkType?: string[];
  approvals?: number;
}

export function addRoleOptions(command: Command): Command {
  return command
    .option('--description <text>', 'what it lets somebody do')
    .option('--scope <scope>', 'a scope that it is about; may be repeated', repeatable)
    .option('--grant-type <type>', 'a grant type that it is about; may be repeated', repeatable)
    .option('--entity-type <type>', 'only for entities of this Entity Type')
    .option('--metadata-policy <file>', 'JSON: policy for all who hold it, by Entity Type; - is standard input')
    .option('--trust-mark-type <type>', 'a Trust Mark that holders are meant to bear; may be repeated', repeatable)
    .option('--approvals <n>', 'how many people let an entity have it: 1 or 2', positiveInteger);
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export async function roleSettings(
  options: RoleOptions,
  surroundings: Surroundings,
): Promise<Record<string, JsonValue | undefined>> {
  const json = optionalJsonInput(surroundings);
  return {
    name: options.name,
    description: options.description,
    scopes: options.scope,
    grantTypes: options.grantType,
    entityType: options.entityType === false ? null : options.entityType,
    metadataPolicy: await json(options.metadataPolicy),
    trustMarkTypes: options.trustMarkType,
    approvals: options.approvals,
  };
}
