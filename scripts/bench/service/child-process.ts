/** Child processes of the bench: they end with it, and whoever waits for one hears of its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runDirectory } from './run-directory.ts';

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Rejects when the process ends before it is disposed of; never resolves. */
  readonly failed: Promise<never>;
}

/** A child that is spoken to. */
export interface Worker extends Child {
  /** Sends a message and waits for the one that answers it. @throws Error when the process ends first */
  ask<Answer>(question: object): Promise<Answer>;
}

export interface ChildOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

const STOP_TIMEOUT_MS = 15_000;
const SHOWN_OUTPUT_CHARACTERS = 4_000;

const running = new Set<ChildProcess>();
let started = 0;

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts Node with these arguments; its output goes to a file. */
export function startChild(args: readonly string[], options: ChildOptions = {}): Child {
  return start(args, options, false).child;
}

/** Starts a script that answers messages. @param nodeOptions such as `--expose-gc` */
export function startWorker(script: string, nodeOptions: readonly string[] = []): Worker {
  const { process: worker, child } = start([...nodeOptions, script], {}, true);
  return {
    ...child,
    ask: <Answer>(question: object) => Promise.race([answerTo<Answer>(worker, question), child.failed]),
  };
}

function start(
  args: readonly string[],
  options: ChildOptions,
  hasChannel: boolean,
): { process: ChildProcess; child: Child } {
  const outputFile = path.join(runDirectory(), `output-${++started}`);
  const output = openSync(outputFile, 'a');
  const child = spawn(process.execPath, args, {
    ...options,
    stdio: ['ignore', output, output, ...(hasChannel ? (['ipc'] as const) : [])],
    serialization: 'advanced',
  });
  closeSync(output);
  running.add(child);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  const failed = ended.then((how): never => {
    running.delete(child);
    const shown = readFileSync(outputFile, 'utf8').slice(-SHOWN_OUTPUT_CHARACTERS);
    throw new Error(`node ${args.join(' ')}: ${how}\n${shown}`);
  });
  // Whoever waits for something else finds out; nobody has to.
  failed.catch(() => {});
  const stop = async (): Promise<void> => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  };
  return { process: child, child: { pid: child.pid ?? -1, failed, [Symbol.asyncDispose]: stop } };
}

function answerTo<Answer>(child: ChildProcess, question: object): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  child.once('message', (message) => resolve(message as Answer));
  child.send(question, (error) => {
    if (error !== null) reject(error);
  });
  return promise;
}
