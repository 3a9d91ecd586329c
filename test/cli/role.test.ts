import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let service: RunningCommand;
let env: Record<string, string>;

const BANK = 'Example Bank Ltd';
const APP = 'http://localhost:9/app';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-roles-'));
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
  await done('organisation', 'add', BANK, '--contact', 'incident=soc@bank.example');
  await done('role', 'domain', 'add', 'Open Banking', '--description', 'Payments and accounts');
  // Nobody answers there: it stays pending, and may have roles all the same.
  expect((await call('entity', 'add', APP, '--organisation', BANK)).exitCode).toBe(1);
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const call = (...args: string[]): Promise<CommandOutcome> => callHoldfast(args, { env });

/** Runs a command that has to succeed. @returns what it said to people */
async function done(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await call(...args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

async function policyFile(name: string, policy: unknown): Promise<string> {
  const path = join(folder, `${name}.json`);
  await writeFile(path, JSON.stringify(policy));
  return path;
}

/** A role of the bank. */
async function assigned(name: string, ...options: string[]): Promise<void> {
  await done('role', 'add', name, '--domain', 'open banking', ...options);
  await done('role', 'assign', name, '--organisation', BANK);
}

const GOLD = { openid_relying_party: { grade: { value: 'gold' } } };

describe('F02 holdfast role', () => {
  it('F02 defines roles and shows them by their names', async () => {
    const policy = ['--metadata-policy', await policyFile('cisp', GOLD)];
    const words = ['--scope', 'openid', '--scope', 'funds', '--entity-type', 'openid_relying_party'];
    const added = await done('role', 'add', 'CISP', '--domain', 'Open Banking', ...words, ...policy);
    expect(added).toMatch(/^Open Banking\/CISP\n/);
    expect(added).toMatch(/scopes +openid funds\n/);
    expect(added).toContain('"grade"');
    expect(await done('role', 'show', 'open banking/cisp')).toBe(added);
    expect(await done('role', 'list', '--domain', 'Open Banking')).toMatch(/Open Banking +CISP +active/);
    expect(await done('role', 'update', 'CISP', '--no-entity-type')).toMatch(/Entity Type +any\n/);
    expect(await done('role', 'domain', 'update', 'Open Banking', '--description', 'Payments')).toContain('Payments');
    const { exitCode, stderr } = await call('role', 'show', 'TPP');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('there is no role TPP')]);
  });

  it('F02 assigns, gives and takes them, and says what comes of it before it happens', async () => {
    await assigned('PISP', '--metadata-policy', await policyFile('pisp', GOLD));
    const amend = ['--registration-id', 'FCA-1', '--jurisdiction', 'GB', '--valid-to', '2099-12-31'];
    expect(await done('role', 'amend', 'PISP', '--organisation', BANK, ...amend)).toMatch(/registration +FCA-1\n/);
    const listed = await done('role', 'list', '--organisation', BANK);
    expect(listed).toMatch(/Open Banking\/PISP +active +- +2099-12-31 00:00:00Z +FCA-1 +GB/);
    const tried = await done('role', 'give', 'PISP', '--entity', APP, '--dry-run');
    expect(tried).toContain('"gold"');
    expect(await done('role', 'list', '--entity', APP)).toContain('(none)');
    await done('role', 'give', 'PISP', '--entity', APP);
    expect(await done('role', 'list', '--entity', APP)).toMatch(/Open Banking\/PISP +active/);
    expect(await done('entity', 'show', APP)).toMatch(/roles +PISP until 2099-12-31/);
    const taken = await done('role', 'take', 'PISP', '--entity', APP, '--reason', 'not used');
    expect(taken).toMatch(/roles +none\n/);
    expect(await done('role', 'list', '--entity', APP, '--removed')).toMatch(/Open Banking\/PISP +removed/);
  });

  it('F02 refuses what the organisation does not hold, and what contradicts, saying where', async () => {
    await done('role', 'add', 'ASPSP', '--domain', 'Open Banking');
    const { exitCode, stderr } = await call('role', 'give', 'ASPSP', '--entity', APP);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('the organisation does not hold it')]);
    await assigned('Gold', '--metadata-policy', await policyFile('gold', GOLD));
    const silver = { openid_relying_party: { grade: { value: 'silver' } } };
    await assigned('Silver', '--metadata-policy', await policyFile('silver', silver));
    await done('role', 'give', 'Gold', '--entity', APP);
    const conflict = await call('role', 'give', 'Silver', '--entity', APP, '--dry-run');
    expect([conflict.exitCode, conflict.stderr]).toEqual([1, expect.stringContaining('the role Silver contradicts')]);
    expect(conflict.stderr).toContain(APP);
  });

  it('F02 takes a role from an organisation and lists who loses it', async () => {
    await assigned('AISP');
    await done('role', 'give', 'AISP', '--entity', APP);
    const words = ['role', 'unassign', 'AISP', '--organisation', BANK, '--reason', 'licence lost'];
    expect((await call(...words)).exitCode).toBe(2);
    expect(await done(...words, '--dry-run')).toMatch(/Would lose it \(1\)\n.*\n.*localhost:9\/app/);
    expect(await done(...words, '--yes')).toMatch(/Lost it \(1\)\n.*\n.*localhost:9\/app/);
    expect(await done('role', 'list', '--entity', APP)).toMatch(/Open Banking\/AISP +locked/);
    expect(await done('audit', 'list', '--all')).toMatch(/entity\.lock_role +http:\/\/localhost:9\/app +licence lost/);
    expect(await done('audit', 'list', '--all')).toMatch(/role_assignment\.remove +AISP +licence lost/);
  });

  it('F02 retires a role, and lets marks depend on roles', async () => {
    await assigned('Observer');
    const retire = ['role', 'retire', 'Observer', '--reason', 'the law changed'];
    expect(await done(...retire, '--dry-run')).toContain('Nothing was changed');
    expect(await done(...retire, '--yes')).toContain('Observer is retired.');
    expect(await done('role', 'list', '--state', 'retired')).toContain('Observer');
    expect(await done('role', 'reinstate', 'Observer', '--reason', 'and back', '--yes')).toContain('active again');
    const type = `${env['HOLDFAST_URL']}/marks/observer`;
    const defined = await done('trust-mark', 'type', 'define', type, '--name', 'Observer', '--role', 'Observer');
    expect(defined).toMatch(/roles +Open Banking\/Observer\n/);
  });
});
