/** Options about an authority's settings: shared by `authority add` and `authority update`. */
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { readJsonInput } from '../input-file.ts';
import { positiveInteger, repeatable } from '../option-values.ts';
import type { Surroundings } from '../surroundings.ts';

export interface AuthorityOptions {
  name?: string;
  superior?: string[];
  metadata?: string;
  metadataPolicy?: string;
  constraints?: string;
  configurationLifetime?: number;
  statementLifetime?: number;
  resolveLifetime?: number;
}

export function addAuthorityOptions(command: Command): Command {
  return command
    .option('--superior <entity-identifier>', 'an Immediate Superior (authority hint); may be repeated', repeatable)
    .option('--metadata <file>', 'JSON: further federation_entity parameters, such as contacts; - is standard input')
    .option('--metadata-policy <file>', 'JSON: metadata policy by Entity Type for everything below it')
    .option('--constraints <file>', 'JSON: constraints for everything below it; null for none')
    .option('--configuration-lifetime <seconds>', 'life of its Entity Configuration', positiveInteger)
    .option('--statement-lifetime <seconds>', 'life of its Subordinate Statements', positiveInteger)
    .option('--resolve-lifetime <seconds>', 'longest life of its resolve answers', positiveInteger);
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export async function authoritySettings(
  options: AuthorityOptions,
  surroundings: Surroundings,
): Promise<Record<string, JsonValue | undefined>> {
  const json = async (file: string | undefined): Promise<JsonValue | undefined> =>
    file === undefined ? undefined : await readJsonInput(file, surroundings);
  return {
    name: options.name,
    authorityHints: options.superior,
    metadata: await json(options.metadata),
    defaultMetadataPolicy: await json(options.metadataPolicy),
    defaultConstraints: await json(options.constraints),
    configurationLifetimeSeconds: options.configurationLifetime,
    statementLifetimeSeconds: options.statementLifetime,
    resolveLifetimeSeconds: options.resolveLifetime,
  };
}
