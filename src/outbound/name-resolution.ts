/**
 * Host names to addresses without the system's resolver, whose few threads a name that never resolves would hold:
 * loopback names, then the hosts file, then DNS.
 * @see RFC 6761 §6.3
 */
import { Resolver } from 'node:dns/promises';
import { FederationError } from '../federation/errors.ts';
import { HostsFile } from './hosts-file.ts';

/**
 * Resolves a host name to all its addresses. Whether one may be contacted is for the caller to judge.
 * @param signal ends the resolution
 */
export type Lookup = (hostname: string, signal: AbortSignal) => Promise<readonly { address: string }[]>;

export interface NameResolutionOptions {
  hostsFile?: string;
  /** Addresses of DNS servers, with `:port` where it is not 53; those of the system by default. */
  nameServers?: readonly string[];
  /** How long a server has to answer before the next is asked; it doubles with each round. */
  timeoutMs?: number;
  /** How often each server is asked. */
  tries?: number;
}

const DEFAULT_HOSTS_FILE = '/etc/hosts';
const DEFAULT_TIMEOUT_MS = 2_000;
const DEFAULT_TRIES = 2;
/** How long to wait for the addresses of one family when those of the other are there. */
const OTHER_FAMILY_MS = 500;

const LOOPBACK = ['127.0.0.1', '::1'] as const;
const LOCALHOST = /(?:^|\.)localhost$/;

/**
 * Makes the function that resolves names. DNS is asked for the name as it stands: no search domains, and no other
 * source of the system's, such as mDNS.
 * It fails with FederationError connection_failed when a name has no address, and timed_out when no server answers.
 */
export function createLookup({ hostsFile = DEFAULT_HOSTS_FILE, ...options }: NameResolutionOptions = {}): Lookup {
  const hosts = new HostsFile(hostsFile);
  return async (hostname, signal) => {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    if (LOCALHOST.test(name)) return LOOPBACK.map((address) => ({ address }));
    const written = await hosts.addressesOf(name).catch(refuseUnread);
    signal.throwIfAborted();
    const addresses = written.length > 0 ? written : await askDns(name, options, signal);
    return addresses.map((address) => ({ address }));
  };
}

function refuseUnread(cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new FederationError('connection_failed', `the hosts file cannot be read: ${why}`, '', { cause });
}

/** With a resolver of its own, since cancelling ends all that one does; so the system's servers are read anew, too. */
async function askDns(
  name: string,
  { nameServers, timeoutMs = DEFAULT_TIMEOUT_MS, tries = DEFAULT_TRIES }: NameResolutionOptions,
  signal: AbortSignal,
): Promise<string[]> {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (nameServers !== undefined) resolver.setServers(nameServers);
  const cancel = () => resolver.cancel();
  let grace: NodeJS.Timeout | undefined;
  const enough = (addresses: string[]): string[] => {
    grace ??= setTimeout(cancel, OTHER_FAMILY_MS);
    return addresses;
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const [ipv4, ipv6] = await Promise.allSettled([
      resolver.resolve4(name).then(enough),
      resolver.resolve6(name).then(enough),
    ]);
    if (ipv4.status === 'rejected' && ipv6.status === 'rejected') {
      signal.throwIfAborted();
      throw failure(name, [ipv4.reason, ipv6.reason]);
    }
    return alternating(addressesIn(ipv4), addressesIn(ipv6));
  } finally {
    clearTimeout(grace);
    signal.removeEventListener('abort', cancel);
  }
}

function addressesIn(result: PromiseSettledResult<string[]>): string[] {
  return result.status === 'fulfilled' ? result.value : [];
}

/** Both families stand among the first, however many addresses one has. */
function alternating(ipv4: readonly string[], ipv6: readonly string[]): string[] {
  const pairs = Array.from({ length: Math.max(ipv4.length, ipv6.length) }, (_, index) => [ipv4[index], ipv6[index]]);
  return pairs.flat().filter((address) => address !== undefined);
}

/** The server does not know the name, or it knows no address of that family. */
const NO_ADDRESS: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** The first error that is more than the absence of an address tells why; it may pass. */
function failure(name: string, errors: readonly unknown[]): FederationError {
  const cause = errors.find((error) => !NO_ADDRESS.has(codeOf(error))) ?? errors[0];
  const code = codeOf(cause);
  if (code === 'ETIMEOUT') {
    return new FederationError('timed_out', `no name server answered for ${name} in time`, '', { cause });
  }
  return new FederationError('connection_failed', `${name} could not be resolved (${code})`, '', { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
