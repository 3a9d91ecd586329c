/** Options of the commands that contact entities themselves, without a service. */
import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { type EntityIdentifier, isLoopbackHost, parseEntityIdentifier } from '../federation/identifiers.ts';
import type { AllowRules } from '../outbound/address-rules.ts';
import type { OutboundClient } from '../outbound/outbound-client.ts';
import { CommandError } from './command-error.ts';
import { positiveInteger } from './option-values.ts';
import type { Surroundings } from './surroundings.ts';

export interface OutboundOptions {
  allow?: string;
  allowHttp?: boolean;
  timeout: number;
}

const DEFAULT_TIMEOUT_SECONDS = 10;
/** Whoever names an entity on this machine means this machine. */
const LOOPBACK = 'localhost,*.localhost,127.0.0.0/8,::1';

export function addOutboundOptions(command: Command): Command {
  return command
    .option('--allow <list>', 'hosts, addresses and networks that are contacted although private, such as 10.0.0.0/8')
    .option('--allow-http', 'accept http identifiers beyond loopback')
    .option('--timeout <seconds>', 'give up after this time', positiveInteger, DEFAULT_TIMEOUT_SECONDS);
}

/** HOLDFAST_ALLOW_HTTP=1 counts as the option. */
export function isHttpAllowed(options: { allowHttp?: boolean }, { env }: Pick<Surroundings, 'env'>): boolean {
  return options.allowHttp === true || env['HOLDFAST_ALLOW_HTTP'] === '1';
}

/**
 * A client for what the options and HOLDFAST_OUTBOUND_ALLOW permit, which trusts the authorities of
 * HOLDFAST_EXTRA_CA_FILE; loopback is permitted if one of the entities that were named on the command line is there.
 * @throws CommandError usage
 */
export async function openOutbound(
  options: OutboundOptions,
  surroundings: Surroundings,
  named: readonly EntityIdentifier[],
): Promise<OutboundClient> {
  const { createOutboundClient } = await import('../outbound/outbound-client.ts');
  const { readExtraCas } = await import('../outbound/extra-cas.ts');
  const isLocal = named.some((identifier) => isLoopbackHost(new URL(identifier).hostname));
  const lists = [options.allow, surroundings.env['HOLDFAST_OUTBOUND_ALLOW'], isLocal ? LOOPBACK : undefined];
  const list = lists.filter((part) => part !== undefined && part.trim() !== '').join(',');
  return createOutboundClient({
    allow: await parseAllow(list),
    allowHttp: isHttpAllowed(options, surroundings),
    userAgent: `holdfast/${packageJson.version}`,
    timeoutMs: options.timeout * 1000,
    extraCas: await operatorInput(() => readExtraCas(surroundings.env['HOLDFAST_EXTRA_CA_FILE'] || undefined)),
  });
}

async function parseAllow(list: string): Promise<AllowRules> {
  const { parseOutboundAllow } = await import('../outbound/address-rules.ts');
  return await operatorInput(() => parseOutboundAllow(list));
}

/** @throws CommandError usage */
async function operatorInput<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new CommandError('usage', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @throws CommandError usage */
export function parseNamedEntity(value: string, allowHttp: boolean): EntityIdentifier {
  try {
    return parseEntityIdentifier(value, { allowHttp });
  } catch (error) {
    const complaint = error instanceof Error ? error.message : String(error);
    throw new CommandError('usage', `${value} is no Entity Identifier: ${complaint}`, {
      hint: value.startsWith('http:') ? 'In a network of your own, --allow-http accepts it all the same.' : undefined,
      code: 'entity_identifier_invalid',
      cause: error,
    });
  }
}
