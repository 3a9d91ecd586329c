import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FederationError } from '../../../../src/federation/errors.ts';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../../src/registry/authorities/update-authority.ts';
import { addEntity } from '../../../../src/registry/entities/add-entity.ts';
import { decideProposedKey } from '../../../../src/registry/entities/keys/decide-proposed-key.ts';
import { markKeyCompromised } from '../../../../src/registry/entities/keys/mark-key-compromised.ts';
import { entityKeyState, readEntityKeys } from '../../../../src/registry/entities/keys/read-entity-keys.ts';
import { removeEntityKey } from '../../../../src/registry/entities/keys/remove-entity-key.ts';
import { readSubordinate } from '../../../../src/registry/entities/read-subordinate.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import { DATABASE_KINDS } from '../../../support/databases.ts';
import { NOW } from '../../../support/federation.ts';
import { actor, NOW_DATE, newEntity, openRegistry, outcome, type TestRegistry } from '../../../support/registry.ts';
import { freshKey, TestSubordinate } from '../../../support/subordinate-keys.ts';

const reason = 'by a test';

describe.each(DATABASE_KINDS)('keys of a subordinate on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const enrol = (state?: 'pending' | 'active') => TestSubordinate.enrol(registry, authority, state);
  const kidsOf = (keys: { kid: string }[]) => keys.map(({ kid }) => kid);
  const remove = (entity: TestSubordinate, kid: string, allowNoKeys?: boolean) =>
    removeEntityKey(registry.context(), entity.id, { kid, reason, allowNoKeys });
  const accept = (entity: TestSubordinate, kid: string) =>
    decideProposedKey(registry.context(), entity.id, 'accept', { kid, reason });
  const compromise = (entity: TestSubordinate, kid: string) =>
    markKeyCompromised(registry.context(), entity.id, { kid, reason });
  /** `done`, or the reason of the refusal. */
  async function pushed(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return 'done';
    } catch (error) {
      if (error instanceof FederationError) return error.reason;
      throw error;
    }
  }

  describe('[OIDFED-11.2-7] a pushed set', () => {
    it('[OIDFED-11.2-3] replaces what is registered, and the audit says who did it', async () => {
      const entity = await enrol();
      const next = await freshKey();
      const seq = await registry.seq();
      expect(await entity.push([next, entity.key])).toEqual({
        registered: [next.kid, entity.key.kid],
        added: [next.kid],
        removed: [],
      });
      expect(await entity.kids()).toEqual([next.kid, entity.key.kid]);
      const [row, ...others] = await registry.auditAfter(seq);
      expect(others).toEqual([]);
      expect(row).toMatchObject({
        action: 'entity.push_keys',
        subjectId: entity.id,
        actor: { kind: 'entity', id: entity.entityIdentifier },
      });
      expect(await entity.push([next], { iat: NOW + 1, by: next })).toMatchObject({ removed: [entity.key.kid] });
      expect(await entity.kids()).toEqual([next.kid]);
    });

    it('must be later than the last one: neither older nor again', async () => {
      const entity = await enrol();
      expect(await pushed(entity.push([entity.key], { iat: NOW - 10 }))).toBe('done');
      const seq = await registry.seq();
      expect(await pushed(entity.push([entity.key], { iat: NOW - 11 }))).toBe('key_set_not_newer');
      expect(await pushed(entity.push([entity.key], { iat: NOW - 10 }))).toBe('key_set_not_newer');
      expect(await registry.seq()).toBe(seq);
      expect(await pushed(entity.push([entity.key], { iat: NOW - 9.5 }))).toBe('done');
    });

    it('counts once when two come at once', async () => {
      const entity = await enrol();
      const [one, other] = [await freshKey(), await freshKey()];
      const outcomes = await Promise.all([
        pushed(entity.push([entity.key, one])),
        pushed(entity.push([entity.key, other])),
      ]);
      expect(outcomes.sort()).toEqual(['done', 'key_set_not_newer']);
      expect(await entity.kids()).toHaveLength(2);
    });

    it('is refused when signed by a key that is not registered, removed or expired', async () => {
      const entity = await enrol();
      const [stranger, removed] = [await freshKey(), await freshKey()];
      expect(await pushed(entity.push([stranger], { by: stranger }))).toBe('key_set_not_authorised');
      await entity.push([entity.key, removed]);
      await remove(entity, removed.kid);
      expect(await pushed(entity.push([entity.key], { by: removed, iat: NOW + 5 }))).toBe('key_set_not_authorised');
      const expiring = { ...entity.key, jwk: { ...entity.key.jwk, exp: NOW } };
      const next = await freshKey();
      await entity.push([expiring, next], { iat: NOW + 6 });
      expect(await pushed(entity.push([next], { by: entity.key, iat: NOW + 7 }))).toBe('key_set_not_authorised');
    });

    it('[OIDFED-8.7-6] never gives a kid to another key, and brings no removed key back, under whatever kid', async () => {
      const entity = await enrol();
      const [gone, other] = [await freshKey(), await freshKey()];
      await entity.push([entity.key, gone]);
      await entity.push([entity.key], { iat: NOW + 1 });
      const impostor = { ...other, jwk: { ...other.jwk, kid: gone.kid } };
      const renamed = { ...gone, jwk: { ...gone.jwk, kid: 'another-name' } };
      for (const returning of [impostor, gone, renamed]) {
        expect(await pushed(entity.push([entity.key, returning], { iat: NOW + 2 }))).toBe('key_set_invalid');
      }
      expect(await entity.kids()).toEqual([entity.key.kid]);
    });

    it('[OIDFED-11.2-11] leaves a key that counts', async () => {
      const entity = await enrol();
      const expired = { ...(await freshKey()) };
      expired.jwk = { ...expired.jwk, exp: NOW };
      expect(await pushed(entity.push([expired]))).toBe('key_set_invalid');
      expect(await entity.kids()).toEqual([entity.key.kid]);
    });

    it('[OIDFED-11.2-11] counts only while entity and organisation are active, and tells nobody which it is', async () => {
      const pending = await enrol('pending');
      expect(await pushed(pending.push([pending.key]))).toBe('key_set_not_authorised');
      const suspended = await enrol();
      await transitionEntity(registry.context(), suspended.id, 'suspend', reason);
      expect(await pushed(suspended.push([suspended.key]))).toBe('key_set_not_authorised');
      await transitionEntity(registry.context(), suspended.id, 'reinstate', reason);
      expect(await pushed(suspended.push([suspended.key]))).toBe('done');
      const { organisationId } = await suspended.record();
      await transitionOrganisation(registry.context(), organisationId, 'suspend', reason);
      expect(await pushed(suspended.push([suspended.key], { iat: NOW + 1 }))).toBe('key_set_not_authorised');
    });

    it('keeps nothing that no database keeps', async () => {
      const entity = await enrol();
      const odd = await freshKey();
      const spoilt = { ...odd, jwk: { ...odd.jwk, note: 'a\0b' } };
      expect(await pushed(entity.push([entity.key, spoilt]))).toBe('key_set_invalid');
    });
  });

  describe('[OIDFED-11.2-8] a configuration signed by a registered key', () => {
    it('proposes new keys, which a registrar accepts or refuses', async () => {
      const entity = await enrol();
      const [wanted, unwanted] = [await freshKey(), await freshKey()];
      const seq = await registry.seq();
      const refreshed = await entity.refresh([entity.key, wanted, unwanted]);
      expect(refreshed).toMatchObject({ outcome: 'followed', proposed: [wanted.kid, unwanted.kid], added: [] });
      expect((await registry.auditAfter(seq)).map(({ action }) => action)).toContain('entity.propose_keys');
      expect(await entity.kids()).toEqual([entity.key.kid]);
      expect(await entity.findings()).toEqual(['keys_proposed']);
      await accept(entity, wanted.kid);
      await decideProposedKey(registry.context(), entity.id, 'refuse', { kid: unwanted.kid, reason });
      expect(await entity.kids()).toEqual([entity.key.kid, wanted.kid]);
      expect(await entity.proposals()).toEqual({ [wanted.kid]: 'accepted', [unwanted.kid]: 'refused' });
      expect(await entity.findings()).toEqual([]);
      expect(await outcome(accept(entity, unwanted.kid))).toBe('not_found');
      const again = await entity.refresh([entity.key, wanted, unwanted], { claims: { iat: NOW + 1 } });
      expect(again.proposed).toEqual([]);
    });

    it('adds them at once where the authority has it so, and removes none', async () => {
      const accepting = await registry.authority({ keyProposals: 'accept' });
      const entity = await TestSubordinate.enrol(registry, accepting);
      const next = await freshKey();
      expect(await entity.refresh([entity.key, next])).toMatchObject({ added: [next.kid], proposed: [] });
      expect(await entity.kids()).toEqual([entity.key.kid, next.kid]);
      const without = await entity.refresh([next], { claims: { iat: NOW + 1 } });
      expect(without).toMatchObject({ outcome: 'followed', added: [] });
      expect(await entity.kids()).toEqual([entity.key.kid, next.kid]);
      expect(await entity.findings()).toEqual(['registered_key_missing']);
      await entity.refresh([next, entity.key], { claims: { iat: NOW + 2 } });
      expect(await entity.findings()).toEqual([]);
      await updateAuthority(registry.context(), accepting.id, { keyProposals: 'hold' });
    });

    it('counts only when it is later than the last accepted one', async () => {
      const entity = await enrol();
      const next = await freshKey();
      await entity.refresh([entity.key], { claims: { iat: NOW - 10 } });
      const older = await entity.refresh([entity.key, next], { claims: { iat: NOW - 11 } });
      expect([older.outcome, await entity.findings(), await entity.proposals()]).toEqual([
        'older',
        ['configuration_older'],
        {},
      ]);
      expect((await entity.refresh([entity.key, next], { claims: { iat: NOW - 10 } })).outcome).toBe('unchanged');
      expect(await entity.findings()).toEqual([]);
      const later = await entity.refresh([entity.key, next], { claims: { iat: NOW - 9 } });
      expect(later.proposed).toEqual([next.kid]);
    });

    it('withdraws what it no longer shows', async () => {
      const entity = await enrol();
      const next = await freshKey();
      await entity.refresh([entity.key, next]);
      await entity.refresh([entity.key], { claims: { iat: NOW + 1 } });
      expect([await entity.proposals(), await entity.findings()]).toEqual([{ [next.kid]: 'withdrawn' }, []]);
      await entity.refresh([entity.key, next], { claims: { iat: NOW + 2 } });
      expect(await entity.proposals()).toEqual({ [next.kid]: 'proposed' });
    });

    it('[OIDFED-11.2-10] proposes neither a removed key nor a kid that stood for another', async () => {
      const entity = await enrol();
      const [removed, other] = [await freshKey(), await freshKey()];
      await entity.push([entity.key, removed]);
      await remove(entity, removed.kid);
      await entity.refresh([entity.key, removed]);
      expect([await entity.proposals(), await entity.findings()]).toEqual([{}, ['removed_key_published']]);
      const impostor = { ...other, kid: removed.kid, jwk: { ...other.jwk, kid: removed.kid } };
      await entity.refresh([entity.key, impostor], { claims: { iat: NOW + 1 } });
      expect([await entity.proposals(), await entity.findings()]).toEqual([{}, ['kid_reused']]);
    });

    it('[OIDFED-11.2-11] changes nothing while the entity is not active', async () => {
      const entity = await enrol();
      await transitionEntity(registry.context(), entity.id, 'suspend', reason);
      expect(await outcome(entity.refresh([entity.key, await freshKey()]))).toBe('entity_not_active');
      await transitionEntity(registry.context(), entity.id, 'revoke', reason);
      expect(await outcome(entity.refresh([entity.key]))).toBe('illegal_transition');
    });
  });

  it('[OIDFED-11.2-9] a configuration that no registered key signed raises a finding, and changes nothing else', async () => {
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

  it('findings tell that a configuration cannot be had, or is not valid, until it is', async () => {
    const entity = await enrol();
    const spoilt = await entity.refresh([entity.key], { claims: { exp: NOW - 3600 } });
    expect([spoilt.outcome, await entity.findings()]).toEqual(['invalid', ['configuration_invalid']]);
    expect((await entity.refresh([entity.key], { claims: { exp: NOW + 3600 } })).outcome).toBe('followed');
    expect(await entity.findings()).toEqual([]);
  });

  describe('[OIDFED-11.2-10] a compromised key', () => {
    const statementKids = async (entity: TestSubordinate) =>
      (await readSubordinate(registry.db, authority.id, entity.entityIdentifier))?.keys.map(({ jwk }) => jwk.kid);

    it('is vouched for no more at once, and signs neither sets nor configurations', async () => {
      const entity = await enrol();
      const next = await freshKey();
      await entity.push([entity.key, next]);
      await compromise(entity, entity.key.kid);
      expect(await statementKids(entity)).toEqual([next.kid]);
      expect(await pushed(entity.push([entity.key], { iat: NOW + 1 }))).toBe('key_set_not_authorised');
      expect((await entity.refresh([entity.key, next])).outcome).toBe('unknown_key');
      expect(await pushed(entity.push([entity.key, next], { by: next, iat: NOW + 2 }))).toBe('key_set_invalid');
      const { keys } = await readEntityKeys(registry.db, actor(), entity.id);
      expect(keys.map((key) => entityKeyState(key, NOW_DATE))).toEqual(['compromised', 'registered']);
    });

    it('goes even as the last one, and while the entity is suspended', async () => {
      const entity = await enrol();
      await transitionEntity(registry.context(), entity.id, 'suspend', reason);
      await compromise(entity, entity.key.kid);
      expect(await entity.kids()).toEqual([]);
      const seq = await registry.seq();
      await compromise(entity, entity.key.kid);
      expect(await registry.seq()).toBe(seq);
      expect(await outcome(compromise(entity, 'unheard-of'))).toBe('not_found');
    });

    it('does not return in a new record of the entity either, nor stays in another one', async () => {
      const closed = await enrol();
      await transitionEntity(registry.context(), closed.id, 'withdraw', reason);
      const organisation = await registry.organisation(authority);
      const same = { entityIdentifier: closed.entityIdentifier, jwks: { keys: [closed.key.jwk] } };
      const { id } = await registry.entity(organisation, same);
      await compromise(closed, closed.key.kid);
      expect(await statementKids(closed)).toEqual([]);
      await transitionEntity(registry.context(), id, 'withdraw', reason);
      const input = await newEntity(organisation, same);
      expect(await outcome(addEntity(registry.context(), input))).toBe('validation_failed at /jwks');
    });
  });

  describe('[OIDFED-11.2-11] a registrar', () => {
    it('removes a key for good, the last one only when that is meant', async () => {
      const entity = await enrol();
      const next = await freshKey();
      await entity.push([entity.key, next]);
      expect(await outcome(remove(entity, 'unheard-of'))).toBe('not_found');
      expect(await outcome(remove(entity, entity.key.kid))).toBe('done');
      expect(await outcome(remove(entity, next.kid))).toBe('last_key');
      expect(await outcome(remove(entity, next.kid, true))).toBe('done');
      expect(await entity.kids()).toEqual([]);
    });

    it('removes and accepts nothing while the entity is not active', async () => {
      const entity = await enrol();
      const next = await freshKey();
      await entity.push([entity.key]);
      await entity.refresh([entity.key, next]);
      await transitionEntity(registry.context(), entity.id, 'suspend', reason);
      expect(await outcome(accept(entity, next.kid))).toBe('entity_not_active');
      expect(await outcome(remove(entity, entity.key.kid, true))).toBe('entity_not_active');
      expect(await entity.kids()).toEqual(kidsOf([entity.key]));
    });
  });
});
