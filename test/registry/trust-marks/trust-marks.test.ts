import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { renewTrustMark } from '../../../src/registry/trust-marks/renew-trust-mark.ts';
import { requestTrustMark } from '../../../src/registry/trust-marks/request-trust-mark.ts';
import { standingTypeIds } from '../../../src/registry/trust-marks/standing.ts';
import { transitionTrustMark } from '../../../src/registry/trust-marks/transition-trust-mark.ts';
import { listTrustMarks, readTrustMark } from '../../../src/registry/trust-marks/trust-mark.ts';
import type { TrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import {
  actor,
  freshIdentifier,
  NOW_DATE,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('Trust Marks on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const ask = (type: TrustMarkType, subject: string) =>
    requestTrustMark(registry.context(), { typeId: type.id, subject }, 'entity');

  it('are granted to a subject once, linked to its record if it is enrolled here', async () => {
    const type = await registry.trustMarkType(authority);
    const { id: entityId, entityIdentifier } = await registry.entity(await registry.organisation(authority));
    const mark = await registry.trustMark(type, entityIdentifier);
    expect(mark).toMatchObject({ subject: entityIdentifier, entityId, state: 'active', requestedBy: 'authority' });
    expect(await readTrustMark(registry.db, actor(), mark.id)).toEqual(mark);
    expect(await outcome(registry.trustMark(type, entityIdentifier))).toBe('trust_mark_exists');
    const both = [
      outcome(registry.trustMark(type, 'https://x.example')),
      outcome(registry.trustMark(type, 'https://x.example')),
    ];
    expect((await Promise.all(both)).sort()).toEqual(['done', 'trust_mark_exists']);
    const unknown = await registry.trustMark(type);
    expect(unknown.entityId).toBeNull();
    const { items } = await listTrustMarks(registry.db, actor(), { subject: entityIdentifier }, { limit: 10 });
    expect(items).toEqual([mark]);
  });

  it.each<[string, object]>([
    ['/subject', { subject: 'x' }],
    ['/expiresAt', { expiresAt: NOW_DATE }],
    ['/additionalClaims/iss', { additionalClaims: { iss: 'https://evil.example' } }],
    ['/additionalClaims', { additionalClaims: { note: 'x'.repeat(20_000) } }],
  ])('are refused at %s', async (field, settings) => {
    const type = await registry.trustMarkType(authority);
    expect(await outcome(registry.trustMark(type, undefined, settings))).toBe(`validation_failed at ${field}`);
  });

  describe('asked for', () => {
    it('wait for an approver, and asking twice changes nothing', async () => {
      const type = await registry.trustMarkType(authority);
      const subject = freshIdentifier('bearer');
      const mark = await ask(type, subject);
      expect(mark).toMatchObject({ state: 'pending', requestedBy: 'entity' });
      const seq = await registry.seq();
      expect(await ask(type, subject)).toEqual(mark);
      expect(await registry.seq()).toBe(seq);
      expect(await outcome(registry.trustMark(type, subject))).toBe('trust_mark_exists');
      const approved = await transitionTrustMark(registry.context(), mark.id, 'approve', 'audited');
      expect(approved).toMatchObject({ state: 'active', stateReason: 'audited', version: 2 });
      expect(await ask(type, subject)).toEqual(approved);
    });

    it('by many at once become one', async () => {
      const type = await registry.trustMarkType(authority, { approval: 'automatic' });
      const subject = freshIdentifier('bearer');
      const marks = await Promise.all([1, 2, 3].map(() => ask(type, subject)));
      expect(new Set(marks.map(({ id }) => id)).size).toBe(1);
    });

    it('are active at once where the type approves by itself, unless a person took one away before', async () => {
      const type = await registry.trustMarkType(authority, { approval: 'automatic' });
      const subject = freshIdentifier('bearer');
      const mark = await ask(type, subject);
      expect(mark.state).toBe('active');
      await transitionTrustMark(registry.context(), mark.id, 'withdraw', 'misused');
      const again = await ask(type, subject);
      expect([again.state, again.id === mark.id]).toEqual(['pending', false]);
      await transitionTrustMark(registry.context(), again.id, 'reject', 'still misused');
      expect((await ask(type, subject)).state).toBe('pending');
    });
  });

  describe('with rules', () => {
    it('go to entities of an Entity Type, enrolled here', async () => {
      const type = await registry.trustMarkType(authority, { eligibility: { entityTypes: ['openid_provider', 'x'] } });
      const organisation = await registry.organisation(authority);
      const op = await registry.entity(organisation, { verifiedEntityTypes: ['openid_provider'] });
      const rp = await registry.entity(organisation);
      const elsewhere = await registry.entity(await registry.organisation(await registry.authority()), {
        verifiedEntityTypes: ['openid_provider'],
      });
      expect(await outcome(registry.trustMark(type, op.entityIdentifier))).toBe('done');
      for (const subject of [rp.entityIdentifier, elsewhere.entityIdentifier]) {
        expect(await outcome(registry.trustMark(type, subject))).toBe('not_eligible');
        expect(await outcome(ask(type, subject))).toBe('not_eligible');
      }
    });

    it('go to holders of other marks of the same authority, while these stand', async () => {
      const member = await registry.trustMarkType(authority);
      const eligibility = { trustMarkTypes: [member.trustMarkType] };
      const audited = await registry.trustMarkType(authority, { eligibility });
      const { entityIdentifier: subject, id } = await registry.entity(await registry.organisation(authority));
      const error = await refusedBy(registry.trustMark(audited, subject));
      expect([error.code, error.message]).toEqual(['not_eligible', expect.stringContaining(member.trustMarkType)]);
      const mark = await registry.trustMark(member, subject);
      expect(await standingTypeIds(registry.db, authority.id, subject, NOW_DATE)).toEqual(new Set([member.id]));
      await transitionEntity(registry.context(), id, 'suspend', 'incident');
      expect(await standingTypeIds(registry.db, authority.id, subject, NOW_DATE)).toEqual(new Set());
      expect(await outcome(registry.trustMark(audited, subject))).toBe('not_eligible');
      await transitionEntity(registry.context(), id, 'reinstate', 'mended');
      const pending = await ask(audited, subject);
      await transitionTrustMark(registry.context(), mark.id, 'withdraw', 'over');
      expect(await outcome(transitionTrustMark(registry.context(), pending.id, 'approve', 'fine'))).toBe(
        'not_eligible',
      );
    });
  });

  it.each([
    ['pending', 'withdraw'],
    ['active', 'approve'],
    ['active', 'reject'],
    ['rejected', 'approve'],
    ['withdrawn', 'withdraw'],
    ['withdrawn', 'approve'],
  ] as const)('that are %s are not to %s', async (state, transition) => {
    const type = await registry.trustMarkType(authority);
    const { id } = await ask(type, freshIdentifier('bearer'));
    const way = { pending: [], active: ['approve'], rejected: ['reject'], withdrawn: ['approve', 'withdraw'] } as const;
    for (const step of way[state]) await transitionTrustMark(registry.context(), id, step, 'on the way');
    expect(await outcome(transitionTrustMark(registry.context(), id, transition, 'x'))).toBe('illegal_transition');
  });

  it('are renewed while they are active, and nothing changes where nothing is new', async () => {
    const type = await registry.trustMarkType(authority);
    const mark = await registry.trustMark(type);
    const renew = (renewal: object, version?: number) => renewTrustMark(registry.context(), mark.id, renewal, version);
    const expiresAt = new Date(NOW_DATE.getTime() + 86_400_000);
    expect(await renew({ expiresAt }, 1)).toMatchObject({ expiresAt, version: 2 });
    const seq = await registry.seq();
    expect((await renew({ expiresAt })).version).toBe(2);
    expect(await registry.seq()).toBe(seq);
    expect(await outcome(renew({ expiresAt: null }, 1))).toBe('version_mismatch');
    expect(await outcome(renew({ additionalClaims: { exp: 1 } }))).toBe('validation_failed at /additionalClaims/exp');
    expect(await renew({ additionalClaims: { level: 2 } })).toMatchObject({
      expiresAt,
      additionalClaims: { level: 2 },
    });
    await transitionTrustMark(registry.context(), mark.id, 'withdraw', 'over');
    expect(await outcome(renew({ expiresAt: null }))).toBe('illegal_transition');
  });
});
