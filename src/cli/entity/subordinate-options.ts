/** Options about what a superior says of an entity: shared by `entity add` and `entity update`. */
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { optionalJsonInput } from '../input-file.ts';
import { nullForWord, positiveIntegerOr, repeatable } from '../option-values.ts';
import type { Surroundings } from '../surroundings.ts';

export interface SubordinateOptions {
  metadata?: string;
  metadataPolicy?: string;
  constraints?: string;
  additionalClaims?: string;
  crit?: string[];
  statementLifetime?: number | 'default';
}

export function addSubordinateOptions(command: Command): Command {
  return command
    .option('--metadata <file>', 'JSON: metadata by Entity Type that overrides its own; - is standard input')
    .option('--metadata-policy <file>', "JSON: metadata policy by Entity Type, beside the authority's default")
    .option('--constraints <file>', "JSON: constraints instead of the authority's default; null for none of its own")
    .option('--additional-claims <file>', 'JSON: further claims of its Subordinate Statement')
    .option('--crit <claim>', 'an additional claim that readers must understand; may be repeated', repeatable)
    .option(
      '--statement-lifetime <seconds>',
      "life of its statements; default is the authority's",
      positiveIntegerOr('default'),
    );
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export async function subordinateSettings(
  options: SubordinateOptions,
  surroundings: Surroundings,
): Promise<Record<string, JsonValue | undefined>> {
  const json = optionalJsonInput(surroundings);
  return {
    metadata: await json(options.metadata),
    metadataPolicy: await json(options.metadataPolicy),
    constraints: await json(options.constraints),
    additionalClaims: await json(options.additionalClaims),
    crit: options.crit,
    statementLifetimeSeconds: nullForWord(options.statementLifetime),
  };
}
