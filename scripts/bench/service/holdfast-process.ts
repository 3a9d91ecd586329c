/** Holdfast in a process of its own, started as an operator starts it. */
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import { type Child, startChild } from './child-process.ts';
import { bodyOf, exchange } from './exchange.ts';
import type { LoadTarget } from './floor.ts';

export type HoldfastProcess = LoadTarget & AsyncDisposable;

export interface HoldfastSettings {
  baseUrl: string;
  dataDir: string;
  databaseUrl: string;
  /** Further settings, as an operator gives them. */
  environment?: Record<string, string>;
}

const PROJECT = path.resolve(import.meta.dirname, '../../..');
const START_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 50;
/** A service that listens and is not ready yet. */
const STARTING = 503;

/** Runs the command of `npm start`, with logs as they are by default, and waits until it is ready. */
export async function startHoldfast(settings: HoldfastSettings): Promise<HoldfastProcess> {
  const port = await freePort();
  await mkdir(settings.dataDir, { recursive: true });
  const child = startChild(startCommand(), { cwd: PROJECT, env: environmentOf(settings, port) });
  const target = { port, host: new URL(settings.baseUrl).host, pid: child.pid };
  try {
    await ready(target, child);
    return { ...target, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/** Arguments of Node in `npm start`: whatever options it has there, it has here. */
function startCommand(): string[] {
  const args = /^(?:exec )?node (.+)$/.exec(packageJson.scripts.start)?.[1];
  if (args === undefined) throw new Error(`npm start does not run Node: ${packageJson.scripts.start}`);
  return args.split(' ');
}

/** Options of Node in `npm start`, for processes that are to have memory as the service has it. */
export function nodeOptionsOfStart(): string[] {
  const command = startCommand();
  return command.slice(
    0,
    command.findIndex((argument) => !argument.startsWith('-')),
  );
}

function environmentOf(
  { baseUrl, dataDir, databaseUrl, environment }: HoldfastSettings,
  port: number,
): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  return {
    ...Object.fromEntries(inherited),
    PORT: String(port),
    HOLDFAST_BASE_URL: baseUrl,
    HOLDFAST_DATA_DIR: dataDir,
    HOLDFAST_DATABASE_URL: databaseUrl,
    // The hosts of sample entities do not exist: to look for their configurations would ask name servers elsewhere.
    HOLDFAST_REFRESH_INTERVAL_SECONDS: '0',
    ...environment,
  };
}

async function ready(target: LoadTarget, child: Child): Promise<void> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const answer = await Promise.race([exchange(target, '/readyz'), child.failed]);
      if (answer.status !== STARTING || performance.now() > giveUpAt) {
        bodyOf(answer);
        return;
      }
    } catch (error) {
      if (!isNotListening(error) || performance.now() > giveUpAt) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

function isNotListening(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
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
