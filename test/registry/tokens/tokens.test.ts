import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/registry/actor.ts';
import { MAX_TOKEN_LIFETIME_DAYS } from '../../../src/registry/tokens/api-token.ts';
import { createToken, FIRST_ADMIN, type NewToken } from '../../../src/registry/tokens/create-token.ts';
import { adminTokenExists, findTokenActor } from '../../../src/registry/tokens/find-token.ts';
import { listTokens } from '../../../src/registry/tokens/list-tokens.ts';
import { revokeToken } from '../../../src/registry/tokens/revoke-token.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import {
  actor,
  NOW_DATE,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

const later = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);

const ADMIN: NewToken = { name: 'Ada', roles: ['admin'], authorityIds: null, lifetimeSeconds: 3600 };

describe.each(DATABASE_KINDS)('API tokens on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const create = (settings: Partial<NewToken> = {}) => createToken(registry.context(), { ...ADMIN, ...settings });

  it('stand for who they were made for', async () => {
    const { id } = await registry.authority();
    const { token, secret } = await create({ name: 'Bob', roles: ['approver', 'registrar'], authorityIds: [id] });
    expect(await findTokenActor(registry.db, secret, NOW_DATE)).toEqual({
      kind: 'token',
      id: token.id,
      name: 'Bob',
      roles: ['registrar', 'approver'],
      authorities: new Set([id]),
      organisations: 'all',
    });
    const admin = await create();
    expect(await findTokenActor(registry.db, admin.secret, NOW_DATE)).toMatchObject({ authorities: 'all' });
  });

  it('have 256 random bits behind a prefix that scanners know', async () => {
    const secrets = await Promise.all([create(), create()]);
    for (const { secret } of secrets) {
      expect(secret).toMatch(/^holdfast_[A-Za-z0-9_-]{43}$/);
      expect(Buffer.from(secret.slice(9), 'base64url')).toHaveLength(32);
    }
    expect(secrets[0]?.secret).not.toBe(secrets[1]?.secret);
  });

  it('are kept as SHA-256 only: the secret is nowhere in the database', async () => {
    const { secret } = await create();
    const bits = Buffer.from(secret.slice(9), 'base64url');
    const dump = await dumped(registry);
    expect(dump).toContain('Ada');
    for (const text of [secret, secret.slice(9), bits.toString('hex'), bits.toString('base64')]) {
      expect(dump).not.toContain(text);
    }
    const { rows } = await registry.db.execute<{ matches: boolean }>(
      sql`SELECT token_hash = sha256(convert_to(${secret}, 'UTF8')) AS matches FROM api_tokens ORDER BY id DESC LIMIT 1`,
    );
    expect(rows).toEqual([{ matches: true }]);
  });

  it('end with their lifetime', async () => {
    const { token, secret } = await create({ lifetimeSeconds: 60 });
    expect(token.expiresAt).toEqual(later(60));
    expect(await findTokenActor(registry.db, secret, later(59))).toMatchObject({ id: token.id });
    expect(await findTokenActor(registry.db, secret, later(60))).toBeUndefined();
  });

  it('end at once when revoked, for good, and a second revocation changes nothing', async () => {
    const { token, secret } = await create();
    const context = registry.context(actor(), { now: later(1) });
    expect(await revokeToken(context, token.id, 'lost')).toEqual({ ...token, revokedAt: later(1) });
    expect(await findTokenActor(registry.db, secret, NOW_DATE)).toBeUndefined();
    const seq = await registry.seq();
    expect((await revokeToken(registry.context(), token.id)).revokedAt).toEqual(later(1));
    expect(await registry.seq()).toBe(seq);
  });

  it.each(['', 'holdfast_', 'holdfast_AAAA', 'Bearer x'])('are not guessed by %j', async (secret) => {
    expect(await findTokenActor(registry.db, secret, NOW_DATE)).toBeUndefined();
  });

  it('are not found by their hash', async () => {
    const { secret } = await create();
    const { rows } = await registry.db.execute<{ hash: string }>(
      sql`SELECT encode(token_hash, 'hex') AS hash FROM api_tokens`,
    );
    for (const { hash } of rows) expect(await findTokenActor(registry.db, hash, NOW_DATE)).toBeUndefined();
    expect(await findTokenActor(registry.db, secret, NOW_DATE)).toBeDefined();
  });

  it('are listed without secret and hash', async () => {
    const { token } = await create();
    const { items } = await listTokens(registry.db, actor(), { limit: 100 });
    expect(items).toContainEqual(token);
    for (const item of items) expect(Object.keys(item)).toEqual(Object.keys(token));
  });

  it.each<[string, Partial<NewToken>, string]>([
    ['no roles', { roles: [] }, '/roles'],
    ['a lifetime of nothing', { lifetimeSeconds: 0 }, '/expiresInDays'],
    ['a lifetime too long', { lifetimeSeconds: MAX_TOKEN_LIFETIME_DAYS * 86_400 + 1 }, '/expiresInDays'],
    ['no number', { lifetimeSeconds: Number.NaN }, '/expiresInDays'],
    ['an authority that does not exist', { authorityIds: [nextId()] }, '/authorityIds/0'],
    ['an authority that is no id', { authorityIds: ['trust.example'] }, '/authorityIds/0'],
  ])('are refused with %s', async (_what, settings, place) => {
    expect(await outcome(create(settings))).toBe(`validation_failed at ${place}`);
  });

  it.each([nextId(), 'no-uuid'])('that are not there cannot be revoked: %s', async (id) => {
    expect(await outcome(revokeToken(registry.context(), id))).toBe('not_found');
  });
});

describe.each(DATABASE_KINDS)('the first admin on %s', (kind) => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await openRegistry(kind);
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  const first: Actor = {
    kind: 'operator',
    id: FIRST_ADMIN,
    name: 'first admin',
    roles: [],
    authorities: 'all',
    organisations: 'all',
  };
  const claim = (settings: Partial<NewToken> = {}, now = NOW_DATE) =>
    createToken(registry.context(first, { now }), { ...ADMIN, ...settings });

  it('is made once', async () => {
    expect(await adminTokenExists(registry.db, NOW_DATE)).toBe(false);
    await claim();
    expect(await adminTokenExists(registry.db, NOW_DATE)).toBe(true);
    const error = await refusedBy(claim());
    expect([error.code, error.kind]).toEqual(['admin_exists', 'conflict']);
  });

  it('is one of two that claim it at once', async () => {
    const outcomes = await Promise.all([outcome(claim()), outcome(claim()), outcome(claim())]);
    expect(outcomes.sort()).toEqual(['admin_exists', 'admin_exists', 'done']);
    expect((await listTokens(registry.db, actor(), { limit: 10 })).items).toHaveLength(1);
  });

  it('administers everything, or is not made', async () => {
    const { id } = await registry.authority();
    expect(await outcome(claim({ roles: ['auditor'] }))).toBe('validation_failed at /roles');
    expect(await outcome(claim({ authorityIds: [id] }))).toBe('validation_failed at /roles');
    expect(await outcome(claim({ roles: ['admin', 'auditor'] }))).toBe('done');
  });

  it('is wanted again once no admin of everything is left', async () => {
    const { token } = await claim({ lifetimeSeconds: 60 });
    expect(await outcome(claim({}, later(60)))).toBe('done');
    const [, second] = (await listTokens(registry.db, actor(), { limit: 10 })).items;
    await revokeToken(registry.context(), token.id);
    await revokeToken(registry.context(), second?.id ?? '');
    const { id } = await registry.authority();
    await createToken(registry.context(), { ...ADMIN, authorityIds: [id] });
    await createToken(registry.context(), { ...ADMIN, roles: ['registrar', 'approver', 'auditor'] });
    expect(await adminTokenExists(registry.db, NOW_DATE)).toBe(false);
    expect(await outcome(claim())).toBe('done');
  });

  it('may do nothing but make the first token', async () => {
    const { id } = (await claim()).token;
    expect(await outcome(revokeToken(registry.context(first), id))).toBe('role_missing');
    expect(await outcome(listTokens(registry.db, first, { limit: 1 }))).toBe('role_missing');
  });
});

/** Every row of every table as text. */
async function dumped({ db }: TestRegistry): Promise<string> {
  const { rows: tables } = await db.execute<{ name: string }>(
    sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await db.execute<{ text: string }>(sql`SELECT t::text AS text FROM ${sql.identifier(name)} AS t`);
    texts.push(...rows.map(({ text }) => text));
  }
  return texts.join('\n');
}
