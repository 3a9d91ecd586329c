import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, startHoldfast } from '../support/cli.ts';

let folder: string;
let serviceUrl: string;
let service: RunningCommand;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-settings-'));
  const port = await freePort();
  serviceUrl = `http://localhost:${port}`;
  env = { HOLDFAST_URL: serviceUrl, HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes' };
  service = await startHoldfast(['serve'], {
    env: { PORT: String(port), HOLDFAST_DATA_DIR: folder, HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '' },
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
