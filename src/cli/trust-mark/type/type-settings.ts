/** Options about a Trust Mark type: shared by `trust-mark type define` and `trust-mark type update`. */
import { type Command, Option } from 'commander';
import type { JsonValue } from '../../../federation/json.ts';
import { optionalJsonInput } from '../../input-file.ts';
import { nullForWord, positiveIntegerOr, repeatable } from '../../option-values.ts';
import type { Surroundings } from '../../surroundings.ts';

export interface TypeOptions {
  name?: string;
  description?: string;
  logo?: string;
  ref?: string;
  lifetime?: number | 'endless';
  claims?: string;
  entityType?: string[];
  otherMark?: string[];
  rules?: boolean;
  approval?: string;
  ownership?: string;
}

export function addTypeOptions(command: Command): Command {
  return command
    .option('--description <text>', 'what the mark stands for')
    .option('--logo <url>', 'an image that stands for it')
    .option('--ref <url>', 'where people read about it')
    .option('--lifetime <seconds>', 'life of a signed mark (default: 86400); or endless', positiveIntegerOr('endless'))
    .option('--claims <file>', 'JSON: further claims of every mark; - is standard input')
    .option('--entity-type <type>', 'only for entities of this Entity Type; may be repeated, any will do', repeatable)
    .option('--other-mark <type>', 'only for holders of this Trust Mark; may be repeated, all are needed', repeatable)
    .addOption(new Option('--approval <how>', 'what becomes of requests').choices(['manual', 'automatic']))
    .option('--ownership <file>', 'JSON: {"owner": …, "jwks": …, "delegation": …} of a foreign owner; null for none');
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export async function typeSettings(
  options: TypeOptions,
  surroundings: Surroundings,
): Promise<Record<string, JsonValue | undefined>> {
  const json = optionalJsonInput(surroundings);
  return {
    name: options.name,
    description: options.description,
    logoUri: options.logo,
    ref: options.ref,
    lifetimeSeconds: nullForWord(options.lifetime),
    additionalClaims: await json(options.claims),
    eligibility: rules(options),
    approval: options.approval,
    ownership: await json(options.ownership),
  };
}

function rules({ entityType, otherMark, rules }: TypeOptions): JsonValue | undefined {
  if (rules === false) return {};
  if (entityType === undefined && otherMark === undefined) return undefined;
  return {
    ...(entityType === undefined ? {} : { entityTypes: entityType }),
    ...(otherMark === undefined ? {} : { trustMarkTypes: otherMark }),
  };
}
