/** Which addresses a destination may have: globally routable ones, and what the operator allows for its kind. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [base: Address, prefixLength: number];

/** Destinations that the operator allows although they are not globally routable. */
export interface AllowRules {
  /** The setting that the rules come from, which refusals name. */
  readonly setting: string;
  /** Lower-case host names; each may resolve to any address. */
  readonly hostNames: ReadonlySet<string>;
  /** Endings with their leading dot: `.corp.example` covers every name below `corp.example`, not the name itself. */
  readonly hostSuffixes: readonly string[];
  /** Networks whose addresses any name may resolve to. */
  readonly networks: readonly Network[];
}

/** For destinations that participants name. Those that the operator names have rules, and a client, of their own. */
export const PARTICIPANT_ALLOW_SETTING = 'HOLDFAST_OUTBOUND_ALLOW';

/** What `ipaddr.js` calls the ranges that are not plain unicast, in words for an operator. */
const RANGE_NAMES: Readonly<Record<string, string>> = {
  unspecified: 'unspecified ("this network")',
  broadcast: 'broadcast',
  multicast: 'multicast',
  linkLocal: 'link-local',
  loopback: 'loopback',
  private: 'private',
  carrierGradeNat: 'carrier-grade NAT',
  uniqueLocal: 'unique local',
  deprecatedSiteLocal: 'site-local',
  ipv4Mapped: 'IPv4-mapped',
  rfc6052: 'local-use NAT64',
  '6to4': '6to4 tunnel',
  teredo: 'Teredo tunnel',
  benchmarking: 'benchmarking',
};

/** Ranges that `ipaddr.js` takes for unicast and that never belong to a participant. */
const MORE_RANGES: readonly { network: Network; name: string }[] = [
  { network: ipaddr.parseCIDR('168.63.129.16/32'), name: 'cloud platform' },
  { network: ipaddr.parseCIDR('3ffe::/16'), name: 'reserved' },
];

const GLOBAL_UNICAST_IPV6: Network = ipaddr.parseCIDR('2000::/3');

/** IPv6 networks whose last 32 bits are the IPv4 address reached: compatible, mapped, NAT64 (RFC 6052 §2.1). */
const EMBEDDING_NETWORKS: readonly Network[] = [
  ipaddr.parseCIDR('::/96'),
  ipaddr.parseCIDR('::ffff:0:0/96'),
  ipaddr.parseCIDR('64:ff9b::/96'),
];

const HOST_LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const MAX_HOST_NAME_LENGTH = 253;

/**
 * Why `address`, which `host` stands for, may not be contacted; `undefined` when it may.
 * @param address what DNS, a URL or a socket gave; an IPv6 address without brackets
 * @param host the host of the URL, as `URL.hostname` spells it
 * @returns words that complete "the address is …"
 */
export function addressObjection(address: string, host: string, allow: AllowRules): string | undefined {
  const given = parseAddress(address);
  if (given === undefined) return address.includes('%') ? 'bound to a network interface (zone)' : 'not an IP address';
  if (isAllowedHost(host, allow)) return undefined;
  const reached = embeddedIPv4(given) ?? given;
  if (allow.networks.some((network) => contains(network, given) || contains(network, reached))) return undefined;
  return specialRange(reached);
}

/** The same of the address that a URL has for its host; undefined where that is a name, which may come to mean any. */
export function literalObjection(url: string, allow: AllowRules): string | undefined {
  const { hostname } = new URL(url);
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) === 0 ? undefined : addressObjection(address, address, allow);
}

/** Whether the address, or the IPv4 address inside it, is a loopback address. */
export function isLoopbackAddress(address: string): boolean {
  const given = parseAddress(address);
  return given !== undefined && (embeddedIPv4(given) ?? given).range() === 'loopback';
}

function parseAddress(text: string): Address | undefined {
  return isIP(text) === 0 || text.includes('%') ? undefined : ipaddr.parse(text);
}

function embeddedIPv4(address: Address): ipaddr.IPv4 | undefined {
  if (address.kind() === 'ipv4' || isUnspecifiedOrLoopback(address)) return undefined;
  if (!EMBEDDING_NETWORKS.some((network) => contains(network, address))) return undefined;
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}

/** `::` and `::1` lie in `::/96`, but are no IPv4 addresses. */
function isUnspecifiedOrLoopback(address: Address): boolean {
  return address.range() === 'unspecified' || address.range() === 'loopback';
}

function contains([base, prefixLength]: Network, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, prefixLength);
}

function specialRange(address: Address): string | undefined {
  const range = address.range();
  if (range !== 'unicast') return RANGE_NAMES[range] ?? 'reserved';
  if (address.kind() === 'ipv6' && !contains(GLOBAL_UNICAST_IPV6, address)) return 'not global unicast';
  return MORE_RANGES.find(({ network }) => contains(network, address))?.name;
}

function isAllowedHost(host: string, allow: AllowRules): boolean {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return allow.hostNames.has(name) || allow.hostSuffixes.some((suffix) => name.endsWith(suffix));
}

/**
 * Reads the operator's comma-separated list of host names (`partner.internal`, `*.corp.example`), addresses
 * (`10.0.0.7`, `::1`) and networks (`10.0.0.0/8`, `fd00::/8`). Empty text allows nothing beyond the default.
 * @param setting where the list stands, for messages
 * @throws Error that quotes the bad entry and says how to write it
 */
export function parseOutboundAllow(text: string, setting: string = PARTICIPANT_ALLOW_SETTING): AllowRules {
  try {
    return { setting, ...parseEntries(text) };
  } catch (cause) {
    if (!(cause instanceof BadEntry)) throw cause;
    throw new Error(`${setting}: ${cause.message}`, { cause });
  }
}

function parseEntries(text: string): Omit<AllowRules, 'setting'> {
  const hostNames = new Set<string>();
  const hostSuffixes: string[] = [];
  const networks: Network[] = [];
  if (text.trim() === '') return { hostNames, hostSuffixes, networks };
  for (const written of text.split(',')) {
    const entry = written.trim().toLowerCase();
    if (entry.includes('/')) networks.push(parseNetwork(entry));
    else if (isIP(entry) !== 0) networks.push(parseSingleAddress(entry));
    else if (entry.startsWith('*.')) hostSuffixes.push(`.${parseHostName(entry.slice(2), entry)}`);
    else hostNames.add(parseHostName(entry, entry));
  }
  return { hostNames, hostSuffixes, networks };
}

function parseSingleAddress(entry: string): Network {
  const address = parseAddress(entry);
  if (address === undefined) throw badEntry(entry, 'has a zone: zones are not supported');
  refuseMapped(address, entry);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function parseNetwork(entry: string): Network {
  const [base = '', prefix = '', ...rest] = entry.split('/');
  const address = parseAddress(base);
  if (address === undefined || rest.length > 0 || !/^\d{1,3}$/.test(prefix)) {
    throw badEntry(entry, 'is not a network: write <address>/<prefix length>, such as 10.0.0.0/8 or fd00::/8');
  }
  refuseMapped(address, entry);
  const bits = address.kind() === 'ipv4' ? 32 : 128;
  const prefixLength = Number(prefix);
  if (prefixLength > bits) throw badEntry(entry, `has a prefix length above ${bits}`);
  const network = networkAddress(address, prefixLength);
  if (network.toString() !== address.toString()) {
    throw badEntry(entry, `has bits set after the prefix: write ${network}/${prefixLength}, or the address alone`);
  }
  return [address, prefixLength];
}

function networkAddress(address: Address, prefixLength: number): Address {
  const family = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return family.networkAddressFromCIDR(`${address}/${prefixLength}`);
}

function refuseMapped(address: Address, entry: string): void {
  if (address.range() === 'ipv4Mapped') throw badEntry(entry, 'is IPv4-mapped: write the IPv4 address or network');
}

function parseHostName(name: string, entry: string): string {
  if (entry === '') throw badEntry(entry, 'is empty: remove the extra comma');
  if (/[[\]]/.test(name)) throw badEntry(entry, 'has brackets: write the IPv6 address without them');
  if (name.includes(':')) throw badEntry(entry, 'is no IPv6 address, and ports and schemes are not part of an entry');
  const labels = name.split('.');
  if (name.length > MAX_HOST_NAME_LENGTH || !labels.every((label) => HOST_LABEL.test(label))) {
    throw badEntry(entry, 'is neither a host name, an address nor a network (international names: the xn-- form)');
  }
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) {
    throw badEntry(entry, 'ends in a number like an IPv4 address: write all four decimal parts');
  }
  return name;
}

class BadEntry extends Error {}

function badEntry(entry: string, complaint: string): BadEntry {
  return new BadEntry(`entry "${entry}" ${complaint}`);
}
