/** Options about a Trust Mark type: shared by `trust-mark type define` and `trust-mark type update`. */
import { type Command, InvalidArgumentError } from 'commander';
import type { JsonValue } from '../../../federation/json.ts';
import { readJsonInput } from '../../input-file.ts';
import { positiveInteger, repeatable } from '../../option-values.ts';
import type { Surroundings } from '../../surroundings.ts';

export interface TypeOptions {
  name?: string;
  description?: string;
  logo?: string;
  ref?: string;
  /** Wrapped: commander would make an empty string of a bare null. */
  lifetime?: { seconds: number | null };
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
    .option('--lifetime <seconds>', 'life of a signed mark (default: 86400); or endless', lifetime)
    .option('--claims <file>', 'JSON: further claims of every mark; - is standard input')
    .option('--entity-type <type>', 'only for entities of this Entity Type; may be repeated, any will do', repeatable)
    .option('--other-mark <type>', 'only for holders of this Trust Mark; may be repeated, all are needed', repeatable)
    .option('--approval <how>', 'what becomes of requests: manual or automatic', approval)
    .option('--ownership <file>', 'JSON: {"owner": …, "jwks": …, "delegation": …} of a foreign owner; null for none');
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export async function typeSettings(
  options: TypeOptions,
  surroundings: Surroundings,
): Promise<Record<string, JsonValue | undefined>> {
  const json = async (file: string | undefined): Promise<JsonValue | undefined> =>
    file === undefined ? undefined : await readJsonInput(file, surroundings);
  return {
    name: options.name,
    description: options.description,
    logoUri: options.logo,
    ref: options.ref,
    lifetimeSeconds: options.lifetime?.seconds,
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

/** @throws InvalidArgumentError */
function lifetime(value: string): { seconds: number | null } {
  return { seconds: value === 'endless' ? null : positiveInteger(value) };
}

/** @throws InvalidArgumentError */
function approval(value: string): string {
  if (value === 'manual' || value === 'automatic') return value;
  throw new InvalidArgumentError('It is manual or automatic.');
}
