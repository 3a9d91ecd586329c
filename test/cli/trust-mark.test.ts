import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimsOf } from '../support/answers.ts';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let serviceUrl: string;
let service: RunningCommand;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-trust-marks-'));
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

const call = (...args: string[]): Promise<CommandOutcome> => callHoldfast(['trust-mark', ...args], { env });

/** Runs a command that has to succeed. @returns what it printed as JSON */
async function json(...args: string[]) {
  const { exitCode, stdout, stderr } = await call(...args, '--json');
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

const endpoint = (name: string, query: Record<string, string>): Promise<Response> =>
  fetch(`${serviceUrl}/federation/${name}?${new URLSearchParams(query)}`);

/** The name of a type that is defined with these options. */
async function defined(name: string, ...options: string[]): Promise<string> {
  const type = `${serviceUrl}/marks/${name}`;
  await json('type', 'define', type, '--name', name, ...options);
  return type;
}

const CONFIRMED = ['--reason', 'a test', '--yes'];

describe('trust-mark type', () => {
  it('defines a type, shows it as people read it, changes it by its name and retires it', async () => {
    const type = await defined('member', '--lifetime', '3600', '--entity-type', 'openid_provider');
    const shown = (await call('type', 'show', type)).stdout;
    expect(shown).toMatch(/life of a mark +60 min/);
    expect(shown).toMatch(/entity types +openid_provider/);
    const changed = await json('type', 'update', type, '--lifetime', 'endless', '--no-rules');
    expect(changed).toMatchObject({ lifetimeSeconds: null, eligibility: {}, version: 2 });
    expect((await call('type', 'list')).stdout).toContain(type);
    expect(await json('type', 'retire', type, ...CONFIRMED)).toMatchObject({ state: 'retired' });
    expect((await call('type', 'reinstate', type, ...CONFIRMED)).stdout).toBe(`The type ${type} is active now.\n`);
  });

  it('refuses a type that there is already, and one that there is not', async () => {
    const type = await defined('once');
    const again = await call('type', 'define', type, '--name', 'Again');
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining(type)]);
    const { exitCode, stderr } = await call('type', 'show', `${type}/none`);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('holdfast trust-mark type list')]);
  });
});

describe('a type that no Trust Anchor lists', () => {
  it('is told of when it is defined and granted, with what to do, until one lists it', async () => {
    const type = `${serviceUrl}/marks/unlisted`;
    const unlisted = `No Trust Anchor here lists this type as issued by ${serviceUrl}`;
    const made = await call('type', 'define', type, '--name', 'Unlisted');
    expect(made.stderr).toContain(unlisted);
    const issuers = made.stderr.match(/write (\{.*\}) into issuers\.json/)?.[1] ?? '';
    expect(JSON.parse(issuers)).toEqual({ [type]: [serviceUrl] });
    expect((await call('grant', 'https://bearer.example/a', '--type', type)).stderr).toContain(unlisted);

    const file = join(folder, 'issuers.json');
    await writeFile(file, issuers);
    const update = ['authority', 'update', serviceUrl, '--trust-mark-issuers', file];
    const updated = await callHoldfast(update, { env });
    expect(updated.stdout).toMatch(/Issuers of Trust Marks \(trust_mark_issuers\)\n.*\n.*marks\/unlisted/);
    expect((await callHoldfast(['authority', 'show'], { env })).stdout).toContain('trust_mark_issuers');
    expect((await call('grant', 'https://bearer.example/b', '--type', type)).stderr).toBe('');
  });
});

describe('trust-mark', () => {
  const bearer = 'https://bearer.example';

  it('grants a mark that the endpoints give and list, renews it, and withdraws it', async () => {
    const type = await defined('granted');
    const claims = join(folder, 'claims.json');
    await writeFile(claims, '{"assurance_level":"high"}');
    const mark = await json('grant', bearer, '--type', type, '--until', '2090-12-31', '--claims', claims);
    expect(mark).toMatchObject({ subject: bearer, trustMarkType: type, state: 'active' });
    expect(mark.expiresAt).toContain('2090-12-31');
    const given = await endpoint('trust-mark', { trust_mark_type: type, sub: bearer });
    expect(claimsOf(await given.text())).toMatchObject({ sub: bearer, assurance_level: 'high' });
    const listed = async () => await (await endpoint('trust-marks', { trust_mark_type: type })).json();
    expect(await listed()).toEqual([bearer]);
    expect(await json('renew', bearer, '--type', type, '--until', 'never')).toMatchObject({ expiresAt: null });
    expect((await call('list', '--type', type)).stdout).toContain(bearer);
    expect((await call('withdraw', bearer, '--type', type, ...CONFIRMED)).stdout).toContain('is withdrawn now');
    expect(await listed()).toEqual([]);
    const twice = await call('withdraw', mark.id, ...CONFIRMED);
    expect([twice.exitCode, twice.stderr]).toEqual([1, expect.stringContaining('withdrawn')]);
    expect((await call('show', mark.id)).stdout).toMatch(/state +withdrawn\n *reason +a test/);
  });

  it('asks for marks, and decides on what was asked for', async () => {
    const type = await defined('asked');
    const [one, two] = [`${bearer}/one`, `${bearer}/two`];
    expect(await json('request', one, '--type', type)).toMatchObject({ state: 'pending' });
    await json('request', two, '--type', type);
    const pending = async () =>
      (await json('list', '--type', type, '--state', 'pending')).items.map((item: { subject: string }) => item.subject);
    expect(await pending()).toEqual([one, two]);
    expect(await json('approve', one, '--type', type, ...CONFIRMED)).toMatchObject({ state: 'active' });
    expect(await json('reject', two, '--type', type, ...CONFIRMED)).toMatchObject({ state: 'rejected' });
    expect(await pending()).toEqual([]);
  });

  it('does not guess which of several marks of a bearer is meant, nor act unasked', async () => {
    const subject = `${bearer}/several`;
    const types = [await defined('a'), await defined('b')];
    for (const type of types) await json('grant', subject, '--type', type);
    const ambiguous = await call('withdraw', subject, ...CONFIRMED);
    expect([ambiguous.exitCode, ambiguous.stderr]).toEqual([2, expect.stringContaining('--type')]);
    const unconfirmed = await call('withdraw', subject, '--type', types[0] ?? '', '--reason', 'a test');
    expect([unconfirmed.exitCode, unconfirmed.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect((await json('list', '--subject', subject, '--state', 'active')).items).toHaveLength(2);
  });
});

describe('trust-mark delegation', () => {
  it('delegates a type to an issuer, signs anew and withdraws', async () => {
    const type = `${serviceUrl}/marks/owned`;
    const issuer = 'https://issuer.example';
    const inAYear = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10);
    const made = await json('delegation', 'make', issuer, '--type', type, '--until', inAYear);
    expect(made.expiresAt).toContain(inAYear);
    expect(claimsOf(made.jwt)).toMatchObject({ iss: serviceUrl, sub: issuer, trust_mark_type: type });
    expect((await call('delegation', 'show', made.id)).stdout).toContain(made.jwt);
    const renewed = await json('delegation', 'renew', made.id, '--until', 'never');
    expect(claimsOf(renewed.jwt)).not.toHaveProperty('exp');
    expect((await call('delegation', 'list')).stdout).toContain(issuer);
    expect(await json('delegation', 'withdraw', made.id, ...CONFIRMED)).toMatchObject({ state: 'withdrawn' });
  });
});

describe('trust-mark held', () => {
  it('shows a mark in the configuration of the authority, and no longer once dropped', async () => {
    const created = await callHoldfast(['authority', 'add', `${serviceUrl}/lower`, '--name', 'Lower', '--json'], {
      env,
    });
    expect(created.exitCode, created.stderr).toBe(0);
    const type = await defined('held', '--authority', serviceUrl);
    await json('grant', `${serviceUrl}/lower`, '--type', type);
    const wanted = ['--issuer', serviceUrl, '--type', type, '--authority', `${serviceUrl}/lower`];
    const held = await json('held', 'add', ...wanted);
    const shown = async () => {
      const response = await fetch(`${serviceUrl}/lower/.well-known/openid-federation`);
      return claimsOf(await response.text())['trust_marks'];
    };
    expect(await shown()).toEqual([{ trust_mark_type: type, trust_mark: held.trustMark }]);
    expect((await call('held', 'list')).stdout).toContain(type);
    expect(await json('held', 'drop', held.id, '--yes')).toEqual({ dropped: held.id });
    expect(await shown()).toBeUndefined();
    const { exitCode, stderr } = await call('held', 'add', '--type', type);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--mark')]);
  });
});
