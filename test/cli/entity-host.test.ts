import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type CryptoKey, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimsOf } from '../support/answers.ts';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, startHoldfast } from '../support/cli.ts';
import { signJwt } from '../support/keys.ts';

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
  service = await startHoldfast(['serve'], {
    env: {
      PORT: String(port),
      HOLDFAST_HOSTED_BASE_URL: `http://hosted.localhost:${port}`,
      HOLDFAST_DATA_DIR: join(folder, 'data'),
      HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
    },
  });
  await json('organisation', 'add', 'Clinic');
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

describe('holdfast entity host', () => {
  it('takes a partner without a web server in, and out again with its key', async () => {
    const metadata = await file('metadata.json', METADATA);
    const added = await json('entity', 'add', clinic, '--organisation', 'Clinic', '--hosted', metadata);
    expect(added).toMatchObject({ enrolment: 'hosted', state: 'pending' });
    await json('entity', 'approve', clinic, ...CONFIRMED);
    expect(claimsOf(await configuration())).toMatchObject({ sub: clinic, metadata: METADATA });

    const renamed = { openid_relying_party: { client_name: 'Surgery' } };
    await json('entity', 'host', 'update', clinic, '--metadata', await file('renamed.json', renamed));
    expect(claimsOf(await configuration())).toMatchObject({ metadata: renamed });

    const shown = (await call('entity', 'host', 'show', clinic)).stdout;
    expect(shown).toContain('here, with the key kept for it');
    expect(shown).toMatch(/active +sealed/);
    const rolled = await call('entity', 'host', 'roll', clinic);
    expect(rolled.stdout).toMatch(/announced +sealed/);

    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const recipient = await file('key.json', { ...(await exportJWK(pair.publicKey)), kid: 'theirs' });
    const unconfirmed = await call('entity', 'host', 'take', clinic, '--recipient', recipient, '--reason', 'x');
    expect(unconfirmed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('repeat with --yes') });
    const taken = await json('entity', 'host', 'take', clinic, '--recipient', recipient, ...CONFIRMED);
    const { plaintext } = await compactDecrypt(taken.jwe, pair.privateKey);
    const privateJwk = { ...JSON.parse(new TextDecoder().decode(plaintext)), kid: taken.kid };
    const { d: _, ...jwk } = privateJwk;
    const privateKey = (await importJWK(privateJwk, 'ES256')) as CryptoKey;

    const iat = Math.floor(Date.now() / 1000) + 5;
    const own = await signJwt({ alg: 'ES256', kid: taken.kid, privateKey, jwk, privateJwk }, 'entity-statement+jwt', {
      ...{ iss: clinic, sub: clinic, iat, exp: iat + 3600, metadata: METADATA },
      jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig' }] },
      authority_hints: [serviceUrl],
    });
    await json('entity', 'host', 'upload', clinic, await file('configuration.jwt', `${own}\n`));
    expect(await configuration()).toBe(own);
    expect((await call('entity', 'host', 'show', clinic)).stdout).toContain('by itself; it uploads them');
    const stopped = await call('entity', 'host', 'stop', clinic, ...CONFIRMED);
    expect(stopped).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('under our own host name') });
  });
});
