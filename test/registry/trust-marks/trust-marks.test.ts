import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_TRUST_MARK_SECONDS } from '../../../src/federation/lint/lint-trust-mark.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { changeRegistry } from '../../../src/registry/change.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { affectedTrustMarks } from '../../../src/registry/trust-marks/affected-trust-marks.ts';
import { grantTrustMark } from '../../../src/registry/trust-marks/grant-trust-mark.ts';
import { renewTrustMark } from '../../../src/registry/trust-marks/renew-trust-mark.ts';
import { requestTrustMark } from '../../../src/registry/trust-marks/request-trust-mark.ts';
import { standingTypeIds } from '../../../src/registry/trust-marks/standing.ts';
import { transitionTrustMark } from '../../../src/registry/trust-marks/transition-trust-mark.ts';
import { listTrustMarks, readTrustMark } from '../../../src/registry/trust-marks/trust-mark.ts';
import { endOfMark } from '../../../src/registry/trust-marks/trust-mark-claims.ts';
import type { TrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import {
  actor,
  freshIdentifier,
  NOW_DATE,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';
import { assignedRole, role } from '../../support/roles.ts';

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

  it('F02 are for holders of one of the roles named, by the clock', async () => {
    const organisation = await registry.organisation(authority);
    const [pisp, aisp] = [await role(registry, authority), await role(registry, authority, { name: 'AISP' })];
    const type = await registry.trustMarkType(authority, { eligibility: { roles: [pisp.id, aisp.id] } });
    const validTo = new Date(NOW_DATE.getTime() + 1000);
    await assignedRole(registry, organisation, { id: aisp.id, validTo });
    const { id, entityIdentifier } = await registry.entity(organisation);
    const refusal = await refusedBy(ask(type, entityIdentifier));
    expect([refusal.code, refusal.details]).toEqual([
      'not_eligible',
      { unmet: ['holds none of the roles AISP, PISP'] },
    ]);
    expect(await outcome(ask(type, freshIdentifier('stranger')))).toBe('not_eligible');
    await giveRole(registry.context(), id, aisp.id);
    const request = { typeId: type.id, subject: entityIdentifier };
    expect(await outcome(requestTrustMark(registry.context(undefined, { now: validTo }), request))).toBe(
      'not_eligible',
    );
    expect(await outcome(ask(type, entityIdentifier))).toBe('done');
    const foreign = await role(registry, await registry.authority());
    const others = registry.trustMarkType(authority, { eligibility: { roles: [pisp.id, foreign.id] } });
    expect(await outcome(others)).toBe('validation_failed at /eligibility/roles/1');
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

  it('[OIDFED-7.1-1] end in whole seconds, and may be granted for longer than a mark lives', async () => {
    const type = await registry.trustMarkType(authority, { lifetimeSeconds: null });
    const tenYears = NOW_DATE.getTime() + 10 * 366 * 86_400_000;
    const mark = await registry.trustMark(type, undefined, { expiresAt: new Date(tenYears + 700) });
    expect(mark.expiresAt).toEqual(new Date(tenYears));
    const now = NOW_DATE.getTime() / 1000;
    expect(endOfMark(type, mark, NOW_DATE)).toEqual({ exp: now + MAX_TRUST_MARK_SECONDS });
    const soon = new Date(NOW_DATE.getTime() + 999);
    expect(await outcome(registry.trustMark(type, undefined, { expiresAt: soon }))).toBe(
      'validation_failed at /expiresAt',
    );
  });

  describe('of entities that leave', () => {
    it('stand for the present record once they are renewed', async () => {
      const type = await registry.trustMarkType(authority);
      const organisation = await registry.organisation(authority);
      const { id, entityIdentifier } = await registry.entity(organisation);
      const mark = await registry.trustMark(type, entityIdentifier);
      await transitionEntity(registry.context(), id, 'withdraw', 'moving');
      expect(await outcome(renewTrustMark(registry.context(), mark.id, {}))).toBe('not_eligible');
      const present = await registry.entity(organisation, { entityIdentifier });
      expect(await standingTypeIds(registry.db, authority.id, entityIdentifier, NOW_DATE)).toEqual(new Set());
      const renewed = await renewTrustMark(registry.context(), mark.id, {});
      expect(renewed).toMatchObject({ entityId: present.id, version: 2 });
      expect(await standingTypeIds(registry.db, authority.id, entityIdentifier, NOW_DATE)).toEqual(new Set([type.id]));
    });

    it('are not approved on a request from before', async () => {
      const type = await registry.trustMarkType(authority);
      const { id, entityIdentifier } = await registry.entity(await registry.organisation(authority));
      const asked = await ask(type, entityIdentifier);
      await transitionEntity(registry.context(), id, 'revoke', 'fraud');
      const approve = () => outcome(transitionTrustMark(registry.context(), asked.id, 'approve', 'fine'));
      expect(await approve()).toBe('not_eligible');
      await transitionTrustMark(registry.context(), asked.id, 'reject', 'gone');
      expect(await outcome(registry.trustMark(type, entityIdentifier))).toBe('done');
    });

    it('do not fall by what happened before they were given, whichever record has the later id', async () => {
      const type = await registry.trustMarkType(authority);
      const subject = freshIdentifier('bearer');
      const at = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);
      const earlierId = nextId();
      const organisation = await registry.organisation(authority);
      const { id } = await registry.entity(organisation, { entityIdentifier: subject });
      await transitionEntity(registry.context(), id, 'withdraw', 'gone');
      const context = registry.context(actor(), { now: at(60), newId: () => earlierId });
      await grantTrustMark(context, { typeId: type.id, subject });
      const stands = () => standingTypeIds(registry.db, authority.id, subject, at(60));
      expect(await stands()).toEqual(new Set([type.id]));
      const again = await registry.entity(organisation, { entityIdentifier: subject });
      expect(await stands()).toEqual(new Set([type.id]));
      await transitionEntity(registry.context(actor(), { now: at(61) }), again.id, 'suspend', 'incident');
      expect(await stands()).toEqual(new Set());
    });
  });

  it('are concerned by what ends or brings back an entity or its organisation, and by nothing else of these', async () => {
    const type = await registry.trustMarkType(authority);
    const organisation = await registry.organisation(authority);
    const { id, entityIdentifier } = await registry.entity(organisation);
    const { id: trustMarkId } = await registry.trustMark(type, entityIdentifier);
    const concerned = async (work: () => Promise<unknown>) => {
      const seq = await registry.seq();
      await work();
      const changes = await registry.auditAfter(seq);
      expect(changes).not.toEqual([]);
      return (await affectedTrustMarks(registry.db, changes)).map((mark) => mark.trustMarkId);
    };
    const context = registry.context();
    expect(await concerned(() => updateEntity(context, id, { statementLifetimeSeconds: 100 }))).toEqual([]);
    expect(await concerned(() => pushed(id))).toEqual([]);
    expect(await concerned(() => transitionEntity(context, id, 'suspend', 'x'))).toEqual([trustMarkId]);
    expect(await concerned(() => transitionEntity(context, id, 'reinstate', 'x'))).toEqual([trustMarkId]);
    expect(await concerned(() => transitionOrganisation(context, organisation.id, 'suspend', 'x'))).toEqual([
      trustMarkId,
    ]);
    expect(await concerned(() => transitionOrganisation(context, organisation.id, 'withdraw', 'x'))).toEqual([
      trustMarkId,
    ]);
  });

  /** What every push, acceptance or removal of a key leaves in the audit. */
  const pushed = (entityId: string) =>
    changeRegistry(registry.context(), async (_tx, record) =>
      record({
        action: 'entity.push_keys',
        authorityId: authority.id,
        subjectKind: 'entity',
        subjectId: entityId,
      }),
    );

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
