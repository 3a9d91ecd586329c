/** Stands before PostgreSQL as the network does, and breaks when a test says so. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Connections end and none can be made; or all stay and nothing arrives. */
export const BREAKS = ['ended', 'silent'] as const;

export interface BreakableNetwork extends AsyncDisposable {
  /** Of the same database, through it. */
  readonly url: string;
  break(how: (typeof BREAKS)[number]): void;
  mend(): void;
}

export async function startBreakableNetwork(url: string): Promise<BreakableNetwork> {
  const target = new URL(url);
  const joined = new Map<Socket, Socket>();
  /** Those who connect while nothing arrives. */
  let waiting: Socket[] = [];
  let broken: (typeof BREAKS)[number] | undefined;

  const join = (client: Socket) => {
    const upstream = connect(Number(target.port), target.hostname);
    joined.set(client, upstream);
    const end = () => {
      joined.delete(client);
      client.destroy();
      upstream.destroy();
    };
    upstream.on('error', end).on('close', end);
    client.on('close', end);
    client.pipe(upstream).pipe(client);
  };
  const endAll = () => {
    for (const [client, upstream] of joined) for (const socket of [client, upstream]) socket.destroy();
  };
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    if (broken === undefined) join(client);
    else if (broken === 'silent') waiting.push(client);
    else client.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given');
  const through = new URL(url);
  through.host = `127.0.0.1:${address.port}`;
  return {
    url: through.href,
    break(how) {
      broken = how;
      if (how === 'ended') endAll();
      else {
        for (const [client, upstream] of joined) {
          client.unpipe(upstream);
          upstream.unpipe(client);
        }
      }
    },
    mend() {
      if (broken === 'silent') for (const [client, upstream] of joined) client.pipe(upstream).pipe(client);
      broken = undefined;
      for (const client of waiting.splice(0)) join(client);
    },
    async [Symbol.asyncDispose]() {
      endAll();
      for (const client of waiting) client.destroy();
      waiting = [];
      server.close();
      await once(server, 'close');
    },
  };
}
