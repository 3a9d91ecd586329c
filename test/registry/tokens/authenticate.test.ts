import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthenticatorOptions, createAuthenticator } from '../../../src/registry/tokens/authenticate.ts';
import { createToken, FIRST_ADMIN, type NewToken } from '../../../src/registry/tokens/create-token.ts';
import { FirstAdminToken } from '../../../src/registry/tokens/first-admin-token.ts';
import { revokeToken } from '../../../src/registry/tokens/revoke-token.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { ALL_ROLES, NOW_DATE, openRegistry, type TestRegistry } from '../../support/registry.ts';

const ADMIN: NewToken = { name: 'Ada', roles: ['admin'], authorityIds: null, lifetimeSeconds: 3600 };
const ENVIRONMENT_TOKEN = 'an-admin-token-of-the-environment-0123456789';

describe.each(DATABASE_KINDS)('who a bearer token stands for, on %s', (kind) => {
  let registry: TestRegistry;
  let dataDir: string;
  let warnings: string[];
  beforeEach(async () => {
    registry = await openRegistry(kind);
    dataDir = join(await mkdtemp(join(tmpdir(), 'holdfast-first-admin-')), 'data');
    warnings = [];
  });
  afterEach(async () => {
    await registry[Symbol.asyncDispose]();
    await rm(join(dataDir, '..'), { recursive: true });
  });

  const authenticator = (options: Partial<AuthenticatorOptions> = {}) =>
    createAuthenticator({
      db: registry.db,
      now: () => NOW_DATE,
      adminToken: undefined,
      keepAdminToken: false,
      firstAdminToken: undefined,
      warn: (message) => warnings.push(message),
      ...options,
    });
  const secretIn = async (token: FirstAdminToken) => (await readFile(token.file, 'utf8')).trim();

  it('is its owner, whatever else is configured', async () => {
    const { token, secret } = await createToken(registry.context(), ADMIN);
    expect(await authenticator({ adminToken: ENVIRONMENT_TOKEN })(secret)).toMatchObject({
      kind: 'token',
      id: token.id,
    });
  });

  it('is nobody when it is unknown', async () => {
    const authenticate = authenticator({
      adminToken: ENVIRONMENT_TOKEN,
      firstAdminToken: await FirstAdminToken.write(dataDir, NOW_DATE),
    });
    for (const secret of ['', 'x', `${ENVIRONMENT_TOKEN}x`]) expect(await authenticate(secret)).toBeUndefined();
  });

  describe('of the environment', () => {
    it('is the operator while there is no named admin', async () => {
      expect(await authenticator({ adminToken: ENVIRONMENT_TOKEN })(ENVIRONMENT_TOKEN)).toMatchObject({
        kind: 'operator',
        roles: ALL_ROLES,
        authorities: 'all',
      });
    });

    it('is ignored, with a warning, once there is one', async () => {
      await createToken(registry.context(), ADMIN);
      expect(await authenticator({ adminToken: ENVIRONMENT_TOKEN })(ENVIRONMENT_TOKEN)).toBeUndefined();
      expect(warnings).toEqual([expect.stringContaining('HOLDFAST_ADMIN_TOKEN_KEEP=1')]);
      expect(warnings.join()).not.toContain(ENVIRONMENT_TOKEN);
    });

    it.each<[string, (tokenId: string) => Promise<unknown>, number]>([
      ['has expired', async () => {}, ADMIN.lifetimeSeconds],
      ['was revoked', (tokenId) => revokeToken(registry.context(), tokenId), 0],
    ])('stays ignored when the only one %s, and the warning tells the way back in', async (_what, end, seconds) => {
      const { token, secret } = await createToken(registry.context(), ADMIN);
      await end(token.id);
      const now = () => new Date(NOW_DATE.getTime() + seconds * 1000);
      const options = { adminToken: ENVIRONMENT_TOKEN, now };
      const authenticate = authenticator(options);
      expect(await authenticate(secret)).toBeUndefined();
      expect(await authenticate(ENVIRONMENT_TOKEN)).toBeUndefined();
      expect(await authenticate(ENVIRONMENT_TOKEN)).toBeUndefined();
      expect(warnings).toEqual([expect.stringMatching(/if none is left.*HOLDFAST_ADMIN_TOKEN_KEEP=1/)]);
      const back = await authenticator({ ...options, keepAdminToken: true })(ENVIRONMENT_TOKEN);
      if (back === undefined) throw new Error('there is no way back in');
      const renewed = await createToken(registry.context(back, { now: now() }), ADMIN);
      expect(await authenticate(renewed.secret)).toMatchObject({ kind: 'token', id: renewed.token.id });
    });

    it.each<[string, Partial<NewToken>]>([
      ['another role', { roles: ['registrar', 'approver', 'auditor'] }],
      ['some authorities only', { authorityIds: [] }],
    ])('is not ignored for a token with %s', async (_what, token) => {
      await createToken(registry.context(), { ...ADMIN, ...token });
      expect(await authenticator({ adminToken: ENVIRONMENT_TOKEN })(ENVIRONMENT_TOKEN)).toMatchObject({
        kind: 'operator',
      });
    });

    it('stays good where the operator keeps it', async () => {
      await createToken(registry.context(), ADMIN);
      const authenticate = authenticator({ adminToken: ENVIRONMENT_TOKEN, keepAdminToken: true });
      expect(await authenticate(ENVIRONMENT_TOKEN)).toMatchObject({ kind: 'operator' });
    });
  });

  describe('of the first admin', () => {
    it('stands in a file of the data directory that only the operator can read', async () => {
      const token = await FirstAdminToken.write(dataDir, NOW_DATE);
      expect(token.file).toBe(join(dataDir, 'first-admin-token'));
      expect((await stat(token.file)).mode & 0o777).toBe(0o600);
      expect(await secretIn(token)).toMatch(/^holdfast_[A-Za-z0-9_-]{43}$/);
    });

    it('may make the first admin token and nothing else', async () => {
      const firstAdminToken = await FirstAdminToken.write(dataDir, NOW_DATE);
      const by = await authenticator({ firstAdminToken })(await secretIn(firstAdminToken));
      expect(by).toMatchObject({ id: FIRST_ADMIN, roles: [] });
      if (by === undefined) throw new Error('not authenticated');
      const { token } = await createToken(registry.context(by), ADMIN);
      expect(token.roles).toEqual(['admin']);
    });

    it('is good once: with the first admin it is gone, and its file too', async () => {
      const firstAdminToken = await FirstAdminToken.write(dataDir, NOW_DATE);
      const secret = await secretIn(firstAdminToken);
      await createToken(registry.context(), ADMIN);
      expect(await authenticator({ firstAdminToken })(secret)).toBeUndefined();
      await expect(stat(firstAdminToken.file)).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('ends after 15 minutes', async () => {
      const firstAdminToken = await FirstAdminToken.write(dataDir, NOW_DATE);
      const secret = await secretIn(firstAdminToken);
      const later = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);
      expect(await authenticator({ firstAdminToken, now: () => later(899) })(secret)).toBeDefined();
      expect(await authenticator({ firstAdminToken, now: () => later(900) })(secret)).toBeUndefined();
    });

    it('replaces one that was written before', async () => {
      const old = await secretIn(await FirstAdminToken.write(dataDir, NOW_DATE));
      const firstAdminToken = await FirstAdminToken.write(dataDir, NOW_DATE);
      expect(await authenticator({ firstAdminToken })(old)).toBeUndefined();
      expect(await authenticator({ firstAdminToken })(await secretIn(firstAdminToken))).toBeDefined();
    });
  });
});
