import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate, chainOf, ecKey, pem } from '../support/certificates.ts';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';
import { clientCertificate, publicJwk } from '../support/credentials.ts';

let folder: string;
let service: RunningCommand;
let env: Record<string, string>;

const BANK = 'Example Bank Ltd';
const APP = 'http://localhost:9/app';
const CONFIRMED = ['--reason', 'ticket 4711', '--yes'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-credentials-'));
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
  // It is recorded although nobody publishes anything there.
  await call('entity', 'add', APP, '--organisation', BANK);
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

async function json(...args: string[]) {
  return JSON.parse(await done(...args, '--json'));
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('holdfast credential', () => {
  it('adds a certificate, finds it by its fingerprint as openssl shows it, and gives it back', async () => {
    const chain = pem(...chainOf());
    const shown = await done(
      'credential',
      'add',
      APP,
      '--usage',
      'transport',
      '--certificate',
      await file('a.pem', chain),
    );
    expect(shown).toMatch(/entity +http:\/\/localhost:9\/app, pending\n/);
    expect(shown).toMatch(/counts +no: organisation_pending\n/);
    expect(shown).toMatch(/issuer +CN=Test CA\n/);
    const [, fingerprint = ''] = /SHA-256 +((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\n/.exec(shown) ?? [];
    expect(await done('credential', 'show', `sha256 Fingerprint=${fingerprint}`)).toBe(shown);
    expect(await done('credential', 'show', fingerprint, '--pem')).toBe(chain);
    const listed = await done('credential', 'list', '--fingerprint', fingerprint, '--entity', APP);
    expect(listed).toMatch(/transport +active +no: organisation_pending +live, production +2036-01-01/);
    expect(await done('credential', 'list', '--live')).toBe('(none)\n');
  });

  it('takes DER and keys, replaces, holds, releases and revokes', async () => {
    const der = await file('b.der', certificate());
    const old = await json('credential', 'add', APP, '--usage', 'signing', '--certificate', der);
    const jwk = await file('c.json', JSON.stringify(publicJwk().jwk));
    const next = await json('credential', 'replace', old.id, '--jwk', jwk, '--not-after', '2099-01-01');
    expect(next).toMatchObject({ kind: 'jwk', usage: 'signing', supersedes: old.id, state: 'active' });
    expect(await json('credential', 'show', old.id)).toMatchObject({ state: 'superseded' });
    expect(await done('credential', 'hold', next.id, ...CONFIRMED)).toMatch(/is on_hold now\.\n$/);
    expect(await done('credential', 'release', next.id, ...CONFIRMED)).toMatch(/is active now\.\n$/);
    const code = ['--reason-code', 'key_compromise'];
    expect(await json('credential', 'revoke', next.id, ...code, ...CONFIRMED)).toMatchObject({
      ...{ state: 'revoked', revocationReason: 'key_compromise' },
    });
    const audit = await done('audit', '--all');
    expect(audit).toMatch(/credential\.revoke +\S+ +ticket 4711/);
    expect(audit).toContain('CN=client.partner.example, O=Partner Ltd');
  });

  it('takes a certificate from a member who shows that he has its key', async () => {
    const key = ecKey();
    const pemOf = key.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
    const [secret, jwk] = [
      await file('d.key', pemOf),
      await file('d.jwk', JSON.stringify(key.privateKey.export({ format: 'jwk' }))),
    ];
    const { items } = await json('authority', 'list');
    const where = [APP, '--authority', items[0].entityIdentifier, '--key'];
    const open = await call('credential', 'prove', ...where, secret);
    expect([open.exitCode, open.stderr.includes(`chmod 600 ${secret}`)]).toEqual([2, true]);
    await Promise.all([chmod(secret, 0o600), chmod(jwk, 0o600)]);
    const token = await json('token', 'create', '--name', 'Tim', '--role', 'technical-contact', '--organisation', BANK);
    const certificateFile = await file('d.pem', clientCertificate(key).certificate);
    const add = ['credential', 'add', APP, '--usage', 'transport', '--certificate', certificateFile];
    const asMember = (...args: string[]) => callHoldfast(args, { env: { ...env, HOLDFAST_TOKEN: token.secret } });
    const without = await asMember(...add);
    expect([without.exitCode, without.stderr.includes('holdfast credential prove')]).toEqual([1, true]);
    const proof = (await done('credential', 'prove', ...where, secret)).trim();
    expect((await asMember(...add, '--proof', proof)).stdout).toMatch(/possession +proven\n/);
    const next = ['--certificate', await file('e.pem', clientCertificate(key, 2).certificate)];
    const { proof: second } = await json('credential', 'prove', ...where, jwk);
    const added = await asMember('credential', 'add', APP, '--usage', 'signing', ...next, '--proof', second);
    expect(added.exitCode).toBe(0);
  });

  it('sends no private key, and nothing that is no certificate', async () => {
    const secret = ecKey().privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
    const lines = secret.split('\n');
    for (const [name, content, code] of [
      ['key.pem', secret, 'private_key'],
      ['both.pem', clientCertificate().certificate + secret, 'private_key'],
      ['noise.pem', 'x', 'certificate_malformed'],
    ] as const) {
      const command = ['credential', 'add', APP, '--usage', 'transport', '--certificate', await file(name, content)];
      // Nobody listens there: it is refused before anything is sent.
      const { exitCode, stderr } = await callHoldfast([...command, '--json'], {
        env: { ...env, HOLDFAST_URL: 'http://localhost:1' },
      });
      expect([exitCode, JSON.parse(stderr).error.code]).toEqual([2, code]);
      expect(stderr).not.toContain(lines[1]);
    }
    const jwk = await file('private.json', JSON.stringify(ecKey().privateKey.export({ format: 'jwk' })));
    const { exitCode, stderr } = await call('credential', 'add', APP, '--usage', 'signing', '--jwk', jwk);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('holds a private key')]);
  });
});

describe('holdfast trust-list', () => {
  it('puts an authority on the list, tells what has no path to it, and takes it off', async () => {
    const [leaf, authority] = chainOf();
    const ca = await file('ca.der', authority);
    const chain = await file('all.pem', pem(authority, leaf));
    const refused = await call('trust-list', 'add', chain, '--purpose', 'transport', '--json');
    expect([refused.exitCode, JSON.parse(refused.stderr).error.code]).toEqual([2, 'trailing_data']);
    const entry = await json('trust-list', 'add', ca, '--purpose', 'transport', '--name', 'Example CA');
    expect(entry).toMatchObject({ purpose: 'transport', name: 'Example CA', subject: 'CN=Test CA' });
    const add = async (...chain: Uint8Array[]) =>
      [
        'credential',
        'add',
        APP,
        '--usage',
        'transport',
        '--certificate',
        await file('chain.pem', pem(...chain)),
      ] as const;
    const made = await json(...(await add(leaf, authority)));
    expect(await done('credential', 'show', made.id)).toMatch(/path to the trust list +to ([0-9A-F]{2}:){31}/);
    const shown = await done('trust-list', 'list', '--purpose', 'transport');
    expect(shown).toMatch(/Example CA.*\n\nCredentials below the list\n.*\n.*whatever is registered +\d+ +\d+\n$/);
    const { coverage } = await json('trust-list', 'list', '--purpose', 'transport');
    // Nobody approved the entity, so nothing of it counts.
    expect(coverage).toEqual([expect.objectContaining({ isListed: false, live: 0, withoutPath: 0 })]);
    const { items } = await json('authority', 'list');
    const update = ['authority', 'update', items[0].id] as const;
    expect((await call(...update, '--listed-purposes', 'encryption')).exitCode).toBe(2);
    const updated = await done(...update, '--listed-purposes', 'transport,signing');
    expect(updated).toMatch(/only listed authorities for +signing, transport\n/);
    const stranger = await call(...(await add(...chainOf())), '--json');
    expect([stranger.exitCode, JSON.parse(stranger.stderr).error.code]).toEqual([1, 'chain_untrusted']);
    expect((await json(...update, '--listed-purposes', 'none')).listedPurposes).toEqual([]);
    const fingerprint = /SHA-256 +(\S+)/.exec(await done('trust-list', 'show', 'Example CA'))?.[1] ?? '';
    expect(await done('trust-list', 'remove', fingerprint, '--yes')).toBe('Example CA is removed.\n');
    expect((await call('trust-list', 'show', entry.id)).exitCode).toBe(1);
  });
});
