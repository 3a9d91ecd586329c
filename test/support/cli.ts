/** The command line under test: as a process of its own, or within the test where only its words matter. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runProgram } from '../../src/cli/program.ts';
import { copyMigratedDataDirectory } from './databases.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const BIN = join(ROOT, 'src/cli/main.ts');

export interface CommandOptions {
  /** HOLDFAST_* and PORT; nothing of the kind is taken from the environment of the test. */
  env?: Record<string, string>;
  stdin?: string;
  /** Arguments for Node itself. */
  nodeArguments?: string[];
}

export interface CommandOutcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the bin to its end. */
export async function runHoldfast(args: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  const child = spawnHoldfast(args, options);
  child.stdin.end(options.stdin ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode, stdout, stderr };
}

/** Runs the same program within this process: as much, in a tenth of the time. */
export async function callHoldfast(args: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const words = Promise.all([text(stdout), text(stderr)]);
  const stdin = Readable.from([options.stdin ?? '']);
  const exitCode = await runProgram(args, { env: options.env ?? {}, stdin, stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await words;
  return { exitCode, stdout: out, stderr: err };
}

/** What a command reads as its standard input. */
export function inputOf(content: string): NodeJS.ReadableStream {
  return Readable.from([content]);
}

/** A command that goes on until it is stopped. */
export interface RunningCommand extends AsyncDisposable {
  /** What it said when it was ready, see `--json`. */
  ready: Record<string, unknown>;
  /** Asks it to stop. @returns its exit code */
  stop(): Promise<number | null>;
}

/** Starts a command that serves, with `--json`, and waits for its ready line. */
export async function startHoldfast(args: readonly string[], options: CommandOptions = {}): Promise<RunningCommand> {
  const child = spawnHoldfast([...args, '--json'], options);
  const complaints = text(child.stderr);
  const closed = once(child, 'close');
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await closed;
    return child.exitCode;
  };
  for await (const line of createInterface(child.stdout)) {
    const { ready } = JSON.parse(line);
    if (ready === undefined) continue;
    child.stdout.resume();
    return { ready, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
  }
  throw new Error(`holdfast ${args.join(' ')} ended before it was ready: ${await complaints}`);
}

/** Starts `holdfast serve` in a data directory that has its tables already: to make them takes ten times as long. */
export async function serveHoldfast(
  env: Record<string, string> & { HOLDFAST_DATA_DIR: string },
): Promise<RunningCommand> {
  await copyMigratedDataDirectory(env.HOLDFAST_DATA_DIR);
  return await startHoldfast(['serve'], { env });
}

function spawnHoldfast(args: readonly string[], { env, nodeArguments = [] }: CommandOptions) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(HOLDFAST_|PORT$|NODE_OPTIONS$)/.test(name));
  return spawn(NODE, [...nodeArguments, BIN, ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  }) satisfies ChildProcess;
}

/** A port on 127.0.0.1 where nobody listens at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
