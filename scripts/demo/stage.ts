/** Where a story happens: a temporary folder and the programs that it starts, all gone when it is over. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BackgroundProgram, type ProgramOptions } from './background-program.ts';
import type { Narrator } from './narrator.ts';
import { StoryError } from './story.ts';

export interface CommandOutcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

type Settings = Record<string, string>;

const NOTICE_MS = 250;
const HOLDFAST = path.join(import.meta.dirname, '../../src/cli/main.ts');

export class Stage implements AsyncDisposable {
  readonly narrator: Narrator;
  /** The temporary folder. */
  readonly dir: string;
  readonly #programs: BackgroundProgram[] = [];
  readonly #closing = new AbortController();

  private constructor(narrator: Narrator, dir: string) {
    this.narrator = narrator;
    this.dir = dir;
  }

  static async open(narrator: Narrator): Promise<Stage> {
    return new Stage(narrator, await mkdtemp(path.join(tmpdir(), 'holdfast-demo-')));
  }

  /** A path in the folder. */
  file(...names: string[]): string {
    return path.join(this.dir, ...names);
  }

  /** Writes a file that only this user can read. */
  async write(name: string, content: string): Promise<string> {
    const file = this.file(name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  }

  /**
   * Starts a `holdfast` program that serves something, and waits until it does.
   * @throws StoryError when it does not
   */
  async serve(name: string, args: readonly string[], settings: Settings = {}): Promise<void> {
    await this.start({ name, args: [HOLDFAST, ...args, '--json'] }, settings);
  }

  /** The same for any program. @throws StoryError when it does not */
  async start(program: Omit<ProgramOptions, 'env' | 'logFile'>, settings: Settings = {}): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const logFile = this.file(`${program.name.toLowerCase().replaceAll(' ', '-')}.log`);
    const started = new BackgroundProgram({ ...program, env: this.#environment(settings), logFile });
    this.#programs.push(started);
    await started.ready();
  }

  /** Runs a `holdfast` command to its end. */
  async run(args: readonly string[], settings: Settings = {}): Promise<CommandOutcome> {
    const options = { env: this.#environment(settings), signal: this.#closing.signal };
    return await new Promise((resolve, reject) => {
      execFile(process.execPath, [HOLDFAST, ...args], options, (error, stdout, stderr) => {
        if (error === null) resolve({ exitCode: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
        else reject(error);
      });
    });
  }

  /** The same for a command that must succeed. @throws StoryError with what it said */
  async mustRun(args: readonly string[], settings: Settings = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args, settings);
    if (exitCode === 0) return stdout;
    throw new StoryError(`holdfast ${args.join(' ')} exited with ${exitCode}\n${stderr.trim()}`);
  }

  /** Programs that ended although nobody stopped them, with the end of their output. */
  async lostPrograms(): Promise<{ name: string; lastWords: string[] }[]> {
    // A broken connection is noticed before the end of the program at its other end.
    await delay(NOTICE_MS);
    return this.#programs.flatMap(({ name, lastWords }) => (lastWords === undefined ? [] : [{ name, lastWords }]));
  }

  /** All of ours but settings of Holdfast, so that no deployment of the person who watches is touched. */
  #environment(settings: Settings): NodeJS.ProcessEnv {
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_') && name !== 'PORT');
    // Many short programs of the same modules: compiled once, they start in half the time.
    return { ...Object.fromEntries(others), NODE_COMPILE_CACHE: this.file('compile-cache'), ...settings };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Ports on loopback that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(portOf(server.address())));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('a TCP server has an address with a port');
}
