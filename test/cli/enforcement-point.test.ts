import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainOf, pem } from '../support/certificates.ts';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let service: RunningCommand;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-points-'));
  const port = await freePort();
  env = {
    HOLDFAST_URL: `http://localhost:${port}`,
    HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes',
  };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_DATA_DIR: folder,
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
  });
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const call = (...args: string[]): Promise<CommandOutcome> => callHoldfast(args, { env });

/** Runs a command that has to succeed. */
async function done(...args: string[]): Promise<CommandOutcome> {
  const outcome = await call(...args);
  expect(outcome.exitCode, outcome.stderr).toBe(0);
  return outcome;
}

describe('holdfast enforcement-point', () => {
  it('[F40] prints the token alone, shows, changes, suspends and removes by name', async () => {
    const added = await done('enforcement-point', 'add', 'gw-1', '--certificate-header', 'nginx', '--require-token');
    expect(added.stdout).toMatch(/^hfep_[A-Za-z0-9_-]{43}\n$/);
    expect(added.stderr).toMatch(/lets in +live production/);
    expect(added.stderr).toMatch(new RegExp(`authority +${env['HOLDFAST_URL']}\n`));
    const shown = (await done('enforcement-point', 'show', 'gw-1')).stdout;
    expect(shown).toMatch(/known by +its token\n/);
    expect(shown).toMatch(/certificate header +nginx\n/);
    expect(shown).not.toContain(added.stdout.trim());
    const changes = ['--max-staleness', '5', '--no-require-token', '--allow-sample', '0'];
    const updated = (await done('enforcement-point', 'update', 'gw-1', ...changes)).stdout;
    expect(updated).toMatch(/stale after +5 s\n/);
    expect(updated).toMatch(/access token +not required\n/);
    expect((await call('enforcement-point', 'update', 'gw-1')).exitCode).toBe(2);
    const reason = ['--reason', 'ticket 4711', '--yes'];
    await done('enforcement-point', 'suspend', 'gw-1', ...reason);
    expect((await done('enforcement-point', 'list')).stdout).toMatch(/gw-1 +live +production +suspended +never/);
    await done('enforcement-point', 'reinstate', 'gw-1', ...reason);
    await done('enforcement-point', 'remove', 'gw-1', '--yes');
    expect((await call('enforcement-point', 'show', 'gw-1')).exitCode).toBe(1);
  });

  it('keeps the token in a new file of its owner alone, and makes none if it cannot', async () => {
    const file = join(folder, 'gw-2.token');
    const added = await done('enforcement-point', 'add', 'gw-2', '--token-file', file);
    const token = await readFile(file, 'utf8');
    expect(token).toMatch(/^hfep_[A-Za-z0-9_-]{43}\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(added.stdout + added.stderr).not.toContain(token.trim());
    const rotate = ['enforcement-point', 'rotate-token', 'gw-2', '--yes', '--token-file'];
    expect((await call(...rotate, file)).stderr).toContain('it exists already');
    expect(await readFile(file, 'utf8')).toBe(token);
    expect(JSON.parse((await done('enforcement-point', 'show', 'gw-2', '--json')).stdout).version).toBe(1);
    await done(...rotate, join(folder, 'second.token'));
    expect(await readFile(join(folder, 'second.token'), 'utf8')).not.toBe(token);
    const missing = join(folder, 'lost.token');
    expect((await call('enforcement-point', 'add', 'gw-2', '--token-file', missing)).exitCode).toBe(1);
    await expect(stat(missing)).rejects.toThrow('ENOENT');
  });

  it('knows one by its certificate', async () => {
    const file = join(folder, 'gw-3.pem');
    await writeFile(file, pem(chainOf()[0]));
    const added = await done('enforcement-point', 'add', 'gw-3', '--no-token', '--client-certificate', file);
    expect(added.stdout).toMatch(/known by +its certificate\n/);
  });
});
