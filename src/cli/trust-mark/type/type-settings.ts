/** Options about a Trust Mark type: shared by `trust-mark type define` and `trust-mark type update`. */
import { type Command, Option } from 'commander';
import type { JsonValue } from '../../../federation/json.ts';
import type { ApiClient } from '../../api-client.ts';
import { optionalJsonInput } from '../../input-file.ts';
import { nullForWord, positiveIntegerOr, repeatable } from '../../option-values.ts';
import { findRole } from '../../role/find-role.ts';
import type { ServiceSession } from '../../session.ts';

export interface TypeOptions {
  name?: string;
  description?: string;
  logo?: string;
  ref?: string;
  lifetime?: number | 'endless';
  claims?: string;
  entityType?: string[];
  otherMark?: string[];
  role?: string[];
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
    .option('--role <role>', 'only for holders of this role: id, or name; may be repeated, any will do', repeatable)
    .addOption(new Option('--approval <how>', 'what becomes of requests').choices(['manual', 'automatic']))
    .option('--ownership <file>', 'JSON: {"owner": …, "jwks": …, "delegation": …} of a foreign owner; null for none');
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export async function typeSettings(
  options: TypeOptions,
  session: ServiceSession,
): Promise<Record<string, JsonValue | undefined>> {
  const json = optionalJsonInput(session);
  return {
    name: options.name,
    description: options.description,
    logoUri: options.logo,
    ref: options.ref,
    lifetimeSeconds: nullForWord(options.lifetime),
    additionalClaims: await json(options.claims),
    eligibility: await rules(options, session.client),
    approval: options.approval,
    ownership: await json(options.ownership),
  };
}

async function rules(
  { entityType, otherMark, role, rules }: TypeOptions,
  client: ApiClient,
): Promise<JsonValue | undefined> {
  if (rules === false) return {};
  if (entityType === undefined && otherMark === undefined && role === undefined) return undefined;
  const roles = role && (await Promise.all(role.map(async (given) => (await findRole(client, given)).id)));
  return {
    ...(entityType === undefined ? {} : { entityTypes: entityType }),
    ...(otherMark === undefined ? {} : { trustMarkTypes: otherMark }),
    ...(roles === undefined ? {} : { roles }),
  };
}
