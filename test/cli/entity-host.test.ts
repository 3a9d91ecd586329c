import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CompactEncrypt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signConfiguration } from '../../src/cli/configuration/sign-configuration.ts';
import { claimsOf } from '../support/answers.ts';
import {
  type CommandOutcome,
  callHoldfast,
  freePort,
  inputOf,
  type RunningCommand,
  serveHoldfast,
} from '../support/cli.ts';
import { publicJwk } from '../support/credentials.ts';

const METADATA = { openid_relying_party: { client_name: 'Clinic' } };
const CONFIRMED = ['--reason', 'a test', '--yes'];

let folder: string;
let port: number;
let serviceUrl: string;
let service: RunningCommand;
let env: Record<string, string>;
let clinic: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-entity-host-'));
  port = await freePort();
  serviceUrl = `http://localhost:${port}`;
  clinic = `http://hosted.localhost:${port}/clinic`;
  env = { HOLDFAST_URL: serviceUrl, HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes' };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_HOSTED_BASE_URL: `http://hosted.localhost:${port}`,
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
  });
  await json('organisation', 'add', 'Clinic', '--contact', 'incident=soc@clinic.example');
  await json('organisation', 'approve', 'Clinic', ...CONFIRMED);
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

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** What is published for the clinic, asked for as its host name leads there. */
async function configuration(): Promise<string> {
  const { host, pathname } = new URL(`${clinic}/.well-known/openid-federation`);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: pathname, headers: { host } }, resolve).on('error', reject);
  });
  expect(response.statusCode).toBe(200);
  return await text(response);
}

it('holdfast entity assertion and holdfast keystore: what others are told of an application and its keys', async () => {
  const practice = `http://hosted.localhost:${port}/practice`;
  const hosted = ['--hosted', await file('practice.json', METADATA)];
  await json('entity', 'add', practice, '--organisation', 'Clinic', ...hosted);
  const early = await call('entity', 'assertion', practice);
  expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining('the application is pending')]);
  const { id, organisationId } = await json('entity', 'approve', practice, ...CONFIRMED);
  const { stdout } = await call('entity', 'assertion', practice);
  const keystore = `${serviceUrl}/keystore/${organisationId}/${id}`;
  expect(claimsOf(stdout.trim())).toMatchObject({
    ...{ iss: serviceUrl, software_id: id, software_client_id: practice, client_name: 'Clinic' },
    ...{ org_name: 'Clinic', jwks_uri: `${keystore}/application.jwks` },
  });
  const jwk = await file('practice-key.json', publicJwk().jwk);
  const { kid } = await json('credential', 'add', practice, '--usage', 'signing', '--jwk', jwk);
  const shown = await call('keystore', 'Clinic', practice, '--for', 'signing');
  expect(shown.stdout).toContain(`${keystore}/signing.jwks\n`);
  expect(shown.stdout).toMatch(new RegExp(`${kid} +EC +sig +- +-`));
  expect(await json('keystore', 'Clinic', '--for', 'application')).toMatchObject({ keys: [{ kid, use: 'sig' }] });
  expect(await json('keystore', 'Clinic', '--for', 'application', '--mode', 'test')).toEqual({ keys: [] });
  expect(await json('keystore', 'Clinic', practice, '--for', 'signing', '--inactive')).toEqual({ keys: [] });
});

describe('holdfast entity host', () => {
  it('takes a partner without a web server in, and out again with its key', async () => {
    const metadata = await file('metadata.json', METADATA);
    const added = await json('entity', 'add', clinic, '--organisation', 'Clinic', '--hosted', metadata);
    expect(added).toMatchObject({ enrolment: 'hosted', state: 'pending' });
    await json('entity', 'approve', clinic, ...CONFIRMED);
    expect(claimsOf(await configuration())).toMatchObject({ sub: clinic, metadata: METADATA });

    const renamed = { openid_relying_party: { client_name: 'Surgery' } };
    const update = ['entity', 'host', 'update', clinic, '--metadata', await file('renamed.json', renamed)];
    expect((await call(...update)).stderr).not.toContain('Nothing changed');
    expect(claimsOf(await configuration())).toMatchObject({ metadata: renamed });
    expect((await call(...update)).stderr).toContain('Nothing changed: its configuration says so already.');

    const shown = (await call('entity', 'host', 'show', clinic)).stdout;
    expect(shown).toContain('here, with the key kept for it');
    expect(shown).toMatch(/active +sealed/);
    const rolled = await call('entity', 'host', 'roll', clinic);
    expect(rolled.stdout).toMatch(/announced +sealed/);

    const announced = rolled.stdout.match(/(\S+) +announced/)?.[1] ?? '';
    const made = await call('configuration', 'recipient-key', '--out', join(folder, 'recipient.json'));
    expect(made.stdout).not.toContain('"d"');
    expect(statSync(join(folder, 'recipient.json')).mode & 0o777).toBe(0o600);
    const recipient = await file('recipient-public.json', made.stdout);
    const unconfirmed = await call('entity', 'host', 'take', clinic, '--recipient', recipient, '--reason', 'x');
    expect(unconfirmed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('repeat with --yes') });
    const taken = await call('entity', 'host', 'take', clinic, '--recipient', recipient, ...CONFIRMED);
    expect(taken.stderr).toContain(`The key ${announced}, announced to follow it, was given up.`);
    expect(taken.stderr).toMatch(/Next: the partner opens it with `.*holdfast configuration take-key`/);
    const awaited = (await call('entity', 'host', 'show', clinic)).stdout;
    expect(awaited).toContain('nothing is uploaded yet, and what was signed here last is served');
    expect(awaited).toMatch(/served until +\S+ \S+ \(in 24 h\)/);
    expect(awaited).toMatch(/handed_over +partner/);
    expect(awaited).toMatch(/removed +- +\S+ \S+ +- +-/);

    const jwe = await file('taken.jwe', taken.stdout);
    const dir = join(folder, 'clinic');
    const open = ['configuration', 'take-key', jwe, '--key', join(folder, 'recipient.json')];
    const opened = await call(...open, '--dir', dir);
    expect(opened).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('configuration init --entity') });
    expect(opened.stdout).not.toContain('"d"');
    expect(statSync(join(dir, 'private-keys.json')).mode & 0o777).toBe(0o600);
    expect(await call(...open, '--dir', dir)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('exists') });
    const printed = await json(...open, '--print');
    expect(printed).toEqual(JSON.parse(readFileSync(join(dir, 'private-keys.json'), 'utf8')));
    const settings = ['--superior', serviceUrl, '--metadata', metadata, '--dir', dir];
    expect((await json('configuration', 'init', '--entity', clinic, ...settings)).jwks.keys[0].kid).toBe(
      printed.keys[0].kid,
    );
    expect((await json('configuration', 'sign', '--dir', dir)).kid).toBe(printed.keys[0].kid);
    const now = Math.floor(Date.now() / 1000) + 5;
    const { jwt: own } = await signConfiguration({ dir, allowHttp: true, now }, { stdin: inputOf('') });
    await json('entity', 'host', 'upload', clinic, await file('configuration.jwt', `${own}\n`));
    expect(await configuration()).toBe(own);
    expect((await call('entity', 'host', 'show', clinic)).stdout).toContain('by itself; it uploads them');
    const stopped = await call('entity', 'host', 'stop', clinic, ...CONFIRMED);
    expect(stopped).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('under our own host name') });
  });

  it('says of a configuration that is signed with a key which nobody brought: bring it first', async () => {
    const metadata = await file('metadata.json', METADATA);
    const dentist = `http://hosted.localhost:${port}/dentist`;
    await json('entity', 'add', dentist, '--organisation', 'Clinic', '--hosted', metadata);
    await json('entity', 'approve', dentist, ...CONFIRMED);
    const dir = join(folder, 'dentist');
    const settings = ['--superior', serviceUrl, '--metadata', metadata, '--dir', dir];
    await json('configuration', 'init', '--entity', dentist, ...settings);
    const { jwt, kid } = await json('configuration', 'sign', '--dir', dir);
    const uploaded = await call('entity', 'host', 'upload', dentist, await file('unknown.jwt', jwt));
    const complaint = `configuration is signed with the key ${kid}, which is not registered; bring it first`;
    expect(uploaded).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`error: ${complaint}`) });
    expect(uploaded.stderr.match(/is signed with/g)).toHaveLength(1);

    // Which authority a challenge is for is told by who has enrolled the entity.
    await json('authority', 'add', `${serviceUrl}/lower`, '--name', 'Lower', '--superior', serviceUrl);
    expect((await call('entity', 'challenge', dentist)).stderr).toContain(`--authority ${serviceUrl}\n`);
    const elsewhere = await call('entity', 'challenge', 'https://nobody.example');
    expect(elsewhere).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Say which one') });

    const shown = (await call('entity', 'show', dentist)).stdout;
    expect(shown).toMatch(/organisation +Clinic\n/);
    expect(shown).toMatch(new RegExp(`authority +${serviceUrl}\\n`));
    expect((await call('organisation', 'list')).stdout).toMatch(new RegExp(`Clinic +active.* ${serviceUrl}\\n`));
  });

  describe('take', () => {
    // Whatever is sent comes to nothing: nobody listens there.
    const nobody = { HOLDFAST_URL: 'http://127.0.0.1:1', HOLDFAST_TOKEN: 'a-token' };
    const take = async (content: unknown) => {
      const args = ['--recipient', await file('recipient-file.json', content), '--reason', 'moves out', '--yes'];
      return await callHoldfast(['entity', 'host', 'take', 'https://hosted.example/clinic', ...args], { env: nobody });
    };
    const privateJwk = async () => {
      const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
      return await exportJWK(privateKey);
    };

    it.each([
      ['a private key', (jwk: JWK) => jwk],
      ['a set with a private key', (jwk: JWK) => ({ keys: [jwk] })],
    ])('refuses %s without sending it anywhere', async (_, contentOf) => {
      const jwk = await privateJwk();
      const { exitCode, stderr } = await take(contentOf(jwk));
      expect(exitCode).toBe(2);
      expect(stderr).toContain('nobody but its owner may have: nothing was sent');
      expect(stderr).toContain('Give the public half alone');
      expect(stderr).not.toContain(String(jwk.d));
    });

    it.each([
      ['a JWK Set', { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] }, 'one public JWK alone'],
      ['a signing key', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }, 'a public key to encrypt to, on P-256'],
      ['text', '"key"', 'must hold one public JWK'],
    ])('says what to give instead of %s', async (_, content, complaint) => {
      const { exitCode, stderr } = await take(content);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(complaint);
      expect(stderr).toContain('configuration recipient-key');
    });
  });
});

describe('holdfast configuration take-key', () => {
  it('says whose key it needs, and never what a key file holds', async () => {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const jwe = await new CompactEncrypt(new TextEncoder().encode('{"kty":"EC"}'))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'theirs' })
      .encrypt(pair.publicKey);
    const [taken, other] = [await file('other.jwe', jwe), join(folder, 'other.json')];
    await call('configuration', 'recipient-key', '--out', other);
    const takeKey = (key: string, ...more: string[]) => call('configuration', 'take-key', taken, '--key', key, ...more);
    const unopened = await takeKey(other, '--print');
    expect(unopened).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('the key theirs') });
    const open = await file('open.json', await exportJWK(pair.privateKey));
    expect(await takeKey(open, '--print')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('chmod 600') });
    chmodSync(open, 0o600);
    expect(await takeKey(open, '--print')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no private key'),
    });
    expect(await takeKey(other)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--dir FOLDER, or --print'),
    });
    const none = await call('configuration', 'take-key', other, '--key', other, '--print');
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('holds no JWE') });
    expect(none.stderr + unopened.stderr).not.toContain(JSON.parse(readFileSync(other, 'utf8')).d);
  });
});
