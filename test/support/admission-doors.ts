/** The doors of admission on a real HTTP server, over what a test says that the registry knows. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Admission } from '../../src/admission/admission.ts';
import type { KnownState } from '../../src/admission/known-state.ts';
import { belongsToEnforcementPoint } from '../../src/http/admission/enforcement-point-caller.ts';
import { createForwardAuthDoor } from '../../src/http/admission/forward-auth-door.ts';
import type { KnownEnforcementPoint } from '../../src/registry/participants/known-participants.ts';
import { close, createServer, listen, type TlsFiles } from '../../src/start-server.ts';
import { knownState, NOW, PLACE } from './admission.ts';

export const POINT_TOKEN = 'hfep_0123456789012345678901234567890123456789012';

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url');
}

/** Known by its token, and sends certificates as RFC 9440 says. */
export const POINT: KnownEnforcementPoint = {
  ...PLACE,
  id: '019baf5e-0000-7000-8000-00000000000a',
  name: 'gateway',
  certificateHeader: 'rfc9440',
  tokenDigest: sha256(POINT_TOKEN),
  clientX5tS256: null,
  allowSample: 0,
};

/** @param points those that there are */
export function stateWith(
  points: readonly KnownEnforcementPoint[],
  known: Parameters<typeof knownState>[0] = {},
): KnownState {
  return {
    ...knownState(known),
    enforcementPoint: (id) => points.find((point) => point.id === id),
    enforcementPointOfToken: (digest) => points.find(({ tokenDigest }) => tokenDigest === digest),
    enforcementPointOfClient: (x5tS256) =>
      points.find(({ tokenDigest, clientX5tS256 }) => tokenDigest === null && clientX5tS256 === x5tS256),
  };
}

export interface AdmissionDoors extends AsyncDisposable {
  /** What is known from now on. */
  state: KnownState;
  /** What the door logged. */
  readonly failures: unknown[];
  /** Sends text as it is and reads until the connection ends. */
  send(request: string, tls?: ConnectionOptions): Promise<string>;
  port: number;
  server: Server;
}

export interface DoorSettings {
  tls?: TlsFiles;
  /** Whose UNIX socket it is, and where. */
  socket?: { path: string; enforcementPointId: string };
}

export async function openAdmissionDoors(
  state: KnownState,
  { tls, socket }: DoorSettings = {},
): Promise<AdmissionDoors> {
  const failures: unknown[] = [];
  const clock = { now: () => NOW };
  const known = { state };
  const admission = new Admission({
    index: { at: () => known.state },
    ageMs: () => 0,
    clock,
    tokens: {
      verify: () => {
        throw new Error('nobody verifies tokens here');
      },
    },
    chains: { resolve: () => ({ reason: 'trust_chain_unavailable', detail: 'nobody resolves here' }) },
    onError: () => {},
  });
  const door = createForwardAuthDoor({ admission, clock, logError: (error) => void failures.push(error) });
  const server = createServer((incoming, outgoing) => {
    if (!door(incoming, outgoing)) outgoing.writeHead(404).end();
  }, tls);
  if (socket !== undefined) {
    server.on('connection', (connection: Socket) => belongsToEnforcementPoint(connection, socket.enforcementPointId));
  }
  const where: ListenOptions = socket === undefined ? { host: '127.0.0.1', port: 0 } : { path: socket.path };
  await listen(server, where);
  const { port } = socket === undefined ? (server.address() as AddressInfo) : { port: 0 };
  return {
    get state() {
      return known.state;
    },
    set state(changed) {
      known.state = changed;
    },
    failures,
    port,
    server,
    send: async (request, options) => {
      const connection =
        options !== undefined
          ? connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
          : socket === undefined
            ? connect(port, '127.0.0.1')
            : connect(socket.path);
      await once(connection, options === undefined ? 'connect' : 'secureConnect');
      connection.write(request, 'latin1');
      return await text(connection);
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}
