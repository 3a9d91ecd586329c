/** The package as others get it: packed, and installed into an empty project by npm. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import packageJson from '../../package.json' with { type: 'json' };

export const ROOT = path.join(import.meta.dirname, '../..');
const RECORDER = path.join(import.meta.dirname, 'record-modules.ts');

export interface ProgramOutcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * The environment of somebody who works in another project with this Node: nothing of the npm or vitest that runs the
 * test, except how npm reaches its registry and cache.
 */
function environment(): Record<string, string | undefined> {
  const foreign =
    /^(npm_(?!config_)|npm_config_local_prefix$|INIT_CWD$|NODE_(OPTIONS|PATH|ENV)$|VITEST|HOLDFAST_|PORT$)/;
  const inherited = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => !folder.endsWith('.bin'));
  const PATH = [path.dirname(process.execPath), ...folders].join(path.delimiter);
  return { ...Object.fromEntries(inherited), PATH };
}

async function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<ProgramOutcome> {
  const env = { ...environment(), ...options.env };
  const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode, stdout, stderr };
}

async function mustRun(...[command, args, options]: Parameters<typeof run>): Promise<void> {
  const { exitCode, stdout, stderr } = await run(command, args, options);
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${exitCode}:\n${stdout}${stderr}`);
}

/**
 * Packs Holdfast, which builds it, and installs it as a user would, with TypeScript and Node's types beside it. npm
 * takes the other packages from its cache, where `npm ci` left them, and asks the registry only for what is missing.
 */
export async function installPackage(): Promise<InstalledPackage> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-package-'));
  stack.defer(() => rm(folder, { recursive: true }));
  await mustRun('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball');
  const project = await mkdtemp(path.join(folder, 'project-'));
  await writeFile(path.join(project, 'package.json'), '{ "name": "relying-party", "private": true }');
  const { typescript, '@types/node': nodeTypes } = packageJson.devDependencies;
  const packages = [path.join(folder, tarball), `typescript@${typescript}`, `@types/node@${nodeTypes}`];
  await mustRun('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], { cwd: project });
  return new InstalledPackage(project, stack.move());
}

export class InstalledPackage implements AsyncDisposable {
  /** The project that it is installed in. */
  readonly project: string;
  readonly #belongings: AsyncDisposable;

  constructor(project: string, belongings: AsyncDisposable) {
    this.project = project;
    this.#belongings = belongings;
  }

  /** Paths of all files of the package, relative to it. */
  async files(): Promise<string[]> {
    const folder = path.join(this.project, 'node_modules/holdfast');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  }

  async write(name: string, content: string): Promise<void> {
    await writeFile(path.join(this.project, name), content);
  }

  /** Type-checks files of the project, the declarations of every package included. @returns what tsc complains of */
  async complaints(files: readonly string[], compilerOptions: object): Promise<string> {
    const strict = { strict: true, noEmit: true, skipLibCheck: false, module: 'NodeNext', target: 'ES2024' };
    await this.write('tsconfig.json', JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files }));
    const tsc = 'node_modules/typescript/bin/tsc';
    const { stdout, stderr } = await run(process.execPath, [tsc, '--project', 'tsconfig.json'], { cwd: this.project });
    return stdout + stderr;
  }

  /** Runs a file of the project. @returns its outcome, and the URLs of all modules that it loaded */
  async node(file: string, ...args: string[]): Promise<ProgramOutcome & { modules: string[] }> {
    const record = path.join(this.project, 'modules.json');
    const outcome = await run(process.execPath, ['--import', RECORDER, file, ...args], {
      cwd: this.project,
      env: { HOLDFAST_TEST_MODULES: record },
    });
    return { ...outcome, modules: JSON.parse(await readFile(record, 'utf8')) };
  }

  /** Runs `npx holdfast` in the project. */
  async npxHoldfast(...args: string[]): Promise<ProgramOutcome> {
    return await run('npx', ['holdfast', ...args], { cwd: this.project });
  }

  /** Runs the bin as the project has it, with some Node and its arguments. */
  async bin(node: string, ...nodeArguments: string[]): Promise<ProgramOutcome> {
    return await run(node, [...nodeArguments, 'node_modules/.bin/holdfast', '--help'], { cwd: this.project });
  }

  /** Starts a command of the bin that goes on until it is stopped; its standard output is to be read. */
  start(args: readonly string[], env: Record<string, string>): ChildProcessByStdio<null, Readable, null> {
    return spawn(process.execPath, ['node_modules/.bin/holdfast', ...args], {
      cwd: this.project,
      env: { ...environment(), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#belongings[Symbol.asyncDispose]();
  }
}
