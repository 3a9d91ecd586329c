/** Child processes of the bench: they end with it, and whoever waits for one hears of its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runDirectory } from './run-directory.ts';

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Rejects when the process ends before it is disposed of; never resolves. */
  readonly failed: Promise<never>;
  /** Sends a message and waits for the one that answers it. @throws Error when the process ends first */
  ask<Answer>(question: object): Promise<Answer>;
}

export interface ChildOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

const STOP_TIMEOUT_MS = 15_000;
const SHOWN_OUTPUT_CHARACTERS = 4_000;

let started = 0;

/** Starts Node with these arguments, connected by a channel for messages; its output goes to a file. */
export function startChild(args: readonly string[], { env = process.env, cwd }: ChildOptions = {}): Child {
  const outputFile = path.join(runDirectory(), `output-${++started}`);
  const output = openSync(outputFile, 'a');
  const child = spawn(process.execPath, args, {
    env,
    cwd,
    stdio: ['ignore', output, output, 'ipc'],
    serialization: 'advanced',
  });
  closeSync(output);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  const failed = ended.then((how): never => {
    const shown = readFileSync(outputFile, 'utf8').slice(-SHOWN_OUTPUT_CHARACTERS);
    throw new Error(`node ${args.join(' ')}: ${how}\n${shown}`);
  });
  // Whoever waits for something else finds out; nobody has to.
  failed.catch(() => {});
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    pid: child.pid ?? -1,
    failed,
    ask: <Answer>(question: object) => Promise.race([answerTo<Answer>(child, question), failed]),
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(kill, STOP_TIMEOUT_MS);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
      process.off('exit', kill);
    },
  };
}

function answerTo<Answer>(child: ChildProcess, question: object): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  child.once('message', (message) => resolve(message as Answer));
  child.send(question, (error) => {
    if (error !== null) reject(error);
  });
  return promise;
}
