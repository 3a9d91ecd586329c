import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CommandOutcome,
  callHoldfast,
  freePort,
  type RunningCommand,
  serveHoldfast,
  startHoldfast,
} from '../support/cli.ts';
import { testKey } from '../support/keys.ts';

let folder: string;
let partner: string;
let serviceUrl: string;
let entity: string;
let service: RunningCommand;
let published: RunningCommand;
let env: Record<string, string>;

/** A partner on this machine, enrolled and approved. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-entity-keys-'));
  partner = join(folder, 'rp');
  const [port, partnerPort] = [await freePort(), await freePort()];
  serviceUrl = `http://localhost:${port}`;
  entity = `http://localhost:${partnerPort}`;
  env = { HOLDFAST_URL: serviceUrl, HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes' };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
  });
  const identity = ['--entity', entity, '--superior', serviceUrl, '--type', 'openid_relying_party'];
  await json('configuration', 'init', ...identity, '--dir', partner);
  published = await startHoldfast(
    ['configuration', 'serve', '--dir', partner, '--listen', `127.0.0.1:${partnerPort}`],
    {},
  );
  await json('organisation', 'add', 'Partner Ltd');
  await json('organisation', 'contact', 'add', 'Partner Ltd', 'incident=soc@partner.example');
  await json('organisation', 'approve', 'Partner Ltd', '--reason', 'a test', '--yes');
  await json('entity', 'add', entity, '--organisation', 'Partner Ltd');
  await json('entity', 'approve', entity, '--reason', 'a test', '--yes');
});
afterAll(async () => {
  await published?.[Symbol.asyncDispose]();
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

/** Adds a key to the partner's file, behind the one that signs. @returns its kid */
async function addKey(index: number): Promise<string> {
  const file = join(partner, 'private-keys.json');
  const { privateKey, kid } = await testKey('ES256', index);
  const { keys } = JSON.parse(await readFile(file, 'utf8'));
  keys.push({ ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' });
  await writeFile(file, JSON.stringify({ keys }));
  return kid;
}

describe('the keys of an entity, from both sides', () => {
  it('[OIDFED-11.2-2] are pushed by the partner, shown and removed by the registrar', async () => {
    const { items: before } = await json('entity', 'keys', 'list', entity);
    const [first] = before;
    const next = await addKey(7001);
    const pushed = await json('configuration', 'push-keys', '--dir', partner, '--authority', serviceUrl);
    expect(pushed).toEqual({ sub: entity, registered: [first.kid, next], added: [next], removed: [] });
    const { stdout } = await call('entity', 'keys', entity);
    expect(stdout).toMatch(new RegExp(`${next} +registered +push `));
    const unasked = await call('entity', 'keys', 'remove', entity, next, '--reason', 'a test');
    expect([unasked.exitCode, unasked.stderr]).toEqual([2, expect.stringContaining('repeat with --yes')]);
    await json('entity', 'keys', 'remove', entity, next, '--reason', 'a test', '--yes');
    const last = await call('entity', 'keys', 'remove', entity, first.kid, '--reason', 'a test', '--yes');
    expect([last.exitCode, last.stderr]).toEqual([1, expect.stringContaining('no key that counts would be left')]);
    const again = await call('configuration', 'push-keys', '--dir', partner, '--authority', serviceUrl);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('does not return')]);
  });

  it('are proposed by the configuration, and decided about by the registrar', async () => {
    const file = join(partner, 'private-keys.json');
    const { keys } = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ keys: keys.slice(0, 1) }));
    const wanted = await addKey(7002);
    const refreshed = await json('entity', 'refresh', entity);
    expect(refreshed).toMatchObject({ outcome: 'followed', proposed: [wanted] });
    expect((await call('entity', 'show', entity)).stdout).toMatch(/Findings\n.*keys_proposed/);
    expect((await call('entity', 'keys', entity)).stdout).toMatch(new RegExp(`${wanted} +proposed .* ${wanted}\n`));
    const accept = (...more: string[]) =>
      call('entity', 'keys', 'accept', entity, wanted, '--reason', 'told by telephone', ...more);
    const unasked = await accept();
    expect([unasked.exitCode, unasked.stderr]).toEqual([2, expect.stringContaining('repeat with --thumbprint')]);
    const another = await accept('--thumbprint', keys[0].kid);
    expect([another.exitCode, another.stderr]).toEqual([1, expect.stringContaining('look at it and decide anew')]);
    // The kids that `configuration init` and the tests give are thumbprints; people write them in groups.
    const { stdout } = await accept('--thumbprint', wanted.replace(/(.{4})/g, '$1 '));
    expect(stdout).toContain(`${wanted} is registered: ${wanted.slice(0, 4)} ${wanted.slice(4, 8)} `);
    const again = await accept('--thumbprint', wanted);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining(`proposes no key ${wanted}`)]);
    expect((await json('entity', 'show', entity)).findings).toEqual([]);
  });

  it('may all be compromised: the last one goes at once too, and it is said what follows', async () => {
    const { items } = await json('entity', 'keys', 'list', entity);
    const kids = items
      .filter(({ state }: { state: string }) => state === 'registered')
      .map(({ kid }: { kid: string }) => kid);
    const mark = (kid: string) => call('entity', 'keys', 'compromised', entity, kid, '--reason', 'a test', '--yes');
    const [last = '', ...others] = kids;
    for (const kid of others) expect((await mark(kid)).stdout).not.toContain('has no key left');
    const { exitCode, stdout } = await mark(last);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringContaining(`${entity} has no key left: it is not vouched for`),
    ]);
    const fetched = await fetch(`${serviceUrl}/federation/fetch?${new URLSearchParams({ sub: entity })}`);
    expect(fetched.status).toBe(404);
  });

  it('teach how to roll one', async () => {
    const { stdout } = await call('configuration', 'push-keys', '--help');
    expect(stdout).toMatch(/1\. add the new key[\s\S]+2\. push[\s\S]+4\. move[\s\S]+6\. delete the old key/);
  });
});
