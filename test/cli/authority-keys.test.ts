import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

const SUPERIOR = 'https://superior.example';

let folder: string;
let serviceUrl: string;
let service: RunningCommand;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  const port = await freePort();
  serviceUrl = `http://localhost:${port}`;
  env = { HOLDFAST_URL: serviceUrl, HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes' };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_DATA_DIR: folder,
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
  });
  await json('authority', 'add', `${serviceUrl}/branch`, '--name', 'Branch', '--superior', SUPERIOR);
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const call = (...args: string[]): Promise<CommandOutcome> => callHoldfast(args, { env });

/** Runs a command that has to succeed. @returns what it printed as JSON */
async function json(...args: string[]) {
  const { exitCode, stdout, stderr } = await call(...args, '--json');
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

async function keyIn(state: string, authority: string): Promise<{ kid: string }> {
  const { items } = await json('authority', 'keys', 'list', authority);
  return items.find((key: { state: string }) => key.state === state);
}

describe('authority keys', () => {
  it('lists without a subcommand, as it did before it had any', async () => {
    const { exitCode, stdout } = await call('authority', 'keys', serviceUrl);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^KID +ALG +STATE +SINCE +NEXT +AUTHORITY\n\S{43} +ES256 +active /);
  });

  it('rolls, says when the key will sign, and activates it early only by force', async () => {
    const { stdout } = await call('authority', 'keys', 'roll', serviceUrl, '--reason', 'yearly');
    const { kid } = await keyIn('announced', serviceUrl);
    expect(stdout).toMatch(new RegExp(`^${kid} is announced, and signs .* \\(in 5 d\\) at the earliest\\.\n$`));
    expect((await call('authority', 'keys', serviceUrl)).stdout).toMatch(/announced +\S+ \S+ +signs .* \(in 5 d\)/);
    const activate = ['authority', 'keys', 'activate', serviceUrl, '--reason', 'a test'];
    const refused = await call(...activate);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('cannot sign yet')]);
    const unasked = await call(...activate, '--force');
    expect([unasked.exitCode, unasked.stderr]).toEqual([2, expect.stringContaining('repeat with --yes')]);
    expect((await call(...activate, '--force', '--yes')).stdout).toBe(`${kid} signs from now on.\n`);
    expect((await keyIn('active', serviceUrl)).kid).toBe(kid);
    expect((await call('authority', 'keys', serviceUrl)).stdout).toMatch(/retired +\S+ \S+ +historical .* \(in/);
  });

  it('shows what a key waits for at its superiors', async () => {
    const { stdout } = await call('authority', 'keys', 'roll', `${serviceUrl}/branch`);
    expect(stdout).toContain(`${SUPERIOR} has to list it before.`);
    const listed = await call('authority', 'keys', `${serviceUrl}/branch`);
    expect(listed.stdout).toMatch(/at its superiors\n {2}https:\/\/superior\.example {2}(not read yet|cannot be read)/);
  });

  it('revokes by the beginning of a kid, and says who has to be told', async () => {
    const { kid } = await keyIn('active', `${serviceUrl}/branch`);
    const announced = await keyIn('announced', `${serviceUrl}/branch`);
    const revoke = [
      'authority',
      'keys',
      'revoke',
      '--authority',
      `${serviceUrl}/branch`,
      '--reason',
      'stolen',
      '--yes',
    ];
    const unknown = await call(...revoke, kid.slice(0, 7));
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining(`has no key ${kid.slice(0, 7)}`)]);
    const { exitCode, stdout } = await call(...revoke, kid.slice(0, 12), '--compromised');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${kid} is revoked.\n${announced.kid} signs.\n`);
    expect(stdout).toMatch(/tell the superior +https:\/\/superior\.example/);
    const { items } = await json('authority', 'keys', 'list', `${serviceUrl}/branch`);
    expect(items).toMatchObject([{ kid, state: 'revoked', revocationReason: 'compromised' }, { state: 'active' }]);
  });

  it('are rolled and kept ready by the settings of the authority', async () => {
    const settings = ['--key-roll-interval', '7776000', '--key-announce', '172800', '--standby-key'];
    const updated = await json('authority', 'update', serviceUrl, ...settings);
    expect(updated).toMatchObject({
      keyRollIntervalSeconds: 7_776_000,
      keyAnnounceSeconds: 172_800,
      isStandbyKeyKept: true,
    });
    const shown = await call('authority', 'show', serviceUrl);
    expect(shown.stdout).toMatch(/keys are rolled +90 d\n/);
    const none = ['--key-roll-interval', 'never', '--key-announce', 'default', '--no-standby-key'];
    expect(await json('authority', 'update', serviceUrl, ...none)).toMatchObject({
      keyRollIntervalSeconds: null,
      keyAnnounceSeconds: null,
      isStandbyKeyKept: false,
    });
  });
});
