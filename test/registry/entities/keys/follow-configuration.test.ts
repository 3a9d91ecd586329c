import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_KEYS } from '../../../../src/federation/jwk-set.ts';
import { keyThumbprint } from '../../../../src/federation/key-thumbprint.ts';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../../src/registry/authorities/update-authority.ts';
import { entityTypes, isIntermediate } from '../../../../src/registry/entities/entity.ts';
import { decideProposedKey } from '../../../../src/registry/entities/keys/decide-proposed-key.ts';
import { removeEntityKey } from '../../../../src/registry/entities/keys/remove-entity-key.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { authorities } from '../../../../src/storage/schema/authorities.ts';
import type { EnrolmentFlowStep } from '../../../../src/storage/schema/enrolment-flow.ts';
import { DATABASE_KINDS } from '../../../support/databases.ts';
import { NOW } from '../../../support/federation.ts';
import { offCurve, type TestKey } from '../../../support/keys.ts';
import { actor, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../../support/registry.ts';
import { freshKey, TestSubordinate } from '../../../support/subordinate-keys.ts';

const reason = 'by a test';
const at = (iat: number) => ({ claims: { iat } });

describe.each(DATABASE_KINDS)('[OIDFED-11.2-8] a configuration signed by a registered key, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const enrol = () => TestSubordinate.enrol(registry, authority);
  const remove = (entity: TestSubordinate, kid: string) =>
    removeEntityKey(registry.context(), entity.id, { kid, reason });
  const refuse = (entity: TestSubordinate, kid: string) =>
    decideProposedKey(registry.context(), entity.id, { decision: 'refuse', kid, reason });
  const renamed = (key: TestKey, kid: string): TestKey => ({ ...key, jwk: { ...key.jwk, kid } });

  it('proposes new keys, which a registrar accepts or refuses', async () => {
    const entity = await enrol();
    const [wanted, unwanted] = [await freshKey(), await freshKey()];
    const seq = await registry.seq();
    const refreshed = await entity.refresh([entity.key, wanted, unwanted]);
    expect(refreshed).toMatchObject({ outcome: 'followed', proposed: [wanted.kid, unwanted.kid], added: [] });
    expect(await registry.auditAfter(seq)).toContainEqual(
      expect.objectContaining({
        action: 'entity.propose_keys',
        after: expect.objectContaining({ signedBy: entity.key.kid, iat: NOW }),
      }),
    );
    expect(await entity.kids()).toEqual([entity.key.kid]);
    expect(await entity.findings()).toEqual(['keys_proposed']);
    await entity.accept(wanted);
    await refuse(entity, unwanted.kid);
    expect(await entity.kids()).toEqual([entity.key.kid, wanted.kid]);
    expect(await entity.proposals()).toEqual({ [wanted.kid]: 'accepted', [unwanted.kid]: 'refused' });
    expect(await entity.findings()).toEqual([]);
    expect(await outcome(entity.accept(unwanted))).toBe('not_found');
    const again = await entity.refresh([entity.key, wanted, unwanted], at(NOW + 1));
    expect(again.proposed).toEqual([]);
  });

  it('has the very key accepted that the registrar looked at', async () => {
    const entity = await enrol();
    const { kid, jwk } = await entity.proposeKey();
    const other = await freshKey();
    await entity.refresh([entity.key, renamed(other, kid)], at(NOW + 1));
    expect(await entity.proposals()).toEqual({ [kid]: 'proposed' });
    expect(await outcome(entity.accept({ ...other, kid, jwk }))).toBe('evidence_changed');
    expect(await entity.kids()).toEqual([entity.key.kid]);
    const seq = await registry.seq();
    await entity.accept({ ...other, kid });
    const after = { kid, thumbprint: await keyThumbprint(other.jwk), signedBy: entity.key.kid };
    expect(await registry.auditAfter(seq)).toMatchObject([{ action: 'entity.accept_key', after }]);
  });

  it('proposes no refused key again, under whatever kid, and no other one under its kid', async () => {
    const entity = await enrol();
    const refused = await entity.proposeKey();
    await refuse(entity, refused.kid);
    const again = await entity.refresh([entity.key, renamed(refused, 'another-name')], at(NOW + 1));
    const instead = await entity.refresh([entity.key, renamed(await freshKey(), refused.kid)], at(NOW + 2));
    expect([again.proposed, instead.proposed]).toEqual([[], []]);
    expect(await entity.proposals()).toEqual({ [refused.kid]: 'refused' });
  });

  it('adds them at once where the authority has it so, and removes none', async () => {
    const accepting = await registry.authority({ keyProposals: 'accept' });
    const entity = await TestSubordinate.enrol(registry, accepting);
    const next = await freshKey();
    const seq = await registry.seq();
    expect(await entity.refresh([entity.key, next])).toMatchObject({ added: [next.kid], proposed: [] });
    expect(await entity.kids()).toEqual([entity.key.kid, next.kid]);
    const [row] = await registry.auditAfter(seq);
    expect(row).toMatchObject({ action: 'entity.add_published_keys', after: { signedBy: entity.key.kid } });
    const without = await entity.refresh([next], at(NOW + 1));
    expect(without).toMatchObject({ outcome: 'followed', added: [] });
    expect(await entity.kids()).toEqual([entity.key.kid, next.kid]);
    expect(await entity.findings()).toEqual(['registered_key_missing']);
    await entity.refresh([next, entity.key], at(NOW + 2));
    expect(await entity.findings()).toEqual([]);
    await updateAuthority(registry.context(), accepting.id, { keyProposals: 'hold' });
  });

  it('[F40] drops the certificate of a registered key that it no longer shows, and takes another where keys are', async () => {
    const certified = (key: TestKey, x5c?: string[]): TestKey => ({
      ...key,
      jwk: { ...key.jwk, ...(x5c && { x5c, 'x5t#S256': x5c[0] }) },
    });
    const accepting = await registry.authority({ keyProposals: 'accept' });
    for (const [of, taken] of [
      [authority, undefined],
      [accepting, ['MIIC']],
    ] as const) {
      const entity = await TestSubordinate.enrol(registry, of);
      const further = await freshKey();
      await entity.push([entity.key, certified(further, ['MIIB'])]);
      const shown = async (x5c: string[] | undefined, iat: number) => {
        await entity.refresh([entity.key, certified(further, x5c)], at(iat));
        const { keys } = await entity.record();
        return keys.find(({ jwk }) => jwk.kid === further.kid)?.jwk;
      };
      // What was pushed later stands.
      expect((await shown(undefined, NOW - 1))?.['x5c']).toEqual(['MIIB']);
      expect((await shown(['MIIB'], NOW))?.['x5t#S256']).toBe('MIIB');
      const seq = await registry.seq();
      const changed = await shown(['MIIC'], NOW + 1);
      expect([changed?.['x5c'], changed?.['x5t#S256']]).toEqual([taken, undefined]);
      expect(await entity.findings()).toEqual(taken === undefined ? ['key_certificate_held'] : []);
      expect(await registry.auditAfter(seq)).toContainEqual(
        expect.objectContaining({
          action: 'entity.follow_key_certificates',
          after: expect.objectContaining({ recertified: [further.kid], signedBy: entity.key.kid }),
        }),
      );
      expect((await shown(undefined, NOW + 2))?.['x5c']).toBeUndefined();
      expect(await entity.findings()).toEqual([]);
    }
  });

  it('counts only when it is later than the last accepted one', async () => {
    const entity = await enrol();
    const next = await freshKey();
    await entity.refresh([entity.key], at(NOW - 10));
    const older = await entity.refresh([entity.key, next], at(NOW - 11));
    expect([older.outcome, await entity.findings(), await entity.proposals()]).toEqual([
      'older',
      ['configuration_older'],
      {},
    ]);
    expect((await entity.refresh([entity.key, next], at(NOW - 10))).outcome).toBe('unchanged');
    expect(await entity.findings()).toEqual([]);
    const later = await entity.refresh([entity.key, next], at(NOW - 9));
    expect(later.proposed).toEqual([next.kid]);
  });

  it('is no evidence in a check either when it is older than the last accepted one', async () => {
    const entity = await enrol();
    await entity.refresh([entity.key], at(NOW - 10));
    const { checks, evidence } = await entity.recheck([entity.key, await freshKey()], at(NOW - 11));
    expect(checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
      check: 'configuration_valid',
      reason: 'claim_invalid',
    });
    expect(evidence['claims']).toBeUndefined();
  });

  it('forgets what it no longer shows, so that nothing piles up', async () => {
    const entity = await enrol();
    const next = await freshKey();
    await entity.refresh([entity.key, next]);
    const seq = await registry.seq();
    await entity.refresh([entity.key], at(NOW + 1));
    expect([await entity.proposals(), await entity.findings()]).toEqual([{}, []]);
    expect(await registry.auditAfter(seq)).toContainEqual(
      expect.objectContaining({ after: expect.objectContaining({ withdrawn: [next.kid] }) }),
    );
    await entity.refresh([entity.key, next], at(NOW + 2));
    expect(await entity.proposals()).toEqual({ [next.kid]: 'proposed' });
  });

  it('[OIDFED-11.2-10] proposes neither a removed key nor a kid that stood for another', async () => {
    const entity = await enrol();
    const [removed, other] = [await freshKey(), await freshKey()];
    await entity.push([entity.key, removed]);
    await remove(entity, removed.kid);
    await entity.refresh([entity.key, removed]);
    expect([await entity.proposals(), await entity.findings()]).toEqual([{}, ['removed_key_published']]);
    await entity.refresh([entity.key, { ...renamed(other, removed.kid), kid: removed.kid }], at(NOW + 1));
    expect([await entity.proposals(), await entity.findings()]).toEqual([{}, ['kid_reused']]);
  });

  it('proposes a key once that it shows under two kids, and none that verifies nothing', async () => {
    const entity = await enrol();
    const [next, other] = [await freshKey(), await freshKey()];
    const { proposed } = await entity.refresh([entity.key, next, renamed(next, 'twice'), offCurve(other)]);
    expect(proposed).toEqual([next.kid]);
    const { findings } = await entity.record();
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'key_unsuitable', detail: expect.stringContaining(`twice, ${other.kid}`) }),
    );
  });

  it('has no more keys registered than an entity may have', async () => {
    const entity = await enrol();
    const many = await Promise.all(Array.from({ length: MAX_KEYS - 2 }, () => freshKey()));
    await entity.push([entity.key, ...many]);
    const [first, second] = [await freshKey(), await freshKey()];
    const { proposed } = await entity.refresh([entity.key, first, second]);
    expect(proposed).toEqual([first.kid]);
    await entity.push([entity.key, ...many, second], { iat: NOW + 1 });
    expect(await outcome(entity.accept(first))).toBe('validation_failed at /jwks');
    expect(await entity.kids()).toHaveLength(MAX_KEYS);
  });

  it('has its findings cured by what is decided, although it stays the same', async () => {
    const entity = await enrol();
    const gone = await freshKey();
    await entity.push([entity.key, gone]);
    await entity.refresh([entity.key]);
    expect(await entity.findings()).toEqual(['registered_key_missing']);
    await remove(entity, gone.kid);
    expect((await entity.refresh([entity.key])).outcome).toBe('unchanged');
    expect(await entity.findings()).toEqual([]);
  });

  it('has findings name a few of its keys, and no kid at length', async () => {
    const entity = await enrol();
    const keys = await Promise.all(Array.from({ length: 8 }, () => freshKey()));
    await entity.refresh([entity.key, ...keys.map((key, index) => renamed(key, `${index}${'k'.repeat(500)}`))]);
    const [{ detail } = { detail: '' }] = (await entity.record()).findings;
    expect(detail).toContain(`4${'k'.repeat(63)}… and 3 more`);
    expect(detail.length).toBeLessThan(600);
  });

  it('[OIDFED-11.2-11] changes nothing while the entity is not active', async () => {
    const entity = await enrol();
    await transitionEntity(registry.context(), entity.id, 'suspend', reason);
    expect(await outcome(entity.refresh([entity.key, await freshKey()]))).toBe('entity_not_active');
    await transitionEntity(registry.context(), entity.id, 'revoke', reason);
    expect(await outcome(entity.refresh([entity.key]))).toBe('illegal_transition');
  });

  describe('that declares other Entity Types', () => {
    const typesOf = async (entity: TestSubordinate) => {
      const record = await entity.record();
      return [entityTypes(record), isIntermediate(record)];
    };
    const approved = [['openid_relying_party', 'federation_entity'], false];

    it.each<[string, Record<string, object>]>([
      ['more', { openid_relying_party: {}, oauth_resource: {} }],
      ['fewer', {}],
      ['others', { oauth_client: {} }],
    ])('%s than approved raises a finding, and the record stays as it is', async (_what, metadata) => {
      const entity = await enrol();
      entity.published.metadata = metadata;
      await entity.refresh([entity.key], at(NOW + 1));
      expect([await entity.findings(), await typesOf(entity)]).toEqual([['types_changed'], approved]);
      entity.published.metadata = { openid_relying_party: {} };
      await entity.refresh([entity.key], at(NOW + 2));
      expect([await entity.findings(), await typesOf(entity)]).toEqual([[], approved]);
    });

    it('or becomes an Intermediate: the same, until somebody runs the checks', async () => {
      const entity = await enrol();
      const metadata = { federation_fetch_endpoint: `${entity.entityIdentifier}/fetch` };
      entity.published.metadata = { openid_relying_party: {}, federation_entity: metadata };
      await entity.refresh([entity.key], at(NOW + 1));
      expect([await entity.findings(), await typesOf(entity)]).toEqual([['types_changed'], approved]);
      await entity.recheck([entity.key], at(NOW + 1));
      expect([await entity.findings(), await typesOf(entity)]).toEqual([[], [approved[0], true]]);
    });

    it('or becomes an Intermediate: its own people do not make the record say so by running the checks', async () => {
      const entity = await enrol();
      const { authorityId, organisationId } = await entity.record();
      const reach = { authorities: [authorityId], organisations: [organisationId] };
      const member = actor({ roles: ['technical-contact'], ...reach });
      const metadata = { federation_fetch_endpoint: `${entity.entityIdentifier}/fetch` };
      entity.published.metadata = { openid_relying_party: {}, federation_entity: metadata };
      await entity.recheck([entity.key], at(NOW + 1), member);
      expect([await entity.findings(), await typesOf(entity)]).toEqual([['types_changed'], approved]);
    });

    it('or becomes an Intermediate: under a flow, which asks for approvals, no registrar makes it one', async () => {
      const entity = await enrol();
      const { authorityId } = await entity.record();
      const metadata = { federation_fetch_endpoint: `${entity.entityIdentifier}/fetch` };
      entity.published.metadata = { openid_relying_party: {}, federation_entity: metadata };
      const setFlow = (enrolmentFlow: EnrolmentFlowStep[] | null) =>
        registry.db.update(authorities).set({ enrolmentFlow }).where(eq(authorities.id, authorityId));
      await setFlow([{ step: 'approvals', intermediates: 2 }]);
      await entity.recheck([entity.key], at(NOW + 1), actor({ roles: ['registrar', 'approver'] }));
      expect([await entity.findings(), await typesOf(entity)]).toEqual([['types_changed'], approved]);
      await entity.recheck([entity.key], at(NOW + 1), actor({ roles: ['admin'] }));
      expect(await typesOf(entity)).toEqual([approved[0], true]);
      await setFlow(null);
    });
  });

  it('[OIDFED-11.2-9] while one that no registered key signed raises a finding, and changes nothing else', async () => {
    const entity = await enrol();
    const stranger = await freshKey();
    const before = await entity.record();
    const seq = await registry.seq();
    const refreshed = await entity.refresh([stranger, entity.key]);
    expect(refreshed).toMatchObject({ outcome: 'unknown_key', proposed: [], added: [] });
    expect(await registry.seq()).toBe(seq);
    expect(await entity.record()).toEqual({
      ...before,
      findings: [{ kind: 'signed_by_unknown_key', since: NOW_DATE, detail: expect.stringContaining(stranger.kid) }],
    });
    expect(await entity.proposals()).toEqual({});
    await entity.refresh([entity.key]);
    expect(await entity.findings()).toEqual([]);
  });

  it('cures that it could not be had, or was not valid', async () => {
    const entity = await enrol();
    const spoilt = await entity.refresh([entity.key], { claims: { exp: NOW - 3600 } });
    expect([spoilt.outcome, await entity.findings()]).toEqual(['invalid', ['configuration_invalid']]);
    expect((await entity.refresh([entity.key], { claims: { exp: NOW + 3600 } })).outcome).toBe('followed');
    expect(await entity.findings()).toEqual([]);
  });
});
