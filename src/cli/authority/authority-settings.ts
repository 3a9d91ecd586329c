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
  confirmContacts?: number | 'never';
  lapseGrace?: number;
  onLapse?: string;
  enrolmentFlow?: string;
  fourEyes?: string;
  listedPurposes?: string[];
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
    .option(
      '--confirm-contacts <days>',
      'how long a contact counts as right after it was confirmed (default: 365), or never to ask for that',
      positiveIntegerOr('never'),
    )
    .option(
      '--lapse-grace <days>',
      'from a reminder until what was not confirmed is a finding, and again until --on-lapse acts (default: 30)',
      positiveInteger,
    )
    .addOption(
      new Option(
        '--on-lapse <what>',
        'members whose contacts or certifications lapsed: none leaves them, suspend suspends (default: none)',
      ).choices(['none', 'suspend']),
    )
    .option(
      '--enrolment-flow <file>',
      'JSON: the steps of an enrolment, with their settings; null for the usual ones: ' +
        '[{"step": "identity"}, {"step": "domain"}, …, {"step": "approvals", "count": 2}]',
    )
    .addOption(
      new Option(
        '--four-eyes <whether>',
        'keep whoever added an entity without an enrolment from approving it; in an enrolment it is always so',
      ).choices(['on', 'off']),
    )
    .option(
      '--listed-purposes <purposes>',
      'believe only certificates below the trust list for transport, signing, or transport,signing; or none. Look at ' +
        '`holdfast trust-list list` first: what has no path counts no more',
      listedPurposes,
    )
    .option(
      '--trust-mark-issuers <file>',
      'JSON: by Trust Mark type who may issue it, [] for anybody, in place of what there is: ' +
        '{"https://fed.example.org/marks/member": ["https://fed.example.org"]}',
    )
    .option(
      '--trust-mark-owners <file>',
      'JSON: by Trust Mark type its owner, in place of what there is: ' +
        '{"https://owner.example/mark": {"sub": "https://owner.example", "jwks": {"keys": […]}}}',
    );
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
    contactConfirmationDays: nullForWord(options.confirmContacts),
    lapseGraceDays: options.lapseGrace,
    onLapse: options.onLapse,
    enrolmentFlow: await json(options.enrolmentFlow),
    fourEyes: options.fourEyes,
    listedPurposes: options.listedPurposes,
    trustMarkIssuers: await json(options.trustMarkIssuers),
    trustMarkOwners: await json(options.trustMarkOwners),
  };
}

const PURPOSES = ['transport', 'signing'];

/** `transport,signing`, or `none`. @throws InvalidArgumentError */
function listedPurposes(value: string): string[] {
  const purposes = value === 'none' ? [] : value.split(',').map((purpose) => purpose.trim());
  if (purposes.every((purpose) => PURPOSES.includes(purpose))) return [...new Set(purposes)];
  throw new InvalidArgumentError(`Write ${PURPOSES.join(', ')}, both with a comma between them, or none.`);
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
