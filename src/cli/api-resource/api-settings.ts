/** Options about a version of an API: shared by `api-resource add` and `api-resource update`. */
import { type Command, Option } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { type Moment, moment } from '../moment-option.ts';
import { findApiResource } from '../offers/find-offer.ts';
import { addOfferOptions, type OfferOptions, offerSettings, successorId } from '../offers/offer-options.ts';
import { repeatable } from '../option-values.ts';
import { findRole } from '../role/find-role.ts';

export interface ApiOptions extends OfferOptions {
  endpoint?: string[] | false;
  requiredRole?: string[] | false;
  audience?: string | false;
  certification?: string;
  certificationUri?: string;
  certifiedFrom?: Moment;
  certifiedUntil?: Moment;
}

const STATUSES = ['awaiting', 'certified', 'self_certified', 'deprecated', 'rejected'];

export function addApiOptions(command: Command): Command {
  command
    .option('--endpoint <url>', 'where it is; may be repeated, all of them together', repeatable)
    .option(
      '--required-role <role>',
      'whoever holds it may come in: id, or name; may be repeated, one of them is enough',
      repeatable,
    )
    .option('--audience <audience>', 'what access tokens must be meant for; listed of their issuer as well')
    .addOption(new Option('--certification <status>', 'what is certified of it').choices(STATUSES))
    .option('--certification-uri <url>', 'where the certification can be read')
    .option('--certified-from <day>', 'when the certification begins', moment)
    .option('--certified-until <day>', 'when it ends, by itself', moment);
  return addOfferOptions(command).option(
    '--superseded-by <api>',
    'the API that takes its place: id, or family and version such as payments@2.1.0',
  );
}

/**
 * The settings named, as the API takes them; `undefined` where nothing was said.
 * @throws CommandError usage for parts of a certification without its status
 */
export async function apiSettings(
  options: ApiOptions,
  client: ApiClient,
): Promise<Record<string, JsonValue | undefined>> {
  const { endpoint, requiredRole, audience, certification: status } = options;
  const { certificationUri, certifiedFrom, certifiedUntil } = options;
  const parts = { uri: certificationUri ?? null, from: certifiedFrom?.at ?? null, to: certifiedUntil?.at ?? null };
  if (status === undefined && Object.values(parts).some((part) => part !== null)) {
    throw new CommandError('usage', 'say with --certification what is certified: all of it is replaced together');
  }
  return {
    endpoints: endpoint === false ? [] : endpoint,
    requiredRoles: requiredRole === false ? [] : requiredRole && (await roleIds(client, requiredRole)),
    audience: audience === false ? null : audience,
    certification: status === undefined ? undefined : { status, ...parts },
    ...offerSettings(options),
    supersededBy: await successorId(options.supersededBy, (other) => findApiResource(client, other)),
  };
}

async function roleIds(client: ApiClient, roles: readonly string[]): Promise<string[]> {
  const found = await Promise.all(roles.map((role) => findRole(client, role)));
  return found.map(({ id }) => id);
}
