import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';
import { freshJwks } from '../support/registry.ts';

let folder: string;
let service: RunningCommand;
let env: Record<string, string>;

const AS = 'https://as.bank.example';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-issuers-'));
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

const call = (args: string[], stdin?: string) =>
  callHoldfast(['token-issuer', ...args], { env, ...(stdin !== undefined && { stdin }) });

/** Runs a command that has to succeed. @returns all that it said */
async function done(args: string[], stdin?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await call(args, stdin);
  expect(exitCode, stderr).toBe(0);
  return stdout + stderr;
}

describe('holdfast token-issuer', () => {
  it('[F43] takes the secret from a file or standard input, and says it to nobody', async () => {
    const [file, keys] = [join(folder, 'secret'), join(folder, 'jwks.json')];
    await writeFile(file, 'a very secret word\n');
    await writeFile(keys, JSON.stringify(await freshJwks()));
    const asking = ['--introspection', `${AS}/introspect`, '--client-id', 'holdfast', '--client-secret-file'];
    const added = await done(['add', AS, '--audience', 'https://api.bank.example', ...asking, file]);
    expect(added).toMatch(/introspection +https:\/\/as.bank.example\/introspect\n/);
    expect(added).toMatch(/typ at\+jwt +needed\n/);
    const updated = await done(
      ['update', AS, '--client-secret-file', '-', '--jwks', keys],
      'another very secret word\n',
    );
    expect(updated).toMatch(/keys +\S+\n/);
    expect(await done(['update', AS, '--signed-introspection'])).toMatch(/its answers +signed\n/);
    const moved = await done(['update', AS, '--jwks-uri', `${AS}/jwks`]);
    expect(moved).toMatch(/keys at +https:\/\/as.bank.example\/jwks\n/);
    expect(moved).not.toMatch(/\bkeys {2}/);
    const elsewhere = await call(['update', AS, '--introspection', `${AS}/other`]);
    expect([elsewhere.exitCode, elsewhere.stderr]).toEqual([1, expect.stringContaining('client secret is missing')]);
    const all = (await done(['list'])) + (await done(['show', AS, '--json'])) + added + updated;
    expect(all).not.toContain('secret word');
    await done(['remove', AS, '--yes']);
    expect((await call(['show', AS])).exitCode).toBe(1);
  });

  it('says what is missing', async () => {
    const half = await call(['add', AS, '--audience', 'x', '--introspection', `${AS}/introspect`]);
    expect([half.exitCode, half.stderr]).toEqual([2, expect.stringContaining('--client-id')]);
    expect((await call(['update', AS])).stderr).toContain('there is nothing to change');
  });
});
