/** Whom a request comes from: the peer of the connection, or whom a trusted proxy names. */
import { BlockList, isIP } from 'node:net';

/** Of the environment that the HTTP server hands over with each request, what we look at. */
interface ServerEnvironment {
  incoming?: { socket?: { remoteAddress?: string | undefined } };
}

/** Tells the network that a client is counted as; see {@link clientNetwork}. */
export type ClientNetworkOf = (request: Request, environment: unknown) => string;

/** For connections that are gone already: they share one. */
const NOBODY = 'unknown';

/**
 * @param trustedProxies addresses and networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed
 * @throws TypeError for an entry that is neither
 */
export function createClientNetworkOf(trustedProxies: readonly string[]): ClientNetworkOf {
  const proxies = parseNetworks(trustedProxies);
  return (request, environment) => {
    const peer = (environment as ServerEnvironment | undefined)?.incoming?.socket?.remoteAddress;
    if (peer === undefined) return NOBODY;
    if (trustedProxies.length === 0) return clientNetwork(peer);
    return clientNetwork(firstUntrusted(peer, request.headers.get('x-forwarded-for') ?? '', proxies));
  };
}

/**
 * The IPv4 address, or the /64 of an IPv6 address, since that is what one subscriber has at least. IPv4 in IPv6 is IPv4.
 */
export function clientNetwork(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return isIP(plain) === 4 ? plain : NOBODY;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const written = before.length + after.length + (after.at(-1)?.includes('.') ? 1 : 0);
  const groups = tail === undefined ? before : [...before, ...Array(Math.max(0, 8 - written)).fill('0'), ...after];
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}

/** @throws TypeError naming the entry that is no address and no network */
export function parseNetworks(entries: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const bits = isIP(address) === 4 ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (isIP(address) === 0 || rest.length > 0 || !(length <= bits)) {
      throw new TypeError(`${entry} is neither an address nor a network such as 10.0.0.0/8`);
    }
    networks.addSubnet(address, length, familyOf(address));
  }
  return networks;
}

/** Each proxy appends whom it heard from; what stands left of an untrusted one is that one's word. */
function firstUntrusted(peer: string, forwardedFor: string, proxies: BlockList): string {
  const named = forwardedFor.split(',').map((entry) => plainAddress(entry.trim()));
  let client = plainAddress(peer);
  while (isIP(client) !== 0 && proxies.check(client, familyOf(client))) {
    const next = named.pop();
    if (next === undefined || isIP(next) === 0) break;
    client = next;
  }
  return client;
}

/** Without brackets, port, zone and mapping: what proxies and sockets write around an address. */
function plainAddress(text: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? [];
  const [, withPort] = /^([\d.]+):\d+$/.exec(text) ?? [];
  const address = (bracketed ?? withPort ?? text).replace(/%.*$/, '');
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(address) ?? [];
  return mapped ?? address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
