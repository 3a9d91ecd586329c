/** Tokens of members, and that nobody makes one with more reach than himself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/registry/actor.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { createToken, type NewToken } from '../../../src/registry/tokens/create-token.ts';
import { findTokenActor } from '../../../src/registry/tokens/find-token.ts';
import { listTokens } from '../../../src/registry/tokens/list-tokens.ts';
import { revokeToken } from '../../../src/registry/tokens/revoke-token.ts';
import { rotateOwnToken, rotateToken } from '../../../src/registry/tokens/rotate-token.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';

const later = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);

const TOKEN: NewToken = { name: 'x', roles: ['technical-contact'], authorityIds: null, lifetimeSeconds: 3600 };

describe.each(DATABASE_KINDS)('F03 tokens on %s', (kind) => {
  let registry: TestRegistry;
  let ours: Authority;
  let theirs: Authority;
  let own: Organisation;
  let neighbour: Organisation;
  let foreign: Organisation;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    [ours, theirs] = [await registry.authority(), await registry.authority()];
    own = await registry.organisation(ours);
    neighbour = await registry.organisation(ours);
    foreign = await registry.organisation(theirs);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const create = (settings: Partial<NewToken>, by?: Actor, now = NOW_DATE) =>
    createToken(registry.context(by, { now }), { ...TOKEN, ...settings });
  const scopedAdmin = () => actor({ roles: ['admin'], authorities: [ours.id] });
  const member = (role: 'organisation-admin' | 'technical-contact') =>
    actor({ roles: [role], authorities: [ours.id], organisations: [own.id] });

  it('of members are of organisations, in the authorities of these', async () => {
    const { token, secret } = await create({ roles: ['organisation-admin'], organisationIds: [own.id, foreign.id] });
    expect(token.authorityIds?.toSorted()).toEqual([ours.id, theirs.id].toSorted());
    expect(await findTokenActor(registry.db, secret, NOW_DATE)).toMatchObject({
      roles: ['organisation-admin'],
      authorities: new Set(token.authorityIds),
      organisations: new Set([own.id, foreign.id]),
    });
  });

  it('of members end with the last of their organisations', async () => {
    const [one, two] = [await registry.organisation(ours), await registry.organisation(ours)];
    const { secret } = await create({ organisationIds: [one.id, two.id] });
    const found = () => findTokenActor(registry.db, secret, NOW_DATE);
    await transitionOrganisation(registry.context(), one.id, 'suspend', 'x');
    expect((await found())?.organisations).toEqual(new Set([one.id, two.id]));
    await transitionOrganisation(registry.context(), one.id, 'revoke', 'x');
    expect((await found())?.organisations).toEqual(new Set([two.id]));
    await transitionOrganisation(registry.context(), two.id, 'withdraw', 'x');
    expect(await found()).toBeUndefined();
  });

  it.each<[string, string, (organisationId: string) => Partial<NewToken>]>([
    ['roles of members without organisations', '/roles', () => ({ organisationIds: null })],
    ['other roles with them', '/roles', (id) => ({ roles: ['auditor'], organisationIds: [id] })],
    ['both', '/roles', (id) => ({ roles: ['auditor', 'technical-contact'], organisationIds: [id] })],
    ['authorities besides', '/authorityIds', (id) => ({ organisationIds: [id], authorityIds: [] })],
    ['an id that is none', '/organisationIds/1', (id) => ({ organisationIds: [id, 'x'] })],
  ])('are not made with %s', async (_what, at, settings) => {
    expect(await outcome(create(settings(own.id)))).toBe(`validation_failed at ${at}`);
  });

  it('are not made for an organisation that is closed', async () => {
    const closed = await registry.organisation(ours, 'revoked');
    expect(await outcome(create({ organisationIds: [closed.id] }))).toBe('validation_failed at /organisationIds/0');
  });

  it.each<[string, string, () => [Actor, Partial<NewToken>]]>([
    [
      'validation_failed at /authorityIds/0',
      'another authority',
      () => [scopedAdmin(), { roles: ['auditor'], authorityIds: [theirs.id] }],
    ],
    ['role_missing', 'all authorities', () => [scopedAdmin(), { roles: ['auditor'], authorityIds: null }]],
    [
      'validation_failed at /organisationIds/0',
      "another authority's organisation",
      () => [scopedAdmin(), { organisationIds: [foreign.id] }],
    ],
    [
      'validation_failed at /organisationIds/0',
      'another organisation',
      () => [member('organisation-admin'), { organisationIds: [neighbour.id] }],
    ],
    [
      'validation_failed at /organisationIds/1',
      'another one besides',
      () => [member('organisation-admin'), { organisationIds: [own.id, neighbour.id] }],
    ],
    [
      'role_missing',
      'a peer',
      () => [member('organisation-admin'), { roles: ['organisation-admin'], organisationIds: [own.id] }],
    ],
    [
      'role_missing',
      'an auditor',
      () => [member('organisation-admin'), { roles: ['auditor'], authorityIds: [ours.id] }],
    ],
    ['role_missing', 'anybody at all', () => [member('organisation-admin'), { organisationIds: null }]],
    ['role_missing', 'a peer of contacts', () => [member('technical-contact'), { organisationIds: [own.id] }]],
  ])('%s for more than their maker has: %s', async (expected, _what, attempt) => {
    const [by, settings] = attempt();
    const seq = await registry.seq();
    expect(await outcome(create(settings, by))).toBe(expected);
    expect(await registry.seq()).toBe(seq);
  });

  it('are made within the reach of their maker', async () => {
    await create({ roles: ['admin'], authorityIds: [ours.id] }, scopedAdmin());
    await create({ roles: ['organisation-admin'], organisationIds: [own.id] }, scopedAdmin());
    const { token } = await create({ organisationIds: [own.id] }, member('organisation-admin'));
    const [row] = await registry.auditAfter((await registry.seq()) - 1);
    expect(row).toMatchObject({
      action: 'api_token.create',
      authorityId: ours.id,
      subjectId: token.id,
      after: { roles: ['technical-contact'], organisationIds: [own.id], authorityIds: [ours.id] },
    });
  });

  it('are seen, ended and rotated by whoever could have made them', async () => {
    const everywhere = (await create({ roles: ['auditor'] })).token;
    const of = async (organisation: Organisation) => (await create({ organisationIds: [organisation.id] })).token;
    const [mine, next, far] = [await of(own), await of(neighbour), await of(foreign)];
    const boss = (await create({ roles: ['organisation-admin'], organisationIds: [own.id] })).token;
    const tokens = [everywhere, mine, next, far, boss];
    const seenBy = async (by: Actor) => {
      const { items } = await listTokens(registry.db, by, { limit: 500 });
      return tokens.filter(({ id }) => items.some((item) => item.id === id));
    };
    expect(await seenBy(actor({ roles: ['auditor'] }))).toEqual(tokens);
    expect(await seenBy(scopedAdmin())).toEqual([mine, next, boss]);
    expect(await seenBy(member('organisation-admin'))).toEqual([mine, boss]);
    const attempts = async (by: Actor, id: string) => [
      await outcome(rotateToken(registry.context(by), id, { overlapSeconds: 0 })),
      await outcome(revokeToken(registry.context(by), id)),
    ];
    for (const { id } of [everywhere, far]) {
      expect(await attempts(scopedAdmin(), id)).toEqual(['not_found', 'not_found']);
    }
    for (const { id } of [everywhere, far, next]) {
      expect(await attempts(member('organisation-admin'), id)).toEqual(['not_found', 'not_found']);
    }
    expect(await attempts(member('organisation-admin'), boss.id)).toEqual(['role_missing', 'role_missing']);
    expect(await attempts(member('technical-contact'), mine.id)).toEqual(['role_missing', 'role_missing']);
    expect(await attempts(member('organisation-admin'), mine.id)).toEqual(['done', 'done']);
    expect(await attempts(scopedAdmin(), boss.id)).toEqual(['done', 'done']);
  });

  describe('that are rotated', () => {
    const good = async (secret: string, seconds: number) =>
      (await findTokenActor(registry.db, secret, later(seconds)))?.id;

    it('have a new secret, and the old one until the stated moment', async () => {
      const { token, secret } = await create({ roles: ['registrar'] });
      const rotated = await rotateToken(registry.context(), token.id, { overlapSeconds: 60 });
      expect(rotated.secret).not.toBe(secret);
      expect(rotated.token).toEqual({ ...token, previousExpiresAt: later(60) });
      expect([await good(secret, 59), await good(secret, 60)]).toEqual([token.id, undefined]);
      expect([await good(rotated.secret, 60), await good(rotated.secret, 3600)]).toEqual([token.id, undefined]);
      const [row] = await registry.auditAfter((await registry.seq()) - 1);
      expect(row).toMatchObject({
        action: 'api_token.rotate',
        subjectId: token.id,
        before: { previousExpiresAt: null },
        after: { previousExpiresAt: later(60).toISOString() },
      });
      expect(JSON.stringify(row)).not.toContain(rotated.secret);
    });

    it('again have no third secret, and none that outlives the token', async () => {
      const { token, secret } = await create({ roles: ['registrar'] });
      const second = await rotateToken(registry.context(), token.id, { overlapSeconds: 600 });
      const third = await rotateToken(registry.context(), token.id, { overlapSeconds: 86_400 });
      expect([await good(secret, 0), await good(second.secret, 0), await good(third.secret, 0)]).toEqual([
        ...[undefined, token.id, token.id],
      ]);
      expect(third.token.previousExpiresAt).toEqual(token.expiresAt);
      expect(await good(second.secret, 3600)).toBeUndefined();
    });

    it('at once have the new secret only', async () => {
      const { token, secret } = await create({ roles: ['registrar'] });
      const { secret: next } = await rotateToken(registry.context(), token.id, { overlapSeconds: 0 });
      expect([await good(secret, 0), await good(next, 0)]).toEqual([undefined, token.id]);
      await revokeToken(registry.context(), token.id);
      expect(await good(next, 0)).toBeUndefined();
    });

    it('both end when the token is revoked, which is not rotated any more', async () => {
      const { token, secret } = await create({ roles: ['registrar'] });
      const { secret: next } = await rotateToken(registry.context(), token.id, { overlapSeconds: 600 });
      await revokeToken(registry.context(), token.id);
      expect([await good(secret, 0), await good(next, 0)]).toEqual([undefined, undefined]);
      const again = { overlapSeconds: 0 };
      expect(await outcome(rotateToken(registry.context(), token.id, again))).toBe('illegal_transition');
      const { token: brief } = await create({ roles: ['registrar'], lifetimeSeconds: 1 });
      const late = registry.context(undefined, { now: later(1) });
      expect(await outcome(rotateToken(late, brief.id, again))).toBe('illegal_transition');
      expect(await outcome(rotateToken(registry.context(), brief.id, { overlapSeconds: 604_801 }))).toBe(
        'validation_failed at /overlapHours',
      );
    });

    it('by themselves are so with the present secret only: the old one does not renew itself', async () => {
      const { token, secret } = await create({ organisationIds: [own.id] });
      const rotated = await rotateToken(registry.context(), token.id, { overlapSeconds: 60 });
      const attempt = async (presented: string) => {
        const self = await findTokenActor(registry.db, presented, NOW_DATE);
        return await outcome(rotateOwnToken(registry.context(self), { overlapSeconds: 60 }));
      };
      expect(await attempt(secret)).toBe('illegal_transition');
      expect(await attempt(rotated.secret)).toBe('done');
    });

    it('by themselves are so whatever their role, and only if they are on record', async () => {
      const { token, secret } = await create({ organisationIds: [own.id] });
      const self = await findTokenActor(registry.db, secret, NOW_DATE);
      if (self === undefined) throw new Error('the token is not good');
      const rotated = await rotateOwnToken(registry.context(self), { overlapSeconds: 0 });
      expect(rotated.token.id).toBe(token.id);
      const operator: Actor = { ...actor(), kind: 'operator', id: 'admin-token' };
      const attempt = rotateOwnToken(registry.context(operator), { overlapSeconds: 0 });
      expect(await outcome(attempt)).toBe('illegal_transition');
    });
  });
});
