import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FreshConfiguration } from '../../src/cli/configuration/fresh-configuration.ts';
import { checkKeyProofs } from '../../src/enrolment/key-proof.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import { validateEntityConfiguration } from '../../src/federation/statement/validate-statement.ts';
import { callHoldfast, freePort, runHoldfast, startHoldfast } from '../support/cli.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

const ENTITY = 'https://rp.example.edu/app' as EntityIdentifier;
const SUPERIOR = 'https://fed.example.org';
const PRIVATE_MEMBER = /"(?:d|p|q|dp|dq|qi)":/;

let folder: TemporaryFolder;
let dir: string;

beforeEach(() => {
  folder = new TemporaryFolder();
  dir = folder.at('rp');
});
afterEach(() => folder[Symbol.dispose]());

async function init(...args: string[]): Promise<void> {
  const superior = args.includes('--superior') ? [] : ['--superior', SUPERIOR];
  const entity = args.includes('--entity') ? [] : ['--entity', ENTITY];
  const { exitCode, stderr } = await callHoldfast([
    'configuration',
    'init',
    ...entity,
    ...superior,
    '--dir',
    dir,
    ...args,
  ]);
  expect(exitCode, stderr).toBe(0);
}

/** Changes what stands in configuration.json, as a person would. */
function edit(changes: Record<string, unknown>): void {
  const file = join(dir, 'configuration.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
}

const now = (): number => Math.floor(Date.now() / 1000);

describe('configuration init', () => {
  it('makes keys for the owner alone and settings to edit', async () => {
    const args = ['--entity', ENTITY, '--superior', SUPERIOR, '--type', 'openid_relying_party', '--name', 'Example'];
    const { exitCode, stdout } = await runHoldfast(['configuration', 'init', ...args, '--dir', dir, '--json']);
    expect(exitCode).toBe(0);
    expect(stdout).not.toMatch(PRIVATE_MEMBER);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'private-keys.json')).mode & 0o777).toBe(0o600);
    const settings = JSON.parse(readFileSync(join(dir, 'configuration.json'), 'utf8'));
    expect(settings).toMatchObject({ entity: ENTITY, authority_hints: [SUPERIOR], lifetimeSeconds: 86_400 });
    expect(settings.metadata.federation_entity).toEqual({ organization_name: 'Example' });
    expect(settings.metadata.openid_relying_party.redirect_uris).toEqual([`${ENTITY}/callback`]);
    const [key] = JSON.parse(readFileSync(join(dir, 'private-keys.json'), 'utf8')).keys;
    expect(JSON.parse(stdout).jwks.keys[0]).toMatchObject({ kid: key.kid, alg: 'ES256', use: 'sig', x: key.x });
  });

  it('keeps keys that are there without settings', async () => {
    await init();
    const before = readFileSync(join(dir, 'private-keys.json'), 'utf8');
    rmSync(join(dir, 'configuration.json'));
    await init();
    expect(readFileSync(join(dir, 'private-keys.json'), 'utf8')).toBe(before);
    expect((await callHoldfast(['configuration', 'sign', '--dir', dir])).exitCode).toBe(0);
  });

  it('never overwrites what is there', async () => {
    await init();
    const before = readFileSync(join(dir, 'private-keys.json'), 'utf8');
    const { exitCode, stderr } = await callHoldfast(['configuration', 'init', '--entity', ENTITY, '--dir', dir]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('exists already');
    expect(readFileSync(join(dir, 'private-keys.json'), 'utf8')).toBe(before);
  });

  it.each(['ES384', 'Ed25519', 'PS256'])('makes a %s key that signs', async (alg) => {
    await init('--alg', alg);
    const { stdout } = await callHoldfast(['configuration', 'sign', '--dir', dir]);
    const { header } = await validateEntityConfiguration(stdout.trim(), ENTITY, { now: now() });
    expect(header.alg).toBe(alg);
  });

  it('takes metadata of one type or of all from a file or standard input', async () => {
    const command = ['configuration', 'init', '--entity', ENTITY, '--metadata', '-', '--dir'];
    const stdin = '{"client_name":"x"}';
    await callHoldfast([...command, dir, '--type', 'openid_relying_party'], { stdin });
    const all = folder.at('all');
    await callHoldfast([...command, all], { stdin: `{"oauth_client":${stdin}}` });
    const metadata = [dir, all].map(
      (path) => JSON.parse(readFileSync(join(path, 'configuration.json'), 'utf8')).metadata,
    );
    expect(metadata).toEqual([{ openid_relying_party: { client_name: 'x' } }, { oauth_client: { client_name: 'x' } }]);
  });

  it('keeps the private keys out of a repository, beside what is ignored already', async () => {
    await init();
    expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('private-keys.json\n');
    rmSync(join(dir, 'private-keys.json'));
    rmSync(join(dir, 'configuration.json'));
    writeFileSync(join(dir, '.gitignore'), '*.log');
    await init();
    expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('*.log\nprivate-keys.json\n');
  });

  it.each([
    ['http://localhost:9191/rp', ' --listen 127.0.0.1:9191\n'],
    ['http://[::1]:9191', ' --listen [::1]:9191\n'],
    ['https://rp.example.edu', '/rp\n'],
  ])('tells how to serve %s next', async (entity, end) => {
    const { stderr } = await callHoldfast(['configuration', 'init', '--entity', entity, '--dir', dir]);
    expect(stderr).toContain(`holdfast configuration sign --dir ${dir} --out WEB_ROOT`);
    expect(stderr).toContain(`holdfast configuration serve --dir ${dir}`);
    expect(stderr.endsWith(end)).toBe(true);
  });

  it('refuses http beyond loopback unless it is allowed', async () => {
    const command = ['configuration', 'init', '--entity', 'http://rp.internal', '--dir', dir];
    const refused = await callHoldfast(command);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('--allow-http');
    expect((await callHoldfast([...command, '--allow-http'])).exitCode).toBe(0);
  });
});

describe('configuration sign', () => {
  it('writes the well-known file', async () => {
    await init('--type', 'openid_provider', '--entity', 'https://op.example.edu');
    const entity = 'https://op.example.edu' as EntityIdentifier;
    const web = folder.at('web/');
    const { exitCode, stdout } = await runHoldfast(['configuration', 'sign', '--dir', dir, '--out', web, '--json']);
    expect(exitCode).toBe(0);
    const file = folder.at('web/.well-known/openid-federation');
    const url = 'https://op.example.edu/.well-known/openid-federation';
    expect(JSON.parse(stdout)).toMatchObject({ entity, url, file });
    const { claims } = await validateEntityConfiguration(readFileSync(file, 'utf8'), entity, { now: now() });
    expect(claims).toMatchObject({ iss: entity, sub: entity, authority_hints: [SUPERIOR] });
    expect(claims.exp - claims.iat).toBe(86_400);
    expect(JSON.stringify(claims)).not.toMatch(PRIVATE_MEMBER);

    await callHoldfast(['configuration', 'sign', '--dir', dir, '--out', folder.at('web')]);
    await callHoldfast(['configuration', 'sign', '--dir', dir, '--out', folder.at('web/.well-known')]);
    await callHoldfast(['configuration', 'sign', '--dir', dir, '--out', folder.at('elsewhere')]);
    expect(readFileSync(folder.at('elsewhere'), 'utf8')).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('carries additional claims, critical ones too', async () => {
    await init();
    edit({ additionalClaims: { crit: ['assurance'], assurance: 'high' } });
    const { stdout } = await callHoldfast(['configuration', 'sign', '--dir', dir]);
    const options = { now: now(), understoodClaims: new Set(['assurance']) };
    expect((await validateEntityConfiguration(stdout.trim(), ENTITY, options)).claims.assurance).toBe('high');
  });

  it.each([
    [{ metadata: { federation_entity: { jwks: { keys: [] } } } }, '/metadata/federation_entity/jwks'],
    [{ metadata: { openid_provider: { issuer: 'https://other.example' } } }, '/metadata/openid_provider/issuer'],
    [{ metadata: { openid_relying_party: null } }, '/metadata/openid_relying_party'],
    [{ authority_hints: [] }, '/authority_hints'],
    [{ authority_hints: ['ftp://fed.example.org'] }, '/authority_hints/0'],
    [{ entity: 'https://rp.example.edu#x' }, '/iss'],
    [{ lifetimeSeconds: 90 * 86_400 + 1 }, '/lifetimeSeconds'],
    [{ additionalClaims: { metadata_policy: {} } }, '/metadata_policy'],
    [{ authorityHints: [SUPERIOR] }, 'authorityHints'],
  ])('signs nothing that others would refuse: %j', async (changes, place) => {
    await init();
    edit(changes);
    const { exitCode, stdout, stderr } = await callHoldfast(['configuration', 'sign', '--dir', dir]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(place);
  });

  it('refuses private keys that others can read', async () => {
    await init();
    await chmod(join(dir, 'private-keys.json'), 0o644);
    const { exitCode, stderr } = await callHoldfast(['configuration', 'sign', '--dir', dir]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('chmod 600');
  });

  it.each([
    ['not JSON {"d":"secret-part"'],
    ['{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"AA","y":"AA","d":"secret-part"}]}'],
    ['{"keys":[{"kty":"oct","kid":"k","k":"secret-part"}]}'],
    ['{"keys":"secret-part"}'],
    ['{"keys":[]}'],
  ])('names a bad key file and never quotes it: %s', async (content) => {
    await init();
    writeFileSync(join(dir, 'private-keys.json'), content);
    const { exitCode, stderr } = await callHoldfast(['configuration', 'sign', '--dir', dir]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('private-keys.json');
    expect(stderr).not.toContain('secret-part');
  });
});

describe('configuration serve', () => {
  it('[OIDFED-9-1] [OIDFED-9-3] publishes with the exact media type, for GET and HEAD only', async () => {
    const port = await freePort();
    const entity = `http://127.0.0.1:${port}/rp` as EntityIdentifier;
    await init('--entity', entity);
    const listen = `127.0.0.1:${port}`;
    await using serving = await startHoldfast(['configuration', 'serve', '--dir', dir, '--listen', listen]);
    const url = `${entity}/.well-known/openid-federation`;
    expect(serving.ready).toEqual({ entity, url, listening: `http://${listen}` });

    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('application/entity-statement+jwt');
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
    const jwt = await response.text();
    const { claims } = await validateEntityConfiguration(jwt, entity, { now: now() });
    expect(claims.authority_hints).toEqual([SUPERIOR]);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(jwt.length), '']);
    const post = await fetch(url, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`http://${listen}/.well-known/openid-federation`)).status).toBe(404);

    edit({ authority_hints: ['https://other.example.org'] });
    const edited = await validateEntityConfiguration(await (await fetch(url)).text(), entity, { now: now() });
    expect(edited.claims.authority_hints).toEqual(['https://other.example.org']);
    expect(await serving.stop()).toBe(0);
  });

  it('tells others for how long to go by what they got, even not at all', async () => {
    const port = await freePort();
    const entity = `http://127.0.0.1:${port}/rp`;
    await init('--entity', entity);
    const command = ['configuration', 'serve', '--dir', dir, '--listen', `127.0.0.1:${port}`, '--max-age'];
    await using _serving = await startHoldfast([...command, '0']);
    const found = await fetch(`${entity}/.well-known/openid-federation`);
    expect(found.headers.get('cache-control')).toBe('public, max-age=0');
    const missing = await fetch(`${entity}/elsewhere`);
    expect([missing.status, missing.headers.get('cache-control')]).toEqual([404, null]);
    expect((await runHoldfast([...command, '-1'])).exitCode).toBe(2);
  });

  it('F04 shows the challenges of enrolments that prove the domain, from the moment when the file is there', async () => {
    const port = await freePort();
    await init('--entity', `http://127.0.0.1:${port}/rp`);
    const command = ['configuration', 'serve', '--dir', dir, '--listen', `127.0.0.1:${port}`];
    await using _serving = await startHoldfast(command);
    const url = `http://127.0.0.1:${port}/.well-known/holdfast-domain-challenge`;
    expect((await fetch(url)).status).toBe(404);
    writeFileSync(join(dir, 'domain-challenge'), 'first\nsecond\n');
    const shown = await fetch(url);
    expect([shown.status, await shown.text()]).toEqual([200, 'first\nsecond\n']);
    expect(shown.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  it('does not start on settings that cannot be signed, or where somebody listens already', async () => {
    const port = await freePort();
    await init('--entity', `http://127.0.0.1:${port}/rp`);
    const command = ['configuration', 'serve', '--dir', dir, '--listen', `127.0.0.1:${port}`];
    await using _first = await startHoldfast(command);
    const second = await runHoldfast(command);
    expect(second.exitCode).toBe(2);
    expect(second.stderr).toContain('cannot listen');
    edit({ metadata: [] });
    expect((await runHoldfast(command)).exitCode).toBe(2);
  });
});

describe('a configuration that is kept fresh', () => {
  const START = 1_800_000_000;

  async function keptFresh() {
    await init('--lifetime', '1000');
    const warnings: string[] = [];
    const clock = { now: START };
    const fresh = new FreshConfiguration({
      dir,
      allowHttp: false,
      stdin: process.stdin,
      now: () => clock.now,
      warn: (message) => warnings.push(message),
    });
    return { fresh, clock, warnings };
  }

  it('is signed anew at half of its lifetime, and not before', async () => {
    const { fresh, clock } = await keptFresh();
    const first = await fresh.current();
    clock.now = START + 499;
    expect((await fresh.current()).jwt).toBe(first.jwt);
    clock.now = START + 500;
    expect((await fresh.current()).expiresAt).toBe(START + 1500);
  });

  it('is signed once, however many ask at the same time', async () => {
    const { fresh } = await keptFresh();
    const all = await Promise.all(Array.from({ length: 10 }, () => fresh.current()));
    expect(new Set(all.map(({ jwt }) => jwt)).size).toBe(1);
  });

  it('survives an edit that cannot be signed for as long as it is good, and says so once', async () => {
    const { fresh, clock, warnings } = await keptFresh();
    const first = await fresh.current();
    edit({ metadata: 7 });
    clock.now = START + 999;
    expect((await fresh.current()).jwt).toBe(first.jwt);
    expect((await fresh.current()).jwt).toBe(first.jwt);
    expect(warnings).toHaveLength(1);
    clock.now = START + 1000;
    await expect(fresh.current()).rejects.toThrow('configuration.json is not right');
    edit({ metadata: {} });
    expect((await fresh.current()).issuedAt).toBe(START + 1000);
  });
});

describe('configuration prove', () => {
  it('answers a challenge with a proof by every key', async () => {
    await init();
    const second = folder.at('second');
    await callHoldfast(['configuration', 'init', '--entity', ENTITY, '--dir', second, '--alg', 'Ed25519']);
    const keys = [dir, second].flatMap(
      (path) => JSON.parse(readFileSync(join(path, 'private-keys.json'), 'utf8')).keys,
    );
    writeFileSync(join(dir, 'private-keys.json'), JSON.stringify({ keys }));

    const command = ['configuration', 'prove', '--dir', dir, '--challenge', 'c-1', '--authority', SUPERIOR];
    const { exitCode, stdout } = await runHoldfast(command);
    expect(exitCode).toBe(0);
    expect(stdout).not.toMatch(PRIVATE_MEMBER);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ entityIdentifier: ENTITY, challenge: 'c-1' });
    expect(answer.jwks.keys).toHaveLength(2);
    const expected = { entityIdentifier: ENTITY, authorityIdentifier: SUPERIOR, challenge: 'c-1' };
    await checkKeyProofs(answer.keyProofs, answer.jwks as JwkSet, expected);
    const other = { ...expected, challenge: 'c-2' };
    await expect(checkKeyProofs(answer.keyProofs, answer.jwks as JwkSet, other)).rejects.toThrow('nonce');
  });
});
