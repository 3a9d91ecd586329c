import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/certificate-paths.ts';
import { pem } from '../support/certificates.ts';
import { certified } from '../support/certification-authorities.ts';
import { type CommandOutcome, callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let service: RunningCommand;
let env: Record<string, string>;

const PASSPHRASE = 'correct horse battery staple';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-ca-'));
  const port = await freePort();
  env = {
    HOLDFAST_URL: `http://localhost:${port}`,
    HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes',
    HOLDFAST_ROOT_PASSPHRASE: PASSPHRASE,
  };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
  });
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const call = (args: string[], changes: Record<string, string> = {}): Promise<CommandOutcome> =>
  callHoldfast(['ca', ...args], { env: { ...env, ...changes } });

/** Runs a command that has to succeed. @returns what it said to people */
async function done(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await call(args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

async function json(...args: string[]) {
  return JSON.parse(await done(...args, '--json'));
}

/** Exit code and words of a command that is refused; neither passphrase nor key are among these. */
async function refused(args: string[], changes: Record<string, string> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await call(args, changes);
  expect(exitCode, stdout).not.toBe(0);
  expect(stdout + stderr).not.toContain(PASSPHRASE);
  expect(stdout + stderr).not.toContain('PRIVATE KEY-----');
  return `${exitCode} ${stderr}`;
}

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

let made = 0;

/** One that waits for the certificate of a root that holdfast does not have. */
async function waiting() {
  const name = `Waiting ${++made}`;
  const request = join(folder, `request-${made}.pem`);
  const record = await json('init', name, '--request', request);
  return { ...record, requestFile: request };
}

/** What a foreign root gives for the request, as openssl or another tool would. */
function issuedBy(
  issuer: ReturnType<typeof root>,
  { request, name }: { request: string; name: string },
  notAfter?: string,
) {
  const spki = execFileSync('openssl', ['req', '-pubkey', '-noout'], { input: request });
  const publicJwk = createPublicKey(spki).export({ format: 'jwk' }) as Record<string, string>;
  return certified({ publicJwk, name }, issuer, notAfter === undefined ? {} : { notAfter });
}

describe('holdfast ca init --root', () => {
  it('[F20] makes a root in a folder of its own, has the key of the service certified by it, and openssl believes the chain', async () => {
    const rootFolder = join(folder, 'root');
    const shown = await done('init', 'Issuing CA', '--root', rootFolder, '--public-url', 'http://ca.example');
    expect(shown).toMatch(/state +active\n/);
    expect(shown).toMatch(/key +ES256, in the database, sealed under the master key\n/);
    expect(shown).toMatch(/not listed for +transport, signing\n/);
    expect(shown).toContain('holdfast trust-list add root.pem --purpose transport --authority ');
    const record = await json('show', 'issuing ca');
    expect(record).toMatchObject({ state: 'active', subject: expect.stringContaining('CN=Issuing CA') });
    const chain = await file('chain.pem', record.certificate);
    const rootFile = join(rootFolder, 'root.pem');
    const verified = execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', rootFile, chain]);
    expect(verified.toString()).toBe(`${chain}: OK\n`);
    const text = execFileSync('openssl', ['x509', '-noout', '-text', '-in', chain]).toString();
    expect(text).toMatch(/X509v3 Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/X509v3 Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
    const years = (Date.parse(record.notAfter) - Date.now()) / (365.25 * 86_400_000);
    expect([years > 9.99, years < 10]).toEqual([true, true]);
  });

  it('keeps the key of the root under its passphrase, for its owner alone; the service never has it', async () => {
    const rootFolder = join(folder, 'kept');
    await done('init', 'Kept CA', '--root', rootFolder, '--root-name', 'Kept Root', '--root-alg', 'ES256');
    const key = readFileSync(join(rootFolder, 'root.key'), 'utf8');
    expect(key).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    expect([statSync(rootFolder).mode & 0o777, statSync(join(rootFolder, 'root.key')).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
    expect((await readdir(rootFolder)).toSorted()).toEqual(['root.key', 'root.pem']);
    const opened = (passphrase: string) =>
      execFileSync('openssl', ['pkey', '-in', join(rootFolder, 'root.key'), '-passin', 'stdin', '-pubout'], {
        input: passphrase,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
    const certificate = new X509Certificate(readFileSync(join(rootFolder, 'root.pem')));
    expect(opened(PASSPHRASE).toString()).toBe(certificate.publicKey.export({ format: 'pem', type: 'spki' }));
    expect(() => opened('another passphrase')).toThrow();
    expect(certificate.subject).toContain('CN=Kept Root');
  });

  it('uses the root that is there for the next one, and writes nothing over', async () => {
    const rootFolder = join(folder, 'again');
    await done('init', 'First of two', '--root', rootFolder);
    const before = readFileSync(join(rootFolder, 'root.key'), 'utf8');
    const second = await json('init', 'Second of two', '--root', rootFolder, '--alg', 'ES384', '--years', '2');
    expect(second).toMatchObject({ state: 'active', alg: 'ES384' });
    expect(readFileSync(join(rootFolder, 'root.key'), 'utf8')).toBe(before);
    expect(Date.parse(second.notAfter)).toBeLessThan(Date.now() + 2.01 * 365.25 * 86_400_000);
  });

  it('takes the passphrase from a file that others cannot read', async () => {
    const passphrase = await file('passphrase', `${PASSPHRASE}\n`);
    const args = ['init', 'From file', '--root', join(folder, 'from-file'), '--passphrase-file', passphrase];
    await chmod(passphrase, 0o644);
    expect(await refused(args, { HOLDFAST_ROOT_PASSPHRASE: '' })).toContain('is open to every user of this machine');
    await chmod(passphrase, 0o600);
    const { exitCode, stderr } = await call(args, { HOLDFAST_ROOT_PASSPHRASE: '' });
    expect(exitCode, stderr).toBe(0);
  });

  it.each<[string, () => Promise<string>, Record<string, string>, string]>([
    ['without a passphrase', async () => 'none', { HOLDFAST_ROOT_PASSPHRASE: '' }, 'the root needs a passphrase'],
    ['with a short one', async () => 'none', { HOLDFAST_ROOT_PASSPHRASE: 'short' }, 'has at least 16 characters'],
    ['in a folder that others can look into', open, {}, 'is open to others on this machine; run: chmod 700'],
    [
      'with another passphrase than its own',
      rootThere,
      { HOLDFAST_ROOT_PASSPHRASE: 'x'.repeat(20) },
      'the passphrase does not open',
    ],
    ['whose key file others can read', readable, {}, 'is open to others on this machine; run: chmod 600'],
    ['whose key is in the clear', unsealed, {}, 'is no encrypted private key (PKCS #8)'],
    ['whose certificate is that of another', mixed, {}, 'is not the certificate of'],
    ['that lacks its certificate', withoutCertificate, {}, 'there is no such file'],
    ['for longer than anybody should', rootThere, { years: '40' }, 'would be valid for more than 3653 days'],
  ])(
    'is refused %s, and leaves nothing at the service that counts',
    async (_, prepare, { years, ...changes }, words) => {
      const name = `Refused ${++made}`;
      const rootFolder = join(folder, await prepare());
      const args = ['init', name, '--root', rootFolder, ...(years === undefined ? [] : ['--years', years])];
      expect(await refused(args, changes)).toContain(words);
      const { items } = await json('list', '--state', 'active', '--all');
      expect(items.map((record: { name: string }) => record.name)).not.toContain(name);
    },
  );

  it('goes on where it was interrupted', async () => {
    const { name } = await waiting();
    const rootFolder = join(folder, 'resumed');
    const { stdout, stderr } = await call(['init', name, '--root', rootFolder]);
    expect(stderr).toContain('waits for its certificate already; going on with it as it is');
    expect(stdout).toMatch(/state +active\n/);
    expect((await json('list', '--all')).items.filter((record: { name: string }) => record.name === name)).toHaveLength(
      1,
    );
  });
});

describe('holdfast ca certify', () => {
  it('has a request certified on a machine without any network, which `ca import` brings back', async () => {
    const rootFolder = await rootThere();
    const { id, name, requestFile } = await waiting();
    const chain = join(folder, `certified-${name}.pem`);
    const args = ['certify', requestFile, '--root', join(folder, rootFolder), '--out', chain];
    const { exitCode, stdout, stderr } = await call(args, { HOLDFAST_URL: 'http://localhost:1', HOLDFAST_TOKEN: '' });
    expect(exitCode, stderr).toBe(0);
    const [, kid = 'none'] = /^ +key +(\S+)$/m.exec(stdout) ?? [];
    expect(await done('show', name)).toMatch(new RegExp(`\n +kid +${kid}\n`));
    expect(await refused(args)).toContain('it exists already');
    const active = await json('import', name, chain);
    expect(active).toMatchObject({ id, state: 'active', certificate: readFileSync(chain, 'utf8') });
  });

  it('refuses what is no request, or one that was tampered with', async () => {
    const at = ['--root', join(folder, await rootThere()), '--out', join(folder, 'never.pem')];
    expect(await refused(['certify', await file('no-request.pem', 'x'), ...at])).toContain('cannot certify that');
    const { request } = await waiting();
    const der = Buffer.from(request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const letter = der.indexOf('Waiting');
    der[letter] = 'w'.charCodeAt(0);
    const tampered = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const refusal = await refused(['certify', await file('tampered.pem', tampered), ...at]);
    expect(refusal).toContain('is not signed with the key that it is for');
  });
});

describe('holdfast ca root-list', () => {
  const listed = (file: string, ...args: string[]): string =>
    execFileSync('openssl', ['crl', '-in', file, '-noout', ...args], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

  it('makes the list that servers need who check whole chains, and openssl believes it', async () => {
    const rootFolder = join(folder, await rootThere());
    const issuing = await json('init', `Listed ${++made}`, '--root', rootFolder);
    const chain = await file('listed.pem', issuing.certificate);
    const [rootFile, list] = [join(rootFolder, 'root.pem'), join(rootFolder, 'root.crl')];
    expect(await done('root-list', '--root', rootFolder)).toBe(`${list}\n`);
    expect(listed(list, '-crlnumber', '-issuer')).toMatch(/crlNumber=0x0?1\nissuer=.*Root CA/);
    const verify = () =>
      execFileSync('openssl', ['verify', '-crl_check_all', '-CAfile', rootFile, '-CRLfile', list, chain], {
        stdio: 'pipe',
      });
    expect(verify().toString()).toBe(`${chain}: OK\n`);
    await done('root-list', '--root', rootFolder, '--revoke', chain, '--reason-code', 'ca_compromise');
    expect(listed(list, '-text')).toMatch(/X509v3 CRL Reason Code: \n\s+CA Compromise/);
    expect(verify).toThrow('certificate revoked');
    // Nothing that was revoked comes off the list, and nothing stands on it twice.
    await done('root-list', '--root', rootFolder, '--revoke', chain);
    expect(listed(list, '-text').match(/Serial Number: /g)).toHaveLength(1);
    expect(listed(list, '-crlnumber')).toMatch(/^crlNumber=0x0?3\n$/);
  });

  it('refuses what is not of this root: a certificate, or the list in its folder', async () => {
    const [own, other] = [join(folder, await rootThere()), join(folder, await rootThere())];
    const args = (...more: string[]) => ['root-list', '--root', own, ...more];
    expect(await refused(args('--revoke', join(other, 'root.pem')))).toContain('is not of this root, or its own');
    expect(await refused(args('--revoke', join(own, 'root.pem')))).toContain('is not of this root, or its own');
    await done('root-list', '--root', other);
    await writeFile(join(own, 'root.crl'), readFileSync(join(other, 'root.crl')));
    expect(await refused(args())).toContain('the list of revocations in the folder is not of this root');
  });
});

describe('holdfast ca import', () => {
  it('brings the certificate of a foreign root', async () => {
    const foreign = root();
    const pending = await waiting();
    expect(await done('show', pending.id, '--request')).toBe(pending.request);
    expect(await done('show', pending.id)).toContain(`holdfast ca import ${pending.id} chain.pem`);
    const chain = pem(issuedBy(foreign, pending), foreign.der);
    const shown = await done('import', pending.name, await file('foreign.pem', chain));
    expect(shown).toMatch(/state +active\n/);
    expect(shown).toContain(`/ca/${pending.id}/ocsp\n`);
  });

  it.each<[string, (pending: { request: string; name: string }) => string, string]>([
    ['of another key', () => pem(root({ maxPathLength: 0 }).der), 'is not of the key of this certification authority'],
    [
      'upside down',
      (pending) => ((top) => pem(top.der, issuedBy(top, pending)))(root()),
      'is upside down: certificate 2',
    ],
    [
      'below a path length of 0',
      (pending) => ((top) => pem(issuedBy(top, pending), top.der))(root({ maxPathLength: 0 })),
      'the path length of certificate 2 is 0',
    ],
    [
      'that has expired',
      (pending) => ((top) => pem(issuedBy(top, pending, '260201000000Z'), top.der))(root()),
      'has expired at 2026-02-01',
    ],
    [
      'with something else in the file',
      (pending) => `${((top) => pem(issuedBy(top, pending), top.der))(root())}x`,
      'something beside certificates',
    ],
    [
      'with a private key',
      () => '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n',
      'holds a private key',
    ],
  ])('refuses a chain %s, in words that help', async (_, chain, words) => {
    const pending = await waiting();
    expect(await refused(['import', pending.id, await file('bad.pem', chain(pending))])).toContain(words);
    expect((await json('show', pending.id)).state).toBe('pending');
  });
});

describe('holdfast ca', () => {
  it('lists, updates and retires them', async () => {
    const name = 'Short-lived';
    await done('init', name, '--root', join(folder, await rootThere()), '--validity-days', 'client=90');
    const updated = await json('update', name, '--validity-days', 'server=30', '--overlap-days', '0');
    expect(updated).toMatchObject({ validityDays: { client: 90, server: 30, signing: 397 }, overlapDays: 0 });
    expect(await refused(['update', name])).toContain('there is nothing to change');
    expect(await refused(['update', name, '--validity-days', 'other=1'])).toContain(
      'the profiles are client, server, signing',
    );
    expect(await done('list', '--state', 'active')).toMatch(/active +Short-lived/);
    expect(await refused(['retire', name, '--reason', 'ticket 4711'])).toContain('repeat with --yes');
    const retired = await json('retire', name, '--reason', 'ticket 4711', '--yes');
    expect(retired.state).toBe('retired');
    expect(await refused(['init', name, '--root', 'x', '--request', 'y'])).toContain('name either --root or --request');
  });
});

/** Folders of roots that are usable, or not; each is made anew. @returns its name */
async function rootThere(): Promise<string> {
  const name = `root-${++made}`;
  const { exitCode, stderr } = await call(['init', `Of ${name}`, '--root', join(folder, name)]);
  expect(exitCode, stderr).toBe(0);
  return name;
}

async function open(): Promise<string> {
  const name = `open-${++made}`;
  await mkdir(join(folder, name));
  await chmod(join(folder, name), 0o755);
  return name;
}

async function readable(): Promise<string> {
  const name = await rootThere();
  await chmod(join(folder, name, 'root.key'), 0o644);
  return name;
}

async function unsealed(): Promise<string> {
  const name = await rootThere();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(folder, name, 'root.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  return name;
}

async function mixed(): Promise<string> {
  const name = await rootThere();
  await writeFile(join(folder, name, 'root.pem'), pem(root().der));
  return name;
}

async function withoutCertificate(): Promise<string> {
  const name = await rootThere();
  rmSync(join(folder, name, 'root.pem'));
  return name;
}
