import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callHoldfast, runHoldfast } from '../support/cli.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { signJwt, testKey } from '../support/keys.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

const clock = { now: () => Math.floor(Date.now() / 1000) };
const METHOD = 'token_endpoint_auth_method';
const policy = (operators: object) => ({ metadata_policy: { openid_relying_party: { [METHOD]: operators } } });
const metadata = { openid_relying_party: { [METHOD]: 'client_secret_basic' } };

let folder: TemporaryFolder;
let server: FederationServer;
let anchor: string[];

beforeAll(async () => {
  folder = new TemporaryFolder();
  const settings = {
    anchor: {},
    intermediate: { superiors: { anchor: policy({ one_of: ['private_key_jwt', 'client_secret_basic'] }) } },
    rp: { superiors: { intermediate: policy({ one_of: ['private_key_jwt'] }) }, metadata },
    good: {
      superiors: { intermediate: { metadata: { openid_relying_party: { [METHOD]: 'private_key_jwt' } } }, gone: {} },
      metadata,
    },
    gone: { superiors: ['good'] },
  };
  server = await serveFederation(settings, { clock });
  const keys = folder.write('anchor.json', server.federation.jwks('anchor'));
  anchor = ['--anchor', server.federation.id('anchor'), '--anchor-jwks', keys];
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function requireNarrow(text: string): void {
  expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
}

describe('resolve --explain', () => {
  it("shows which superior's operator refused which value, at 100 columns", async () => {
    const rp = server.federation.id('rp');
    const { exitCode, stdout, stderr } = await callHoldfast(['resolve', rp, ...anchor, '--explain']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('does not resolve');
    requireNarrow(stdout);
    const text = stdout.replace(/\s+/g, ' ');
    const intermediate = server.federation.id('intermediate');
    expect(text).toContain(
      `✗ refused "client_secret_basic" by one_of ["private_key_jwt"] of ${intermediate}: policy_value_not_allowed`,
    );
    expect(text).toContain(`✗ policy_value_not_allowed (§6.1.4.2) at /metadata/openid_relying_party/${METHOD}`);
    expect(text).toContain('└─');
    expect(text).toContain(`who can mend it: ${rp} (the subject)`);
  });

  it('shows what resolves, loops included, and gives the same as JSON', async () => {
    const args = ['resolve', server.federation.id('good'), ...anchor, '--explain'];
    const { exitCode, stdout } = await callHoldfast(args);
    expect(exitCode).toBe(0);
    requireNarrow(stdout.split('\nMetadata\n')[0] ?? '');
    const text = stdout.replace(/\s+/g, ' ');
    expect(text).toContain(`"private_key_jwt" in place of "client_secret_basic", says`);
    expect(text).toContain('(a loop: it stands below)');
    const json = await runHoldfast([...args, '--json']);
    expect(json.exitCode).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: 'resolved',
      resolution: { metadata: { openid_relying_party: { [METHOD]: 'private_key_jwt' } } },
      graph: { entity: server.federation.id('good') },
    });
  });
});

describe('inspect', () => {
  it('decodes a valid configuration, with things to look at', async () => {
    const { exitCode, stdout } = await callHoldfast(['inspect', server.federation.id('anchor'), '--json']);
    expect(exitCode).toBe(0);
    const { valid, findings, claims } = JSON.parse(stdout);
    expect([valid, claims.iss]).toEqual([true, server.federation.id('anchor')]);
    expect(findings).toMatchObject([{ level: 'warning', at: '/authority_hints' }]);
  });

  it('[OIDFED-5.2.1-6] verifies what a signed_jwks_uri serves', async () => {
    const { federation } = server;
    const [url, keysUrl] = [server.configurationUrl('rp'), `${server.origin}/rp/keys`];
    const metadata = { openid_relying_party: { signed_jwks_uri: keysUrl } };
    const claims = { ...federation.configurationClaims('rp'), metadata };
    server.override(url, { body: await federation.sign('rp', 'entity-statement+jwt', claims) });
    const rp = federation.id('rp');
    const { jwk } = await testKey('ES256', 91);
    const found = { status: 200, headers: { 'content-type': 'application/jwk-set+jwt' } };
    const served = { iss: rp, sub: rp, iat: clock.now(), keys: [jwk] };
    const findings = async () => JSON.parse((await callHoldfast(['inspect', rp, '--json'])).stdout).findings;
    try {
      server.override(keysUrl, { ...found, body: await federation.sign('rp', 'jwk-set+jwt', served) });
      expect(await findings()).toEqual([]);
      server.override(keysUrl, { ...found, body: await federation.sign('anchor', 'jwk-set+jwt', served) });
      expect(await findings()).toMatchObject([
        { level: 'warning', reason: 'key_not_found', at: '/metadata/openid_relying_party/signed_jwks_uri header/kid' },
      ]);
      server.override(keysUrl, { status: 200, headers: { 'content-type': 'application/json' }, body: '{"keys":[]}' });
      expect(await findings()).toMatchObject([{ reason: 'content_type_unexpected' }]);
    } finally {
      for (const at of [url, keysUrl]) server.restore(at);
    }
  });

  it('says which names are of older drafts, and what took their place, in what cannot be read too', async () => {
    const url = server.configurationUrl('rp');
    const claims = server.federation.configurationClaims('rp');
    const older = { trust_marks_issuers: {}, trust_marks: [{ id: 'https://marks.example/a', trust_mark: 'a.b.c' }] };
    server.override(url, { body: await server.federation.sign('rp', 'entity-statement+jwt', { ...claims, ...older }) });
    try {
      const { stdout } = await callHoldfast(['inspect', server.federation.id('rp')]);
      const text = stdout.replace(/\s+/g, ' ');
      expect(text).toContain('warning: at /trust_marks_issuers: trust_marks_issuers is a name of older drafts');
      expect(text).toContain('since draft 43 it is trust_mark_type');
    } finally {
      server.restore(url);
    }
  });

  it('finds all that is wrong at once, and exits with 1', async () => {
    const url = server.configurationUrl('rp');
    const claims = { ...server.federation.configurationClaims('rp'), exp: 1 };
    const stranger = await server.federation.sign('anchor', 'entity-statement+jwt', claims);
    server.override(url, { body: stranger });
    try {
      const { exitCode, stdout } = await callHoldfast(['inspect', server.federation.id('rp')]);
      expect(exitCode).toBe(1);
      expect(stdout).toContain('✗ error: statement_expired (§3.2) at /exp');
      expect(stdout).toContain('✗ error: key_not_found (§3.2) at header/kid');
    } finally {
      server.restore(url);
    }
    const nobody = await callHoldfast(['inspect', `${server.origin}/nobody`]);
    expect(nobody.exitCode).toBe(1);
  });
});

describe('chain verify', () => {
  it('judges a chain from a file, now and as of a time', async () => {
    const good = folder.write('good.json', await server.federation.chain('good', 'intermediate', 'anchor'));
    const { exitCode, stdout } = await callHoldfast(['chain', 'verify', good, ...anchor, '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, trustAnchor: server.federation.id('anchor') });
    const late = await callHoldfast(['chain', 'verify', good, ...anchor, '--at', '2100-01-01T00:00:00Z']);
    expect(late.exitCode).toBe(1);
    expect(late.stdout).toContain('✗ statement_expired (§3.2) at ES[0] /exp');
    expect((await callHoldfast(['chain', 'verify', good, ...anchor, '--at', 'then'])).exitCode).toBe(2);
  });

  it('counts historical keys for what they signed in their time', async () => {
    const { federation } = server;
    const chain = folder.write('old.json', await federation.chain('good', 'intermediate', 'anchor'));
    const [old] = federation.entity('anchor').keys;
    const current = await testKey('ES256', 90);
    const keys = folder.write('new.json', { keys: [current.jwk] });
    const now = clock.now();
    const claims = { iss: federation.id('anchor'), iat: now, keys: [{ ...old?.jwk, exp: now + 60 }] };
    const history = folder.write('history.jwt', await signJwt(current, 'jwk-set+jwt', claims));
    const args = ['chain', 'verify', chain, '--anchor', federation.id('anchor'), '--anchor-jwks', keys];
    expect((await callHoldfast(args)).exitCode).toBe(1);
    const { exitCode, stderr } = await callHoldfast([...args, '--at', String(now), '--historical-keys', history]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('shows what each superior did, and what is no chain', async () => {
    const bad = folder.write('bad.json', { trustChain: await server.federation.chain('rp', 'intermediate', 'anchor') });
    const { exitCode, stdout } = await callHoldfast(['chain', 'verify', bad, ...anchor]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('✗ refused  "client_secret_basic" by one_of ["private_key_jwt"]');
    const none = await callHoldfast(['chain', 'verify', folder.write('none.json', {}), ...anchor]);
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain('holds no Trust Chain');
  });
});

describe('policy test', () => {
  const above = () =>
    folder.write('above.json', policy({ one_of: ['private_key_jwt', 'client_secret_basic'] }).metadata_policy);

  it('merges and applies, explained', async () => {
    const ours = folder.write('ours.json', { metadata: { openid_relying_party: { [METHOD]: 'private_key_jwt' } } });
    const given = folder.write('rp.json', { metadata });
    const args = ['policy', 'test', '--policy', above(), '--policy', ours, '--metadata', given];
    const { exitCode, stdout, stderr } = await callHoldfast([...args, '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { complies, resolved } = JSON.parse(stdout);
    expect([complies, resolved]).toEqual([true, { openid_relying_party: { [METHOD]: 'private_key_jwt' } }]);
    expect((await callHoldfast(args)).stdout.replace(/\s+/g, ' ')).toContain(`says ${ours}`);
  });

  it('exits with 1 where policies conflict or refuse, with 2 where a file is none', async () => {
    const strict = folder.write('strict.json', policy({ one_of: ['private_key_jwt'] }));
    const given = folder.write('rp.json', metadata);
    const refused = await callHoldfast([
      'policy',
      'test',
      '--policy',
      above(),
      '--policy',
      strict,
      '--metadata',
      given,
    ]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout.replace(/\s+/g, ' ')).toContain(`by one_of ["private_key_jwt"] of ${strict}`);
    const other = folder.write('other.json', policy({ one_of: ['none'] }));
    const conflict = await callHoldfast([
      'policy',
      'test',
      '--policy',
      strict,
      '--policy',
      other,
      '--metadata',
      given,
      '--json',
    ]);
    expect(conflict.exitCode).toBe(1);
    expect(JSON.parse(conflict.stdout)).toMatchObject({ complies: false, refusal: { reason: 'policy_conflict' } });
    const itself = folder.write('itself.json', policy({ one_of: ['none'], default: 'private_key_jwt', add: ['none'] }));
    const args = ['policy', 'test', '--policy', above(), '--policy', itself, '--metadata', given];
    const contradiction = await callHoldfast(['policy', 'test', '--policy', itself, '--metadata', given, '--json']);
    expect(contradiction.exitCode).toBe(1);
    expect(JSON.parse(contradiction.stdout)).toMatchObject({
      complies: false,
      refusal: {
        reason: 'policy_combination_forbidden',
        section: '6.1.3.1',
        at: `${itself} /metadata_policy/openid_relying_party/${METHOD}/one_of`,
      },
      metadata: { parameters: [{ steps: [{ by: itself }, { by: itself }, { by: itself }, { refusal: {} }] }] },
    });
    expect((await callHoldfast(args)).exitCode).toBe(1);
    const wrong = folder.write('wrong.json', { openid_relying_party: { [METHOD]: { one_of: 'none' } } });
    expect((await callHoldfast(['policy', 'test', '--policy', wrong, '--metadata', given])).exitCode).toBe(2);
  });
});
