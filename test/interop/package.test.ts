/** The package as others use it: installed from its tarball, with chains that another process serves. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/cli.ts';
import { type InstalledPackage, installPackage, ROOT } from '../support/installed-package.ts';

const DATABASE_PACKAGE = /\/node_modules\/(pg|pg-[\w-]+|drizzle-orm|@electric-sql)\//;
/** The first TypeScript that README shows under "As a library". */
const EXAMPLE = /## As a library[\s\S]*?```ts\n([\s\S]*?)```/.exec(
  readFileSync(path.join(ROOT, 'README.md'), 'utf8'),
)?.[1];

const TYPES = `
import { checkJwkSet, REASONS, type Reason, validateTrustChain } from 'holdfast/federation';
import { createResolver, ResolutionCache, type ResolveOutcome } from 'holdfast/resolver';

const clock = { now: () => 0 };
const resolver = createResolver({
  trustAnchors: new Map([['https://fed.example', { keys: [] }]]),
  clock,
  fetch,
  cache: new ResolutionCache({ clock, maxBytes: 1 }),
  budget: { maxDepth: 3 },
});
const outcome: ResolveOutcome = await resolver.resolve('https://op.example', { signal: AbortSignal.timeout(1) });
if ('resolved' in outcome) {
  const { trustChain, trustMarks, trustAnchor, expiresAt, metadata } = outcome.resolved;
  const types: string[] = trustMarks.map((mark) => mark.trust_mark_type);
  const [jwt, anchor, until]: [string | undefined, string, number] = [trustChain[0], trustAnchor, expiresAt];
  console.log(types, jwt, anchor, until, metadata['openid_provider']?.['issuer']);
} else {
  const reasons: Reason[] = outcome.attempts.map((attempt) => attempt.reason);
  console.log(reasons.map((reason) => REASONS[reason].section));
}
console.log(await validateTrustChain([], { now: 0, trustAnchors: new Map() }), checkJwkSet({}));

// @ts-expect-error a resolver needs Trust Anchors
createResolver({});
// @ts-expect-error there is no such reason
const reason: Reason = 'because';
// @ts-expect-error the tree behind the entries is not for others
import('holdfast/dist/resolver/resolver.js');
console.log(reason);
`;

const RULES = `
import { applyMetadataPolicy, FederationError, parseMetadataPolicy, resolveMetadataPolicy, validateTrustChain } from 'holdfast/federation';

const metadataPolicy = parseMetadataPolicy({ openid_provider: { scopes_supported: { subset_of: ['openid'] } } });
const policy = resolveMetadataPolicy([{ place: 'ES[1]', metadataPolicy }]);
const metadata = applyMetadataPolicy(policy, { openid_provider: { scopes_supported: ['openid', 'email'] } });
const refusal = await validateTrustChain([], { now: 0, trustAnchors: new Map() }).catch((error: unknown) => error);
console.log(JSON.stringify({ metadata, reason: refusal instanceof FederationError ? refusal.reason : refusal }));
`;

let installed: InstalledPackage;
let issuers: Issuers;

beforeAll(async () => {
  issuers = await startIssuers();
  installed = await installPackage();
  await installed.write('relying-party.mts', EXAMPLE ?? '');
  await installed.write('types.mts', TYPES);
  await installed.write('rules.mts', RULES);
  await installed.write('anchor.json', JSON.stringify(issuers.anchorJwks));
}, 240_000);

afterAll(async () => {
  issuers?.child.stdin?.end();
  await installed?.[Symbol.asyncDispose]();
});

describe('the package', () => {
  it('has what was built, what that needs, and no sources', async () => {
    const files = await installed.files();
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'openapi.yaml']));
    expect(files).toEqual(expect.arrayContaining(['drizzle/0001_registry.sql', 'drizzle/meta/_journal.json']));
    expect(files).toEqual(expect.arrayContaining(['bin/holdfast.js', 'dist/cli/main.js', 'dist/start.js.map']));
    expect(files).toEqual(expect.arrayContaining(['dist/resolver/library.js', 'dist/resolver/library.d.ts']));
    expect(files).toEqual(expect.arrayContaining(['dist/federation/library.js', 'dist/federation/library.d.ts']));
    const folders = new Set(files.map((file) => file.split('/')[0]));
    expect([...folders].filter((folder) => ['src', 'test', 'scripts', 'fixtures'].includes(folder ?? ''))).toEqual([]);
  });

  it('brings types: the example of README and every declaration pass a strict check', async () => {
    const lib = ['ES2024', 'ESNext.Disposable'];
    expect(await installed.complaints(['relying-party.mts', 'types.mts'], { types: ['node'], lib })).toBe('');
  });

  it('has rules that a runtime without Node can be checked and run with', async () => {
    expect(await installed.complaints(['rules.mts'], { types: [], lib: ['ES2024', 'DOM'] })).toBe('');
    const { stdout, modules } = await installed.node('rules.mts');
    expect(JSON.parse(stdout)).toEqual({
      metadata: { openid_provider: { scopes_supported: ['openid'] } },
      reason: 'trust_chain_malformed',
    });
    expect(modules).toContainEqual(expect.stringMatching(/\/node_modules\/holdfast\/dist\/federation\/library\.js$/));
    expect(modules.filter((url) => url.startsWith('node:'))).toEqual([]);
  });
});

describe('the example of README', () => {
  it('resolves a provider that another process vouches for, with no database package loaded', async () => {
    const { provider, anchor } = issuers.identifiers;
    const { exitCode, stdout, stderr, modules } = await installed.node('relying-party.mts', provider!, anchor!);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`${provider}/authorize`);
    expect(modules).toContainEqual(expect.stringMatching(/\/node_modules\/holdfast\/dist\/resolver\/library\.js$/));
    expect(modules).toContainEqual(expect.stringMatching(/\/node_modules\/undici\//));
    expect(modules.filter((url) => DATABASE_PACKAGE.test(url))).toEqual([]);
  });

  it('tells why it trusts a stranger not', async () => {
    const { stranger, anchor } = issuers.identifiers;
    const { exitCode, stdout, stderr } = await installed.node('relying-party.mts', stranger!, anchor!);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(stranger);
    expect(stderr).toContain('no_authority_hints, OpenID Federation §10.1');
  });
});

describe('npx holdfast', () => {
  it('resolves from the project', async () => {
    const { provider, anchor } = issuers.identifiers;
    const args = ['resolve', provider!, '--anchor', anchor!, '--anchor-jwks', 'anchor.json', '--json'];
    const { exitCode, stdout } = await installed.npxHoldfast(...args);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      resolved: true,
      subject: provider,
      trustAnchor: anchor,
      metadata: { openid_provider: { scopes_supported: ['openid', 'email'] } },
    });
  });

  it('runs the whole service from the package', async () => {
    const port = await freePort();
    const service = installed.start(['serve', '--json'], { PORT: String(port), HOLDFAST_LOG_LEVEL: 'silent' });
    const closed = once(service, 'close');
    try {
      await once(createInterface(service.stdout), 'line');
      const response = await fetch(`http://localhost:${port}/.well-known/openid-federation`);
      expect(response.headers.get('content-type')).toBe('application/entity-statement+jwt');
    } finally {
      service.kill('SIGTERM');
      await closed;
    }
    expect(service.exitCode).toBe(0);
  });

  it.each(olderNodes())('refuses %s before it loads anything', async (version, node, ...nodeArguments) => {
    const { exitCode, stdout, stderr } = await installed.bin(node, ...nodeArguments);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(`holdfast needs Node 24 or newer, and this is ${version}.`);
  });
});

/** This Node that says it were older, and those on the machine that are. */
function olderNodes(): [version: string, node: string, ...nodeArguments: string[]][] {
  const pretend = 'Object.defineProperty(process,"versions",{value:{...process.versions,node:"22.18.0"}})';
  const places = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'node'));
  const versions = new Map(places.map((node) => [versionOf(node), node] as const));
  const older = [...versions].filter(([version]) => version !== '' && Number.parseInt(version, 10) < 24);
  return [['22.18.0', process.execPath, '--import', `data:text/javascript,${pretend}`], ...older];
}

function versionOf(node: string): string {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim().replace('v', '') ?? '';
}

interface Issuers {
  child: ChildProcess;
  identifiers: Partial<Record<string, string>>;
  anchorJwks: object;
}

async function startIssuers(): Promise<Issuers> {
  const program = path.join(ROOT, 'test/support/serve-issuers.ts');
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, ...JSON.parse(line) };
}
