/** Stands before PostgreSQL and drops the startup parameter `options`, as poolers that are told to ignore it do. */
import { connect, createServer, type Socket } from 'node:net';

export interface ForgetfulPooler extends AsyncDisposable {
  /** Of the same database, through it. */
  readonly url: string;
}

export async function startForgetfulPooler(url: string): Promise<ForgetfulPooler> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.once('data', (startup) => {
      upstream.write(withoutOptions(startup));
      client.pipe(upstream);
    });
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given');
  const through = new URL(url);
  through.host = `127.0.0.1:${address.port}`;
  return {
    url: through.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A startup message: its length, the version of the protocol, names and values that each end with a zero byte. */
function withoutOptions(startup: Buffer): Buffer {
  const [version, parameters] = [startup.subarray(4, 8), startup.subarray(8).toString().split('\0')];
  const at = parameters.findIndex((text, index) => index % 2 === 0 && text === 'options');
  if (at >= 0) parameters.splice(at, 2);
  const body = Buffer.concat([version, Buffer.from(parameters.join('\0'))]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}
