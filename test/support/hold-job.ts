/** Another process that is at work at a job and never ends it, to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '../../src');

const SCRIPT = `
  import { JobQueue } from '${SOURCES}/jobs/job-queue.ts';
  import { createLog } from '${SOURCES}/observability/log.ts';
  import { connectDatabase } from '${SOURCES}/storage/connect.ts';
  const [url, name] = process.argv.slice(1);
  const queue = new JobQueue({ database: await connectDatabase({ url }), node: 'doomed', log: createLog('silent') });
  const { promise: begun, resolve } = Promise.withResolvers();
  const run = () => new Promise(() => resolve());
  queue.define({ periodic: [{ name, everySeconds: 60, summary: 'never ends', run }] });
  await queue.look();
  await begun;
  process.stdout.write('begun');
  setInterval(() => {}, 60_000);
`;

export interface HeldJob extends AsyncDisposable {
  /** As a power failure would end it. */
  kill(): Promise<void>;
}

/** Resolves when the process has the job. */
export async function holdJob(url: string, name: string): Promise<HeldJob> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, url, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = () => killed(child, exited);
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => {
      throw new Error('the process ended before it had the job');
    }),
  ]);
  return { kill, [Symbol.asyncDispose]: kill };
}

async function killed(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}
