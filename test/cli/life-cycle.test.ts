import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let service: RunningCommand;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-life-cycle-'));
  const port = await freePort();
  env = { HOLDFAST_URL: `http://localhost:${port}`, HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes' };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_DATA_DIR: folder,
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
    // Nobody is there: the service runs all the same.
    HOLDFAST_SMTP_URL: 'smtp://localhost:1',
    HOLDFAST_MAIL_FROM: 'directory@federation.example',
  });
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const call = (args: string[], token = env['HOLDFAST_TOKEN'] ?? ''): Promise<CommandOutcome> =>
  callHoldfast(args, { env: { ...env, HOLDFAST_TOKEN: token } });

/** Runs a command that has to succeed. @returns what it printed as JSON */
async function json(args: string[], token?: string) {
  const { exitCode, stdout, stderr } = await call([...args, '--json'], token);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** An active organisation with an entity that waits for its approval; nobody publishes its configuration. */
async function member(name: string): Promise<string> {
  await json(['organisation', 'add', name, '--contact', `incident=soc@${name.toLowerCase()}.example`]);
  await json(['organisation', 'approve', name, '--yes']);
  const entity = `https://rp.${name.toLowerCase()}.example`;
  expect((await call(['entity', 'add', entity, '--organisation', name])).stderr).toContain('the entity is pending');
  return entity;
}

describe('F05 on the command line', () => {
  it('F05 previews a suspension by name, then does it until a moment, with its code', async () => {
    const entity = await member('Adelphi');
    const suspend = ['organisation', 'suspend', 'Adelphi', '--reason', 'incident 4711'];
    const preview = await call([...suspend, '--dry-run']);
    expect(preview.exitCode, preview.stderr).toBe(0);
    expect(preview.stdout).toContain('Adelphi is active, and nothing was changed.');
    expect(preview.stdout).toMatch(new RegExp(`entity +${entity} +pending +suspended`));
    expect((await json(['organisation', 'show', 'Adelphi'])).state).toBe('active');
    const options = ['--reason-code', 'security_incident', '--until', '2090-01-01', '--yes'];
    const done = await call([...suspend, ...options]);
    expect(done.stdout).toMatch(/^Adelphi is suspended now\. Until 2090-01-01 00:00:00Z/);
    const shown = (await call(['organisation', 'show', 'Adelphi'])).stdout;
    expect(shown).toMatch(/reason +incident 4711 \(security_incident\)/);
    expect(shown).toMatch(/suspended until +2090-01-01/);
    const move = ['organisation', 'suspension', 'Adelphi', '--reason', 'it takes longer', '--until'];
    expect((await call([...move, '2091-01-01'])).stdout).toMatch(/^Adelphi is suspended until 2091-01-01 00:00:00Z/);
    expect((await json([...move, 'never'])).suspendedUntil).toBeNull();
  });

  it('F05 knows the codes of each transition', async () => {
    const wrong = ['organisation', 'revoke', 'Adelphi', '--reason', 'x', '--reason-code', 'mistake', '--yes'];
    const { exitCode, stderr } = await call(wrong);
    expect([exitCode, stderr.includes('security_incident')]).toEqual([2, true]);
  });

  it('F05 tells what is allowed instead', async () => {
    const { exitCode, stderr } = await call(['organisation', 'suspend', 'Adelphi', '--reason', 'x', '--yes']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Possible: reinstate, withdraw, revoke.');
  });
});

describe('exception', () => {
  it('is asked for by one and approved by another', async () => {
    const entity = await member('Borough');
    const person = async (name: string, role: string) =>
      await json(['token', 'create', '--name', name, '--role', role]);
    const owner = await person('Olga', 'registrar');
    const asking = await person('Rita', 'registrar');
    const approving = await person('Abel', 'approver');
    const request = [
      'exception',
      'request',
      entity,
      '--kind',
      'no_mtls',
      '--owner',
      owner.id,
      '--reason',
      'old gateway',
    ];
    const inAMonth = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    const { id } = await json([...request, '--ends', inAMonth], asking.secret);
    expect((await call([...request, '--ends', 'never'], asking.secret)).exitCode).toBe(2);
    const named = [
      'exception',
      'request',
      entity,
      '--kind',
      'unbound_token',
      '--owner',
      'Olga',
      '--reason',
      'old client',
    ];
    expect((await json([...named, '--ends', inAMonth])).owner.id).toBe(owner.id);
    const approve = ['exception', 'approve', id, '--reason', 'seen the plan', '--yes'];
    const approved = await call(approve, approving.secret);
    expect(approved.stdout).toBe(`The exception no_mtls of ${entity} is approved now.\n`);
    const listed = (await call(['exception', 'list', '--state', 'approved'])).stdout;
    // The entity is pending, so the exception has no effect.
    expect(listed).toMatch(new RegExp(`${entity} +no_mtls +approved +no +Olga +${inAMonth}`));
    const shown = (await call(['exception', 'show', id])).stdout;
    expect(shown).toMatch(/owner +Olga/);
    expect(shown).toMatch(/approved by +Abel/);
    const seen = (await call(['entity', 'show', entity])).stdout;
    expect(seen).toMatch(/permissions +none\n/);
    expect(seen).toMatch(new RegExp(`\nExceptions\n.*\n${id} +no_mtls +approved +no +${inAMonth}`));
    expect((await json(['exception', 'end', id, '--reason', 'replaced', '--yes'])).state).toBe('ended');
  });
});

describe('findings', () => {
  it('are listed; nothing is found in a directory that is well', async () => {
    const { exitCode, stdout } = await call(['findings', '--kind', 'contact_stale']);
    expect([exitCode, stdout]).toEqual([0, '(none)\n']);
    expect(await json(['findings', '--organisation', 'Borough'])).toEqual({ items: [] });
    const unknown = await call(['findings', '--kind', 'nonsense']);
    expect(unknown.exitCode).toBe(2);
    for (const kind of ['contact_stale', 'hint_dropped']) expect(unknown.stderr).toContain(kind);
  });
});

describe('F08 on the command line', () => {
  it('F08 an authority says how contacts are kept alive', async () => {
    const { items } = await json(['authority', 'list']);
    const identifier: string = items[0].entityIdentifier;
    const update = ['authority', 'update', identifier];
    const settings = ['--confirm-contacts', '180', '--lapse-grace', '14', '--on-lapse', 'suspend'];
    expect(await json([...update, ...settings])).toMatchObject({
      contactConfirmationDays: 180,
      lapseGraceDays: 14,
      onLapse: 'suspend',
    });
    const shown = (await call(['authority', 'show', identifier])).stdout;
    expect(shown).toMatch(/contacts are confirmed +every 180 days; a finding 14 days later, suspended after 14 more/);
    expect((await json([...update, '--confirm-contacts', 'never'])).contactConfirmationDays).toBeNull();
  });
});
