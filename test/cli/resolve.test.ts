import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callHoldfast, freePort, runHoldfast } from '../support/cli.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testKey } from '../support/keys.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { AUDITED, bear, entry, MEMBER, recognise, trustMark } from '../support/trust-marks.ts';

const clock = { now: () => Math.floor(Date.now() / 1000) };

let folder: TemporaryFolder;
let server: FederationServer;
let anchorKeys: string;

beforeAll(async () => {
  folder = new TemporaryFolder();
  server = await serveFederation(
    {
      anchor: {},
      other: {},
      intermediate: {
        superiors: {
          anchor: { metadata_policy: { openid_relying_party: { contacts: { add: ['noc@fed.example'] } } } },
        },
      },
      rp: {
        superiors: ['intermediate'],
        metadata: { openid_relying_party: { client_name: 'An RP' }, oauth_client: { client_name: 'A client' } },
      },
    },
    { clock },
  );
  anchorKeys = folder.write('anchor.json', server.federation.jwks('anchor'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Arguments that resolve one of the entities towards the anchor. */
function towards(subject: string, jwks = anchorKeys): string[] {
  return ['resolve', server.federation.id(subject), '--anchor', server.federation.id('anchor'), '--anchor-jwks', jwks];
}

describe('resolve', () => {
  it('[OIDFED-10.1-1] prints metadata, chain and expiry, and exits with 0', async () => {
    const { exitCode, stdout, stderr } = await runHoldfast([...towards('rp'), '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const outcome = JSON.parse(stdout);
    const [rp, intermediate, anchor] = ['rp', 'intermediate', 'anchor'].map((name) => server.federation.id(name));
    expect(outcome).toMatchObject({ resolved: true, subject: rp, trustAnchor: anchor });
    expect(outcome.metadata.openid_relying_party).toEqual({ client_name: 'An RP', contacts: ['noc@fed.example'] });
    expect(outcome.chain.map(({ iss, sub }: { iss: string; sub: string }) => [iss, sub])).toEqual([
      [rp, rp],
      [intermediate, rp],
      [anchor, intermediate],
      [anchor, anchor],
    ]);
    expect(outcome.chain[1].kid).toBe(server.federation.jwks('intermediate').keys[0]?.kid);
    expect(outcome.expiresAt).toBe(Math.min(...outcome.chain.map(({ exp }: { exp: number }) => exp)));
    expect(outcome.trustChain).toHaveLength(4);
  });

  it('understands the critical claims that the service understands, as do inspect and chain verify', async () => {
    const rp = server.federation.entity('rp');
    const before = rp.claims;
    rp.claims = { ...before, crit: ['jurisdiction'], jurisdiction: 'SE' };
    try {
      const env = { HOLDFAST_UNDERSTOOD_CLAIMS: 'other, jurisdiction' };
      const resolved = await callHoldfast([...towards('rp'), '--json'], { env });
      expect(resolved.exitCode, resolved.stderr).toBe(0);
      const chain = folder.write('critical.json', JSON.parse(resolved.stdout).trustChain);
      const anchor = ['--anchor', server.federation.id('anchor'), '--anchor-jwks', anchorKeys];
      const commands = [towards('rp'), ['inspect', server.federation.id('rp')], ['chain', 'verify', chain, ...anchor]];
      for (const command of commands) {
        expect((await callHoldfast(command)).exitCode, command.join(' ')).toBe(1);
        expect((await callHoldfast(command, { env })).exitCode, command.join(' ')).toBe(0);
        const wrong = await callHoldfast(command, { env: { HOLDFAST_UNDERSTOOD_CLAIMS: 'iss' } });
        expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('must not name claims') });
      }
    } finally {
      rp.claims = before;
    }
  });

  it('shows the same to a person', async () => {
    const { exitCode, stdout } = await callHoldfast(towards('rp'));
    expect(exitCode).toBe(0);
    for (const text of ['resolved', 'Trust Chain', 'Metadata', 'noc@fed.example', 'good until']) {
      expect(stdout).toContain(text);
    }
  });

  it('shows which Trust Marks count, and why others do not', async () => {
    const { federation } = server;
    const [anchor, rp] = [federation.entity('anchor'), federation.entity('rp')];
    const before = [anchor.claims, rp.claims] as const;
    recognise(federation, { issuers: { [MEMBER]: ['intermediate'], [AUDITED]: ['other'] } });
    const audited = await trustMark(federation, 'intermediate', 'rp', AUDITED);
    bear(federation, 'rp', entry(await trustMark(federation, 'intermediate', 'rp')), entry(audited, AUDITED));
    try {
      const { trustMarks, refusedTrustMarks } = JSON.parse((await callHoldfast([...towards('rp'), '--json'])).stdout);
      expect(trustMarks).toMatchObject([{ trust_mark_type: MEMBER, issuer: federation.id('intermediate') }]);
      expect(refusedTrustMarks).toMatchObject([
        { trust_mark_type: AUDITED, reason: 'trust_mark_issuer_not_trusted', at: '/trust_marks/1/trust_mark /iss' },
      ]);
      const { stdout } = await callHoldfast(towards('rp'));
      expect(stdout).toMatch(new RegExp(`✓ +${MEMBER} +by ${federation.id('intermediate')}`));
      expect(stdout).toMatch(new RegExp(`✗ +${AUDITED} +trust_mark_issuer_not_trusted`));
    } finally {
      [anchor.claims, rp.claims] = before;
    }
  });

  it('shows only the Entity Types asked for', async () => {
    const { stdout } = await callHoldfast([...towards('rp'), '--entity-type', 'oauth_client', '--json']);
    expect(Object.keys(JSON.parse(stdout).metadata)).toEqual(['oauth_client']);
    const none = await callHoldfast([...towards('rp'), '--entity-type', 'openid_provider']);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toContain('openid_relying_party, oauth_client, federation_entity');
  });

  it('prints every attempt with its reason and place, and exits with 1', async () => {
    const fetchUrl = server.fetchUrl('intermediate', 'rp');
    const exp = clock.now() - 3600;
    const expired = await server.federation.subordinateStatement('intermediate', 'rp', { claims: { exp } });
    server.override(fetchUrl, { body: expired });
    try {
      const { exitCode, stdout, stderr } = await runHoldfast([...towards('rp'), '--json']);
      expect(exitCode).toBe(1);
      const { resolved, attempts } = JSON.parse(stdout);
      expect(resolved).toBe(false);
      expect(attempts).toEqual([
        expect.objectContaining({
          chain: [server.federation.id('rp'), server.federation.id('intermediate')],
          reason: 'statement_expired',
          section: '3.2',
          at: 'Subordinate Statement /exp',
        }),
      ]);
      expect(JSON.parse(stderr).error).toMatchObject({ code: 'not_resolved', exitCode: 1 });
      const { stdout: text } = await callHoldfast(towards('rp'));
      expect(text).toContain('statement_expired (OpenID Federation §3.2)');
    } finally {
      server.restore(fetchUrl);
    }
  });

  it('says that something unreachable may come back', async () => {
    const gone = `http://127.0.0.1:${await freePort()}/gone`;
    const [, , ...anchor] = towards('rp');
    const { exitCode, stdout, stderr } = await callHoldfast(['resolve', gone, ...anchor, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).attempts[0]).toMatchObject({ reason: 'connection_failed', retryable: true });
    expect(JSON.parse(stderr).error.hint).toContain('may succeed later');
  });

  it('[OIDFED-10.2-4] believes the keys that were given, not those that the anchor publishes', async () => {
    const stranger = await testKey('ES256', 77);
    const wrongKeys = folder.write('wrong.json', { keys: [stranger.jwk] });
    const { exitCode, stdout } = await callHoldfast([...towards('rp', wrongKeys), '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).attempts[0]).toMatchObject({
      reason: 'trust_anchor_key_unknown',
      at: 'ES[3] header/kid',
    });
  });

  it('takes several Trust Anchors, each with its keys', async () => {
    const { federation } = server;
    const otherKeys = folder.write('other.json', federation.jwks('other'));
    const other = ['--anchor', federation.id('other'), '--anchor-jwks', otherKeys];
    const [command = '', subject = '', ...anchor] = towards('rp');
    expect((await callHoldfast([command, subject, ...other, ...anchor])).exitCode).toBe(0);
    expect((await callHoldfast([command, subject, ...other])).exitCode).toBe(1);
    const unequal = await callHoldfast([command, subject, ...anchor, '--anchor', federation.id('other')]);
    expect(unequal.exitCode).toBe(2);
    expect(unequal.stderr).toContain('every --anchor needs its --anchor-jwks');
  });

  it("takes keys from the anchor's Entity Configuration, with a warning", async () => {
    const jwt = await server.federation.configuration('anchor');
    const { exitCode, stderr } = await callHoldfast(towards('rp', '-'), { stdin: `${jwt}\n` });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^warning: .*compare them out of band/);
    const foreign = await callHoldfast(towards('rp', '-'), { stdin: await server.federation.configuration('other') });
    expect(foreign.exitCode).toBe(2);
    expect(foreign.stderr).toContain('is a statement by');
  });

  it.each([
    ['no JSON', 'is not valid JSON'],
    ['{"keys":[],"keys":[]}', 'occurs twice'],
    ['{"keys":[]}', 'at least one key'],
    ['{"keys":[{"kty":"EC","kid":"k","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}', 'must never be published'],
  ])('refuses keys that are none: %s', async (content, complaint) => {
    const { exitCode, stderr } = await callHoldfast(towards('rp', '-'), { stdin: content });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(complaint);
  });

  it('contacts addresses that are not global only if it is told to', async () => {
    // The kernel takes it for this machine; nothing listens there.
    const host = `https://0.0.0.0:${await freePort()}`;
    const args = ['resolve', `${host}/rp`, '--anchor', `${host}/ta`, '--anchor-jwks', anchorKeys, '--json'];
    const reasonOf = async (more: string[], env: Record<string, string> = {}) =>
      JSON.parse((await callHoldfast([...args, ...more], { env })).stdout).attempts[0].reason;
    expect(await reasonOf([])).toBe('address_forbidden');
    expect(await reasonOf(['--allow', '0.0.0.0'])).toBe('connection_failed');
    expect(await reasonOf([], { HOLDFAST_OUTBOUND_ALLOW: '0.0.0.0' })).toBe('connection_failed');
    const nonsense = await callHoldfast([...args, '--allow', 'http://10.0.0.1']);
    expect(nonsense.exitCode).toBe(2);
    expect(nonsense.stderr).toContain('is not a network');
  });

  it('accepts http beyond loopback only if it is told to', async () => {
    const [, , ...anchor] = towards('rp');
    const args = ['resolve', 'http://rp.invalid', ...anchor];
    expect((await callHoldfast(args)).exitCode).toBe(2);
    expect((await callHoldfast([...args, '--allow-http'])).exitCode).toBe(1);
    expect((await callHoldfast(args, { env: { HOLDFAST_ALLOW_HTTP: '1' } })).exitCode).toBe(1);
  });
});

describe('anchor fetch', () => {
  it('shows the keys with thumbprints to compare, and writes them', async () => {
    const file = folder.at('fetched.json');
    const anchor = server.federation.id('anchor');
    const { exitCode, stdout } = await callHoldfast(['anchor', 'fetch', anchor, '--out', file]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('compare these out of band');
    const [key] = server.federation.jwks('anchor').keys;
    expect(stdout).toContain(key?.kid.slice(0, 4).concat(' ', key.kid.slice(4, 8)));
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ keys: [key] });
    expect((await callHoldfast(towards('rp', file))).exitCode).toBe(0);
  });

  it('exits with 1 when there is no valid configuration', async () => {
    const { exitCode, stderr } = await callHoldfast(['anchor', 'fetch', `${server.origin}/nobody`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('has no Entity Configuration');
  });
});
