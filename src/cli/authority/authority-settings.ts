/** Options about an authority's settings: shared by `authority add` and `authority update`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { optionalJsonInput } from '../input-file.ts';
import { contactType, nullForWord, positiveInteger, positiveIntegerOr, repeatable } from '../option-values.ts';
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
  keyAnnounce?: number | 'default';
  keyRollInterval?: number | 'never';
  standbyKey?: boolean;
  keyProposals?: string;
  endpointAuthentication?: Record<string, string>;
  requiredContact?: string[] | false;
  trustMarkIssuers?: string;
  trustMarkOwners?: string;
}

export function addAuthorityOptions(command: Command): Command {
  return command
    .option('--superior <entity-identifier>', 'an Immediate Superior (authority hint); may be repeated', repeatable)
    .option('--metadata <file>', 'JSON: further federation_entity parameters, such as contacts; - is standard input')
    .option('--metadata-policy <file>', 'JSON: metadata policy by Entity Type for everything below it')
    .option('--constraints <file>', 'JSON: constraints for everything below it; null for none')
    .option('--configuration-lifetime <seconds>', 'life of its Entity Configuration', positiveInteger)
    .option('--statement-lifetime <seconds>', 'life of its Subordinate Statements', positiveInteger)
    .option('--resolve-lifetime <seconds>', 'longest life of its resolve answers', positiveInteger)
    .option(
      '--key-announce <seconds>',
      'how long a new key is published before it signs; or default',
      positiveIntegerOr('default'),
    )
    .option(
      '--key-roll-interval <seconds>',
      'how long a key signs before the next one does; or never',
      positiveIntegerOr('never'),
    )
    .option('--standby-key', 'keep a key announced at all times, for an emergency')
    .option('--no-standby-key', 'keep none')
    .addOption(
      new Option(
        '--key-proposals <what>',
        'keys that a configuration shows anew: hold for a registrar, or accept',
      ).choices(['hold', 'accept']),
    )
    .option(
      '--endpoint-authentication <endpoint=rule>',
      'whether callers of an endpoint prove who they are: off, optional or required; may be repeated. Until they are ' +
        'named, extendedList follows list and fetch, collection follows list, subordinateEvents follows fetch',
      endpointRule,
    )
    .option(
      '--required-contact <type>',
      'a contact without which no organisation becomes active (default: incident); may be repeated',
      contactType,
    )
    .option('--no-required-contact', 'let organisations be active without any contact')
    .option('--trust-mark-issuers <file>', 'JSON: by Trust Mark type who may issue it; [] for anybody')
    .option('--trust-mark-owners <file>', 'JSON: by Trust Mark type its owner, as {"sub": …, "jwks": …}');
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export async function authoritySettings(
  options: AuthorityOptions,
  surroundings: Surroundings,
): Promise<Record<string, JsonValue | undefined>> {
  const json = optionalJsonInput(surroundings);
  return {
    name: options.name,
    authorityHints: options.superior,
    metadata: await json(options.metadata),
    defaultMetadataPolicy: await json(options.metadataPolicy),
    defaultConstraints: await json(options.constraints),
    configurationLifetimeSeconds: options.configurationLifetime,
    statementLifetimeSeconds: options.statementLifetime,
    resolveLifetimeSeconds: options.resolveLifetime,
    keyAnnounceSeconds: nullForWord(options.keyAnnounce),
    keyRollIntervalSeconds: nullForWord(options.keyRollInterval),
    isStandbyKeyKept: options.standbyKey,
    keyProposals: options.keyProposals,
    endpointAuthentication: options.endpointAuthentication,
    requiredContactTypes: options.requiredContact === false ? [] : options.requiredContact,
    trustMarkIssuers: await json(options.trustMarkIssuers),
    trustMarkOwners: await json(options.trustMarkOwners),
  };
}

const RULES = ['off', 'optional', 'required'];

/** `fetch=required`, several times; the service knows the endpoints. @throws InvalidArgumentError */
function endpointRule(value: string, previous: Record<string, string> | undefined): Record<string, string> {
  const [, endpoint, rule] = /^([A-Za-z]+)=(\w+)$/.exec(value) ?? [];
  if (endpoint === undefined || rule === undefined || !RULES.includes(rule)) {
    throw new InvalidArgumentError(`Write it as fetch=required; the rules are ${RULES.join(', ')}.`);
  }
  return { ...previous, [endpoint]: rule };
}
