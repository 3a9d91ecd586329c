import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IssuedStatement } from '../../src/issuance/issued-statement.ts';
import { StatementIssuer, type StatementIssuerOptions } from '../../src/issuance/statement-issuer.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { AuthorityDirectory, type ServedAuthority } from '../../src/registry/authorities/authority-directory.ts';
import { updateAuthority } from '../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { CustodyUnavailable } from '../../src/signer/custody/key-custody.ts';
import { entities } from '../../src/storage/schema/entities.ts';
import { issuedStatements } from '../../src/storage/schema/issued-statements.ts';
import { claimsOf, headerOf } from '../support/answers.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { ManualClock } from '../support/federation.ts';
import { openRegistry, type TestRegistry, testSigner } from '../support/registry.ts';

describe.each(DATABASE_KINDS)('the statement issuer on the %s database', (kind) => {
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await openRegistry(kind);
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  /** What one node issues with: its clock, and its dice. */
  function node(options: Partial<StatementIssuerOptions> = {}): StatementIssuer {
    const houseRules = { maxLifetimeSeconds: 86_400 };
    const defaults = { db: registry.db, signer: testSigner, clock: new ManualClock(), random: () => 0.5, houseRules };
    return new StatementIssuer({ ...defaults, ...options });
  }

  async function served({ id }: Authority): Promise<ServedAuthority> {
    const directory = new AuthorityDirectory(registry.db);
    await directory.reload();
    return directory.get(id)!;
  }

  async function subordinate(): Promise<{ authority: Authority; entity: Entity }> {
    const authority = await registry.authority();
    return { authority, entity: await registry.entity(await registry.organisation(authority)) };
  }

  async function issued(by: StatementIssuer, authority: ServedAuthority, entity: Entity): Promise<IssuedStatement> {
    const statement = await by.subordinateStatement(authority, entity.entityIdentifier);
    if (statement === undefined) throw new Error('not vouched for');
    return statement;
  }

  it('gives the same bytes on all nodes, also when they sign at the same moment', async () => {
    const { authority, entity } = await subordinate();
    const view = await served(authority);
    const nodes = Array.from({ length: 5 }, () => node());
    const statements = await Promise.all(nodes.map((one) => issued(one, view, entity)));
    expect(new Set(statements.map(({ jwt }) => jwt)).size).toBe(1);
    const configurations = await Promise.all(nodes.map((one) => one.entityConfiguration(view)));
    expect(new Set(configurations.map(({ jwt }) => jwt)).size).toBe(1);
    expect(await issued(node(), view, entity)).toEqual(statements[0]);
  });

  it.each([
    [0, 1440],
    [0.5, 1620],
    [0.999, 1799],
  ])('renews a statement after 40 to 50 percent of its life, as the dice say: %d', async (random, afterSeconds) => {
    const { authority, entity } = await subordinate();
    const clock = new ManualClock();
    const { refreshAt, expiresAt } = await issued(
      node({ random: () => random, clock }),
      await served(authority),
      entity,
    );
    expect(expiresAt - clock.now()).toBe(3600);
    expect(refreshAt - clock.now()).toBe(afterSeconds);
  });

  it('gives the renewed statement of another node', async () => {
    const { authority, entity } = await subordinate();
    const view = await served(authority);
    const [early, late] = [new ManualClock(), new ManualClock()];
    const first = await issued(node({ clock: early }), view, entity);
    late.advance(1620);
    const renewed = await issued(node({ clock: late }), view, entity);
    expect(renewed.jwt).not.toBe(first.jwt);
    expect((await issued(node({ clock: early }), view, entity)).jwt).toBe(renewed.jwt);
  });

  it('lets an older view of the authority replace nothing that was signed under a newer one', async () => {
    const { authority, entity } = await subordinate();
    const older = await served(authority);
    const settings = { name: 'Renamed', statementLifetimeSeconds: 1800 };
    await updateAuthority(registry.context(), authority.id, settings);
    const newer = await served(authority);
    const statement = await issued(node(), newer, entity);
    const configuration = await node().entityConfiguration(newer);
    const outdated = await issued(node(), older, entity);
    expect(claimsOf(outdated.jwt)['exp']).not.toBe(claimsOf(statement.jwt)['exp']);
    await node().entityConfiguration(older);
    expect((await issued(node(), newer, entity)).jwt).toBe(statement.jwt);
    expect((await node().entityConfiguration(newer)).jwt).toBe(configuration.jwt);
  });

  it('signs anew with the key that the authority signs with now', async () => {
    const { authority, entity } = await subordinate();
    const view = await served(authority);
    const first = await issued(node(), view, entity);
    const key = view.keys[0]!;
    const { kid, alg, publicJwk, sealedPrivateKey } = await testSigner.generateKey(authority.id, 'ES256');
    const added = { ...key, kid, alg, publicJwk: publicJwk as typeof key.publicJwk, sealedPrivateKey };
    const rolled: ServedAuthority = { ...view, keys: [{ ...key, state: 'retired' }, added] };
    const second = await issued(node(), rolled, entity);
    expect([headerOf(first.jwt)['kid'], headerOf(second.jwt)['kid']]).toEqual([key.kid, kid]);
  });

  it('serves what is due to be renewed until it expires while nobody can sign, and nothing that says otherwise', async () => {
    const { authority, entity } = await subordinate();
    const view = await served(authority);
    const clock = new ManualClock();
    const first = await issued(node({ clock }), view, entity);
    const away = { ...testSigner, sign: () => Promise.reject(new CustodyUnavailable('unplugged')) };
    const outage = node({ clock, signer: away });
    clock.advance(3590);
    expect(await issued(outage, view, entity)).toEqual({ ...first, refreshAt: clock.now() + 10 });
    const shorter = { ...view, authority: { ...view.authority, statementLifetimeSeconds: 600 } };
    await expect(issued(outage, shorter, entity)).rejects.toThrow(CustodyUnavailable);
    clock.advance(10);
    await expect(issued(outage, view, entity)).rejects.toThrow(CustodyUnavailable);
    expect((await issued(node({ clock }), view, entity)).jwt).not.toBe(first.jwt);
  });

  it('gives the same historical keys on all nodes, until a day has passed', async () => {
    const view = await served(await registry.authority());
    const [clock, later] = [new ManualClock(), new ManualClock()];
    const documents = await Promise.all(Array.from({ length: 5 }, () => node({ clock }).historicalKeys(view)));
    expect(new Set(documents.map(({ jwt }) => jwt)).size).toBe(1);
    const [first] = documents;
    expect(first).toMatchObject({ expiresAt: clock.now() + 86_400, refreshAt: clock.now() + 86_400 });
    expect(headerOf(first!.jwt)).toMatchObject({ typ: 'jwk-set+jwt' });
    later.advance(86_399);
    expect(await node({ clock: later }).historicalKeys(view)).toEqual(first);
    later.advance(1);
    const renewed = await node({ clock: later }).historicalKeys(view);
    expect(claimsOf(renewed.jwt)).toMatchObject({ iat: later.now() });
    expect(await node({ clock: later }).historicalKeys(view)).toEqual(renewed);
  });

  it('[OIDFED-8.7-1] replaces historical keys when the keys change, and never by an older view of them', async () => {
    const authority = await registry.authority();
    const before = await served(authority);
    const key = before.keys[0]!;
    const { kid, alg, publicJwk, sealedPrivateKey } = await testSigner.generateKey(authority.id, 'ES256');
    const next = { ...key, kid, alg, publicJwk: publicJwk as typeof key.publicJwk, sealedPrivateKey };
    const expiresAt = new Date(key.createdAt.getTime() + 1000);
    const ended: ServedAuthority = { ...before, keys: [{ ...key, state: 'historical', expiresAt }, next] };
    const revokedAt = expiresAt;
    const revoked: ServedAuthority = {
      ...before,
      keys: [{ ...key, state: 'revoked', expiresAt, revokedAt, revocationReason: 'compromised' }, next],
    };
    const none = await node().historicalKeys(before);
    expect(claimsOf(none.jwt)['keys']).toEqual([]);
    const one = await node().historicalKeys(ended);
    expect(claimsOf(one.jwt)['keys']).toMatchObject([{ kid: key.kid }]);
    expect(headerOf(one.jwt)['kid']).toBe(kid);
    const last = await node().historicalKeys(revoked);
    expect(claimsOf(last.jwt)['keys']).toMatchObject([{ kid: key.kid, revoked: { reason: 'compromised' } }]);
    for (const outdated of [before, ended]) await node().historicalKeys(outdated);
    expect(await node().historicalKeys(revoked)).toEqual(last);
  });

  it('says nothing about a subject that is not active, whatever is stored about it', async () => {
    const { authority, entity } = await subordinate();
    const view = await served(authority);
    await issued(node(), view, entity);
    await transitionEntity(registry.context(), entity.id, 'suspend', 'incident');
    expect(await node().subordinateStatement(view, entity.entityIdentifier)).toBeUndefined();
  });

  it('signs nothing that breaks its own rules, and says what', async () => {
    const { authority, entity } = await subordinate();
    const view = await served(authority);
    const short = node({ houseRules: { maxLifetimeSeconds: 60 } });
    const refusal = { name: 'StatementUnfit', message: expect.stringContaining('/exp') };
    await expect(issued(short, view, entity)).rejects.toMatchObject(refusal);
    await registry.db
      .update(entities)
      .set({ crit: ['absent'] })
      .where(eq(entities.id, entity.id));
    await expect(issued(node(), view, entity)).rejects.toMatchObject({ message: expect.stringContaining('/crit') });
    const stored = await registry.db
      .select()
      .from(issuedStatements)
      .where(eq(issuedStatements.subject, entity.entityIdentifier));
    expect(stored).toEqual([]);
  });
});
