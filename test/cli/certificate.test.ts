import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestPem } from '../support/certificate-requests.ts';
import { chainOfRequest } from '../support/certification.ts';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let service: RunningCommand;
let app: string;
let env: Record<string, string>;
let approver: Record<string, string>;

const BANK = 'Example Bank Ltd';
const CONFIRMED = ['--reason', 'ticket 4711', '--yes'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-certificates-'));
  const port = await freePort();
  app = `http://hosted.localhost:${port}/app`;
  env = {
    HOLDFAST_URL: `http://localhost:${port}`,
    HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes',
  };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_HOSTED_BASE_URL: `http://hosted.localhost:${port}`,
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
  });
  await done('organisation', 'add', BANK, '--contact', 'incident=soc@bank.example');
  await done('organisation', 'approve', BANK, ...CONFIRMED);
  const metadata = await file('app.json', JSON.stringify({ openid_relying_party: { client_name: 'App' } }));
  await done('entity', 'add', app, '--organisation', BANK, '--hosted', metadata);
  await done('entity', 'approve', app, ...CONFIRMED);
  const { secret } = await json('token', 'create', '--name', 'approver', '--role', 'approver');
  approver = { ...env, HOLDFAST_TOKEN: secret };
  await activeCertificationAuthority();
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** One that issues, its certificate from a root of the test. */
async function activeCertificationAuthority(): Promise<void> {
  const post = async (path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${env['HOLDFAST_TOKEN']}`, 'content-type': 'application/json' };
    const url = `${env['HOLDFAST_URL']}/api/v1/certification-authorities${path}`;
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.ok).toBe(true);
    return (await response.json()) as { id: string; request: string };
  };
  const [authority] = (await json('authority', 'list')).items;
  const name = 'Issuing CA';
  const { id, request } = await post('', { authorityId: authority.id, name });
  await post(`/${id}/activate`, { certificate: chainOfRequest(request, { name }) });
}

const call = (...args: string[]): Promise<CommandOutcome> => callHoldfast(args, { env });

/** Runs a command that has to succeed. @returns what it said to people */
async function done(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await call(...args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

async function json(...args: string[]) {
  return JSON.parse(await done(...args, '--json'));
}

/** By somebody else, who may approve. */
async function approve(id: string): Promise<string> {
  const { exitCode, stdout, stderr } = await callHoldfast(['certificate', 'approve', id, ...CONFIRMED], {
    env: approver,
  });
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const ask = (...args: string[]) => call('certificate', 'request', app, '--profile', 'client', ...args);

describe('holdfast certificate', () => {
  it('makes a key here and asks for its certificate, which somebody else approves; then it is had as PEM', async () => {
    const keyFile = join(folder, 'client.key');
    const asked = await ask('--key-out', keyFile);
    expect(asked.exitCode, asked.stderr).toBe(0);
    const [, id = ''] = /holdfast certificate approve (\S+)/.exec(asked.stdout) ?? [];
    expect(asked.stdout).toMatch(/state +pending\n/);
    const key = await readFile(keyFile, 'utf8');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(asked.stdout + asked.stderr).not.toContain('PRIVATE KEY');
    const early = await call('certificate', 'show', id, '--pem');
    expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining('the request is pending')]);
    const own = await call('certificate', 'approve', id, ...CONFIRMED);
    expect([own.exitCode, own.stderr]).toEqual([1, expect.stringContaining('ask somebody else')]);
    expect(await approve(id)).toContain(`The request for a client certificate for ${app} is issued now.`);
    const [leaf = '', ca = ''] = (await done('certificate', 'show', id, '--pem')).split(
      /(?<=-----END CERTIFICATE-----\n)/,
    );
    const certificate = new X509Certificate(leaf);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(ca))).toBe(true);
    expect(certificate.subjectAltName).toBe(`URI:${app}`);
  });

  it('takes a request that another tool made, renews what was issued, and writes the certificate to a file', async () => {
    const request = await json(
      'certificate',
      'request',
      app,
      '--profile',
      'client',
      '--csr',
      await file('a.csr', requestPem()),
    );
    await approve(request.id);
    const { credentialId } = await json('certificate', 'show', request.id);
    const [keyFile, out] = [join(folder, 'next.key'), join(folder, 'next.pem')];
    const renewed = await ask('--key-out', keyFile, '--replaces', credentialId, '--out', out);
    expect(renewed.stdout, renewed.stderr).toMatch(/state +issued\n/);
    expect(renewed.stdout).toMatch(/decided .*nobody: a renewal\n/);
    const certificate = new X509Certificate(await readFile(out, 'utf8'));
    expect(certificate.checkPrivateKey(createPrivateKey(await readFile(keyFile, 'utf8')))).toBe(true);
    expect(await done('credential', 'show', credentialId)).toMatch(/superseded +\d{4}-/);
  });

  it('keeps no key that nobody certifies, and overwrites none', async () => {
    const keyFile = join(folder, 'refused.key');
    const refused = await ask('--key-out', keyFile, '--replaces', '019baf5e-0000-7000-8000-000000000000');
    expect([refused.exitCode, existsSync(keyFile)]).toEqual([1, false]);
    const other = await file('other.key', 'another key');
    const again = await ask('--key-out', other);
    expect([again.exitCode, await readFile(other, 'utf8')]).toEqual([2, 'another key']);
    expect((await ask()).exitCode).toBe(2);
  });

  it('lists and rejects requests', async () => {
    const { id } = await json(
      'certificate',
      'request',
      app,
      '--profile',
      'signing',
      '--csr',
      await file('b.csr', requestPem()),
    );
    expect(await done('certificate', 'list', '--state', 'pending', '--entity', app, '--profile', 'signing')).toMatch(
      new RegExp(`${id} +${app} +signing +pending `),
    );
    expect(await done('certificate', 'reject', id, ...CONFIRMED)).toContain('is rejected now.');
    expect(await done('certificate', 'show', id)).toMatch(/reason +ticket 4711\n/);
  });

  it('asks the certification authority that is meant, by its name or its id', async () => {
    const { items } = await json('ca', 'list');
    const wanted = ['certificate', 'code', app, '--profile', 'client', '--ca'];
    for (const given of ['issuing ca', items[0].id]) {
      expect(await json(...wanted, given)).toMatchObject({ certificationAuthorityId: items[0].id });
    }
    const { exitCode, stderr } = await call(...wanted, 'Nobody');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Nobody')]);
  });

  it('is called by its own name in the audit, not by that of who issued it', async () => {
    const shown = await done('audit', '--subject-kind', 'credential', '--all');
    expect(shown).toMatch(/credential\.issue +O=Example Bank Ltd, UID=/);
    expect(shown).not.toContain('Issuing CA');
  });

  it('makes a code, and says what it is for and where', async () => {
    const shown = await done('certificate', 'code', app, '--profile', 'client');
    expect(shown).toMatch(/^holdfast_code_[A-Za-z0-9_-]{27}\n/);
    expect(shown).toMatch(/then +it is issued at once\n/);
    expect(shown).toContain(`${env['HOLDFAST_URL']}/.well-known/est/`);
  });
});
