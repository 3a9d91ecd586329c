import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let serviceUrl: string;
let service: RunningCommand;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-settings-'));
  const port = await freePort();
  serviceUrl = `http://localhost:${port}`;
  env = { HOLDFAST_URL: serviceUrl, HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes' };
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

describe('authority update --endpoint-authentication', () => {
  const update = (...rules: string[]) =>
    call('authority', 'update', serviceUrl, ...rules.flatMap((rule) => ['--endpoint-authentication', rule]));

  it('[OIDFED-8.8-4] has callers of the named endpoints prove who they are, from then on', async () => {
    const list = async () => (await fetch(`${serviceUrl}/federation/list`)).status;
    expect(await list()).toBe(200);
    const { exitCode, stdout } = await update('list=required', 'fetch=optional');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/fetch +optional\n *list +required\n *resolve +optional\n/);
    expect(await list()).toBe(401);
    expect((await update('list=off')).stdout).toMatch(/fetch +optional\n *resolve +optional\n/);
    expect(await list()).toBe(200);
  });

  it.each(['list', 'list=on', '=required'])('refuses the rule %j', async (rule) => {
    const { exitCode, stderr } = await update(rule);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('Write it as fetch=required')]);
  });

  it('says which endpoints there are when given another', async () => {
    const { exitCode, stderr } = await update('configuration=required');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('configuration')]);
  });
});

describe('authority update --required-contact', () => {
  const update = (...options: string[]) => call('authority', 'update', serviceUrl, ...options);

  it('asks organisations for other contacts, or for none', async () => {
    const more = await update('--required-contact', 'incident', '--required-contact', 'security');
    expect(more.stdout).toMatch(/contacts needed +incident, security\n/);
    await call('organisation', 'add', 'Nobody');
    const refused = await call('organisation', 'approve', 'Nobody', '--yes');
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('incident, security missing')]);
    expect(refused.stderr).toContain('holdfast organisation contact add');
    expect((await update('--no-required-contact')).stdout).toMatch(/contacts needed +none\n/);
    expect((await call('organisation', 'approve', 'Nobody', '--yes')).exitCode).toBe(0);
  });

  it('knows the types', async () => {
    const { exitCode, stderr } = await update('--required-contact', 'boss');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('business, technical')]);
  });
});
