import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { addEntity } from '../../../../src/registry/entities/add-entity.ts';
import { markKeyCompromised } from '../../../../src/registry/entities/keys/mark-key-compromised.ts';
import { entityKeyState, readEntityKeys } from '../../../../src/registry/entities/keys/read-entity-keys.ts';
import { removeEntityKey } from '../../../../src/registry/entities/keys/remove-entity-key.ts';
import { readSubordinate } from '../../../../src/registry/entities/read-subordinate.ts';
import { recordChecks } from '../../../../src/registry/entities/record-checks.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../../src/registry/entities/update-entity.ts';
import { DATABASE_KINDS } from '../../../support/databases.ts';
import { NOW } from '../../../support/federation.ts';
import { actor, NOW_DATE, newEntity, openRegistry, outcome, type TestRegistry } from '../../../support/registry.ts';
import { freshKey, pushOutcome, TestSubordinate } from '../../../support/subordinate-keys.ts';

const reason = 'by a test';
const at = (iat: number) => ({ claims: { iat } });

describe.each(DATABASE_KINDS)('keys of a subordinate on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const enrol = (state?: 'pending' | 'active') => TestSubordinate.enrol(registry, authority, state);
  const remove = (entity: TestSubordinate, kid: string, allowNoKeys?: boolean) =>
    removeEntityKey(registry.context(), entity.id, { kid, reason, allowNoKeys });
  const compromise = (entity: TestSubordinate, kid: string) =>
    markKeyCompromised(registry.context(), entity.id, { kid, reason });

  describe('[OIDFED-11.2-10] a compromised key', () => {
    const statementKids = async (entity: TestSubordinate) =>
      (await readSubordinate(registry.db, authority.id, entity.entityIdentifier))?.keys.map(({ jwk }) => jwk.kid);

    it('is vouched for no more at once, and signs neither sets nor configurations', async () => {
      const entity = await enrol();
      const next = await freshKey();
      await entity.push([entity.key, next]);
      await compromise(entity, entity.key.kid);
      expect(await statementKids(entity)).toEqual([next.kid]);
      expect(await pushOutcome(entity.push([entity.key], { iat: NOW + 1 }))).toBe('key_set_not_authorised');
      expect((await entity.refresh([entity.key, next])).outcome).toBe('unknown_key');
      const again = entity.push([entity.key, next], { by: next, iat: NOW + 2 });
      expect(await pushOutcome(again)).toBe('key_set_invalid');
      const { keys } = await readEntityKeys(registry.db, actor(), entity.id);
      expect(keys.map((key) => entityKeyState(key, NOW_DATE))).toEqual(['compromised', 'registered']);
    });

    it('takes along what it proposed, and nothing that another key did', async () => {
      const entity = await enrol();
      const [honest, stolen] = [await freshKey(), await freshKey()];
      const [wanted, planted] = [await freshKey(), await freshKey()];
      await entity.push([entity.key, honest, stolen]);
      await entity.refresh([honest, wanted], at(NOW + 1));
      await entity.refresh([stolen, wanted, planted], at(NOW + 2));
      expect(await entity.proposals()).toEqual({ [wanted.kid]: 'proposed', [planted.kid]: 'proposed' });
      const seq = await registry.seq();
      await compromise(entity, stolen.kid);
      expect(await entity.proposals()).toEqual({ [wanted.kid]: 'proposed' });
      const [row] = await registry.auditAfter(seq);
      expect(row?.after).toMatchObject({ kid: stolen.kid, withdrawn: [planted.kid] });
      await compromise(entity, honest.kid);
      expect(await entity.proposals()).toEqual({});
      expect(await entity.findings()).not.toContain('keys_proposed');
    });

    it('keeps no honest configuration away by the times that it signed', async () => {
      const entity = await enrol();
      const [stolen, next] = [await freshKey(), await freshKey()];
      await entity.push([entity.key, stolen]);
      await entity.refresh([stolen, entity.key], at(NOW + 20));
      const honest = at(NOW + 1);
      expect((await entity.refresh([entity.key, next], honest)).outcome).toBe('older');
      await compromise(entity, stolen.kid);
      expect(await entity.refresh([entity.key, next], honest)).toMatchObject({
        outcome: 'followed',
        proposed: [next.kid],
      });
    });

    it('is no evidence for further keys, nor one that was removed', async () => {
      for (const end of [compromise, remove]) {
        const entity = await enrol();
        const [stolen, planted] = [await freshKey(), await freshKey()];
        await entity.push([entity.key, stolen]);
        await entity.refresh([stolen, entity.key, planted], at(NOW + 1));
        await end(entity, stolen.kid);
        const jwks = { keys: [entity.key.jwk, planted.jwk] };
        const update = () => updateEntity(registry.context(), entity.id, { jwks });
        expect(await outcome(update())).toBe('key_not_published at /jwks/keys/1');
        await entity.recheck([entity.key, planted], at(NOW + 2));
        expect(await outcome(update())).toBe('done');
      }
    });

    it('is none either for checks that ran while it was marked', async () => {
      const entity = await enrol();
      const stolen = await freshKey();
      await entity.push([entity.key, stolen]);
      await entity.refresh([entity.key, stolen], at(NOW + 1));
      const before = await entity.record();
      const found = { ...before, evidence: { ...before.evidence, digest: 'other', kid: stolen.kid }, jwks: null };
      await compromise(entity, stolen.kid);
      const seq = await registry.seq();
      await recordChecks(registry.context(), entity.id, found);
      expect([(await entity.record()).evidence, await registry.seq()]).toEqual([before.evidence, seq]);
    });

    it('stands in the evidence no longer once another key signed the same', async () => {
      const entity = await enrol();
      const other = await freshKey();
      await entity.push([entity.key, other]);
      await entity.recheck([entity.key, other]);
      const { evidence, ...found } = await entity.record();
      await recordChecks(registry.context(), entity.id, {
        ...found,
        evidence: { ...evidence, kid: other.kid },
        jwks: null,
      });
      expect((await entity.record()).evidence['kid']).toBe(other.kid);
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
      expect(await outcome(entity.accept(next))).toBe('entity_not_active');
      expect(await outcome(remove(entity, entity.key.kid, true))).toBe('entity_not_active');
      expect(await entity.kids()).toEqual([entity.key.kid]);
    });
  });
});
