/** Opens connections for the HTTP client, to addresses that the address rules permit and to no other. */
import { once } from 'node:events';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { FederationError } from '../federation/errors.ts';
import { type AllowRules, addressObjection, isLoopbackAddress } from './address-rules.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { Deadline } from './deadline.ts';
import type { Lookup } from './name-resolution.ts';
import { transportFailure } from './transport-failure.ts';

export interface GuardedConnectorOptions {
  allow: AllowRules;
  /** Accept `http` to any permitted address. Without it `http` reaches loopback addresses only. */
  allowHttp: boolean;
  lookup: Lookup;
  /** For name resolution, TCP and TLS handshake together. */
  timeoutMs: number;
  /** PEM certificates trusted in addition to those that Node trusts. */
  extraCas: readonly string[];
  /** Shown to servers that ask for one. */
  clientCertificate?: ClientCertificate;
  /** Ends every attempt under way. */
  closing: AbortSignal;
}

type Target = buildConnector.Options;
interface PermittedAddress {
  address: string;
  family: number;
}

/** So that a name with hundreds of addresses does not make us knock at all of them. */
const MAX_ADDRESSES_TRIED = 8;
/** How long one of several addresses has to accept before the next is tried. */
const NEXT_ADDRESS_AFTER_MS = 1000;
const MAX_ADDRESSES_SHOWN = 3;

/**
 * Makes the function that opens a connection: it resolves the name once, drops the addresses that are not permitted,
 * connects to one of the others, and looks at the address of the other end again before the first byte is sent.
 * The function fails with FederationError address_forbidden, connection_failed or timed_out.
 */
export function createGuardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { extraCas, clientCertificate } = options;
  const secureContext = createSecureContext({
    ...(extraCas.length === 0 ? {} : { ca: [...getCACertificates('default'), ...extraCas] }),
    ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
  });
  return (target, callback) => {
    openConnection(target, options, secureContext).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

async function openConnection(
  target: Target,
  options: GuardedConnectorOptions,
  secureContext: SecureContext,
): Promise<Socket> {
  const { hostname } = target;
  const host = target.host ?? hostname;
  using deadline = new Deadline({
    timeoutMs: options.timeoutMs,
    outer: options.closing,
    expired: () => new FederationError('timed_out', `no connection to ${host} within ${options.timeoutMs} ms`),
  });
  let socket: Socket | undefined;
  try {
    const addresses = await deadline.race(permittedAddresses(target, options, deadline.signal));
    socket = openTcp(target, addresses);
    await deadline.race(once(socket, 'connect'));
    verifyPeer(socket, target, options);
    if (target.protocol === 'https:') {
      socket = openTls(socket, hostname, secureContext);
      await deadline.race(once(socket, 'secureConnect'));
    }
    if (socket.destroyed) throw new FederationError('connection_failed', `${host} closed the connection at once`);
    return socket;
  } catch (error) {
    socket?.destroy();
    throw transportFailure(error, host);
  }
}

async function permittedAddresses(
  target: Target,
  options: GuardedConnectorOptions,
  signal: AbortSignal,
): Promise<PermittedAddress[]> {
  const { hostname } = target;
  const found = isIP(hostname) === 0 ? await options.lookup(hostname, signal) : [{ address: hostname }];
  // Copied once: what was checked is what is connected to, whatever the answer object does later.
  const answers = found.map(({ address }) => address);
  if (answers.length === 0) throw new FederationError('connection_failed', `${hostname} has no address`);
  const judged = answers.map((address) => ({ address, objection: peerObjection(address, target, options) }));
  const permitted = judged.filter(({ objection }) => objection === undefined);
  if (permitted.length === 0) throw addressForbidden(hostname, judged, options.allow);
  return permitted.slice(0, MAX_ADDRESSES_TRIED).map(({ address }) => ({ address, family: isIP(address) }));
}

function peerObjection(address: string, target: Target, options: GuardedConnectorOptions): string | undefined {
  const objection = addressObjection(address, target.hostname, options.allow);
  if (objection !== undefined) return objection;
  if (target.protocol === 'http:' && !options.allowHttp && !isLoopbackAddress(address)) {
    return 'not loopback, as http demands';
  }
  return undefined;
}

function addressForbidden(
  hostname: string,
  judged: readonly { address: string; objection: string | undefined }[],
  { setting }: AllowRules,
): FederationError {
  const shown = judged.slice(0, MAX_ADDRESSES_SHOWN).map(({ address, objection }) => `${address} (${objection})`);
  if (judged.length > shown.length) shown.push('…');
  return new FederationError(
    'address_forbidden',
    `${hostname} has no address that may be contacted: ${shown.join(', ')}; ${setting} can allow it`,
  );
}

function openTcp(target: Target, addresses: readonly PermittedAddress[]): Socket {
  const answerPermitted: LookupFunction = (_hostname, _options, done) => done(null, [...addresses]);
  const socket = connectTcp({
    host: target.hostname,
    port: portOf(target),
    lookup: answerPermitted,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    noDelay: true,
  });
  return withErrorListener(socket);
}

function portOf(target: Target): number {
  if (target.port !== '') return Number(target.port);
  return target.protocol === 'https:' ? 443 : 80;
}

/** The kernel may reach another address than the one asked for: `0.0.0.0` is this machine. */
function verifyPeer(socket: Socket, target: Target, options: GuardedConnectorOptions): void {
  const address = socket.remoteAddress;
  if (address === undefined)
    throw new FederationError('connection_failed', `${target.hostname} closed the connection at once`);
  const objection = peerObjection(address, target, options);
  if (objection !== undefined) throw addressForbidden(target.hostname, [{ address, objection }], options.allow);
}

function openTls(socket: Socket, hostname: string, secureContext: SecureContext): Socket {
  const secured = connectTls({
    socket,
    host: hostname,
    servername: isIP(hostname) === 0 ? hostname : '',
    secureContext,
    // Said aloud, since NODE_TLS_REJECT_UNAUTHORIZED changes the default.
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
  });
  return withErrorListener(secured);
}

/** `once` hears an error while it waits; afterwards somebody still has to listen, until the HTTP client does. */
function withErrorListener(socket: Socket): Socket {
  return socket.on('error', () => undefined);
}
