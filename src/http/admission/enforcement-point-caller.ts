/** Which enforcement point asks: by its token, by the certificate that it connects with, or by the socket that is its own. */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { KnownState } from '../../admission/known-state.ts';
import type { NumericDate } from '../../federation/time.ts';
import type { KnownEnforcementPoint } from '../../registry/participants/known-participants.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import { peerCertificateOf } from '../peer-certificate.ts';
import { headerValues } from './header-values.ts';

const TOKEN_HEADER = 'holdfast-enforcement-point';

/** Longer ones are none of ours, and not worth a hash. */
const MAX_TOKEN_LENGTH = 128;

/** Longer than gateways keep idle connections to those they ask: otherwise one closes what the other just uses. */
export const GATEWAY_KEEP_ALIVE_MS = 75_000;

const keptConnections = new WeakSet<Socket>();

/** From the first answer to an enforcement point on; connections of others end when the server says. */
export function keepConnection({ socket }: IncomingMessage): void {
  if (keptConnections.has(socket)) return;
  keptConnections.add(socket);
  // Node sets the server's own timeout after each answer; a listener for each of them costs more than this.
  const setTimeout = socket.setTimeout.bind(socket);
  socket.setTimeout = (ms, callback) => setTimeout(ms === 0 ? 0 : Math.max(ms, GATEWAY_KEEP_ALIVE_MS), callback);
}

/** A request, and the connection that it came through, if by one. */
export type Asking = Pick<IncomingMessage, 'rawHeaders'> & { socket?: Socket };

/**
 * The same, where nobody else may ask.
 * @throws RegistryError unauthenticated
 */
export function requireEnforcementPoint(incoming: Asking, state: KnownState, now: NumericDate): KnownEnforcementPoint {
  const point = enforcementPointOf(incoming, state, now);
  if (point !== undefined) return point;
  const message = 'this is for enforcement points: send the token of one in Holdfast-Enforcement-Point';
  throw new RegistryError('unauthenticated', message);
}

/**
 * Of a point with a token and a certificate, both are needed; its own socket is enough, with no token but its own. A
 * certificate besides the token of a point that has none counts for nothing. The address that a request comes from says nothing.
 * @param now for the dates of the certificate
 * @returns undefined: nobody that is known, or one that is suspended or removed
 */
export function enforcementPointOf(
  incoming: Asking,
  state: KnownState,
  now: NumericDate,
): KnownEnforcementPoint | undefined {
  const [token, ...repeated] = headerValues(incoming, TOKEN_HEADER).filter((value) => value !== '');
  if (repeated.length > 0 || (token !== undefined && token.length > MAX_TOKEN_LENGTH)) return undefined;
  const byToken = token === undefined ? undefined : state.enforcementPointOfToken(digestOf(token, incoming.socket));
  if (token !== undefined && byToken === undefined) return undefined;
  const bySocket = incoming.socket && socketPoints.get(incoming.socket);
  const point = bySocket === undefined ? byConnection(byToken, incoming, state, now) : state.enforcementPoint(bySocket);
  if (point === undefined || (byToken !== undefined && byToken.id !== point.id)) return undefined;
  return point.state === 'active' ? point : undefined;
}

/** Who keeps a connection shows the same token again and again. */
const shownTokens = new WeakMap<Socket, { token: string; digest: string }>();

function digestOf(token: string, socket: Socket | undefined): string {
  const shown = socket && shownTokens.get(socket);
  if (shown?.token === token) return shown.digest;
  const digest = hash('sha256', token, 'base64url');
  if (socket !== undefined) shownTokens.set(socket, { token, digest });
  return digest;
}

function byConnection(
  byToken: KnownEnforcementPoint | undefined,
  { socket }: Asking,
  state: KnownState,
  now: NumericDate,
): KnownEnforcementPoint | undefined {
  // Certificates are public, and anybody may have recorded this one: it says nothing of a point that does not ask for it.
  if (byToken?.clientX5tS256 === null) return byToken;
  const peer = peerCertificateOf(socket);
  if (peer === undefined || now < peer.notBefore || peer.notAfter <= now) return undefined;
  if (byToken !== undefined) return byToken.clientX5tS256 === peer.x5tS256 ? byToken : undefined;
  return state.enforcementPointOfClient(peer.x5tS256);
}

const socketPoints = new WeakMap<Socket, string>();

/** From now on, whatever comes through this connection comes from that enforcement point: only it can open the socket. */
export function belongsToEnforcementPoint(connection: Socket, enforcementPointId: string): void {
  socketPoints.set(connection, enforcementPointId);
}
