/** The command line of the bench; what it measures takes minutes and is not run here. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FIGURES } from '../scripts/bench/figures.ts';

const MAIN = join(import.meta.dirname, '../scripts/bench/main.ts');

interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

async function bench(...args: string[]): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const child = execFile(process.execPath, [MAIN, ...args], (_, stdout, stderr) => {
    resolve({ exitCode: child.exitCode ?? -1, stdout, stderr });
  });
  return await promise;
}

describe('bench', () => {
  it('explains itself and every figure with its target on --help', async () => {
    const { exitCode, stdout } = await bench('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('npm run bench');
    for (const { name, target } of FIGURES) {
      const line = stdout.split('\n').find((candidate) => candidate.includes(`  ${name} `));
      expect(line).toContain(target.toLocaleString('en'));
    }
  });

  it.each([
    ['enrolments', 50, 'higher'],
    ['approve_to_served_p99', 1000, 'lower'],
    ['suspend_to_refused_p99', 1000, 'lower'],
    ['revoke_to_deny_p99', 1000, 'lower'],
    ['search_100k_p95', 50, 'lower'],
    ['status_since_p99', 5, 'lower'],
  ])('measures what is promised of the directory: %s', (name, target, better) => {
    expect(FIGURES.find((figure) => figure.name === name)).toMatchObject({ target, better });
  });

  it.each([
    ['certificate_issue', 0.7, 'higher'],
    ['ocsp', 0.7, 'higher'],
    ['ocsp_nonce', 0.3, 'higher'],
    ['crl_100k', 5, 'lower'],
  ])('measures what is promised of our own certificates: %s', (name, target, better) => {
    expect(FIGURES.find((figure) => figure.name === name)).toMatchObject({ target, better });
  });

  it('names each figure once, as a word that stands in JSON and on a command line alike', () => {
    const names = FIGURES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  it('refuses a figure that it does not know, lists those that it does, and measures nothing', async () => {
    const { exitCode, stdout, stderr } = await bench('--json', 'policy_resolve', 'no_such_figure');
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('no_such_figure');
    for (const { name } of FIGURES) expect(stderr).toContain(name);
  });

  it.each([
    ['--rounds', '0'],
    ['--rounds', '1.5'],
    ['--seconds', 'long'],
    ['--seconds', '-1'],
    ['--fast', ''],
  ])('refuses %s %s', async (...args) => {
    const { exitCode, stdout, stderr } = await bench(...args);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(args[0]);
  });
});
