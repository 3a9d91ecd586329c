/** A program that runs in the background of a story until it is stopped, with its output in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { StoryError } from './story.ts';

export interface ProgramOptions {
  /** For people. */
  name: string;
  /** Node by default. */
  command?: string;
  /** Of Node, the script first. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** The line by which it says that it serves; programs of ours say `{"ready": …}`. */
  ready?: RegExp;
}

const STOP_TIMEOUT_MS = 5000;
const LINES_SHOWN = 12;

export class BackgroundProgram implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #readyLine: RegExp;
  readonly #ready = Promise.withResolvers<void>();
  readonly #lastLines: string[] = [];
  #isStopping = false;

  constructor({ name, command = process.execPath, args, env, logFile, ready = /^\{"ready":/ }: ProgramOptions) {
    this.name = name;
    this.#readyLine = ready;
    // In a process group of its own, so that Ctrl-C reaches the demo alone, which stops its programs in order.
    this.#child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const log = createWriteStream(logFile);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        this.#hear(line);
      });
    }
    this.#child.once('error', (cause) => this.#ready.reject(new StoryError(`${name} does not start`, { cause })));
    // Should the demo itself break down, its programs do not outlive it.
    const kill = () => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#child.once('close', () => {
      process.off('exit', kill);
      log.end();
      this.#ready.reject(new StoryError(`${name} ended before it was ready`));
    });
    // Whoever waits for it hears of the rejection; nobody has to.
    this.#ready.promise.catch(() => {});
  }

  /** Resolves when the program says that it serves. @throws StoryError when it ends before */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  /** The end of its output, if it ended without being stopped. */
  get lastWords(): string[] | undefined {
    return this.#hasEnded && !this.#isStopping ? this.#lastLines : undefined;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  #hear(line: string): void {
    if (this.#readyLine.test(line)) this.#ready.resolve();
    this.#lastLines.push(line);
    if (this.#lastLines.length > LINES_SHOWN) this.#lastLines.shift();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.#isStopping = true;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
}
