import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { MAX_KEYS_EVER } from '../../../../src/registry/entities/keys/key-history.ts';
import { markKeyCompromised } from '../../../../src/registry/entities/keys/mark-key-compromised.ts';
import { removeEntityKey } from '../../../../src/registry/entities/keys/remove-entity-key.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../../src/registry/entities/update-entity.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import { entityRefreshes } from '../../../../src/storage/schema/entity-refreshes.ts';
import { DATABASE_KINDS } from '../../../support/databases.ts';
import { NOW } from '../../../support/federation.ts';
import { offCurve, type TestKey } from '../../../support/keys.ts';
import { actor, openRegistry, outcome, type TestRegistry } from '../../../support/registry.ts';
import { freshKey, pushOutcome, TestSubordinate } from '../../../support/subordinate-keys.ts';

const reason = 'by a test';

describe.each(DATABASE_KINDS)('[OIDFED-11.2-7] a pushed set on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const enrol = (state?: 'pending' | 'active') => TestSubordinate.enrol(registry, authority, state);
  const remove = (entity: TestSubordinate, kid: string) =>
    removeEntityKey(registry.context(), entity.id, { kid, reason });
  /** Somebody acts some seconds after NOW. */
  const later = (seconds: number) => registry.context(actor(), { now: new Date((NOW + seconds) * 1000) });

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
      after: { signedBy: entity.key.kid, iat: NOW },
    });
    expect(await entity.push([next], { iat: NOW + 1, by: next })).toMatchObject({ removed: [entity.key.kid] });
    expect(await entity.kids()).toEqual([next.kid]);
  });

  it('must be later than the last one: neither older nor again', async () => {
    const entity = await enrol();
    const next = await freshKey();
    expect(await pushOutcome(entity.push([entity.key, next], { iat: NOW + 10 }))).toBe('done');
    const seq = await registry.seq();
    expect(await pushOutcome(entity.push([entity.key], { iat: NOW + 9 }))).toBe('key_set_not_newer');
    expect(await pushOutcome(entity.push([entity.key], { iat: NOW + 10 }))).toBe('key_set_not_newer');
    expect(await registry.seq()).toBe(seq);
    expect(await pushOutcome(entity.push([entity.key], { iat: NOW + 10.5 }))).toBe('done');
  });

  it('that says what is so already leaves the record alone, and is the last one all the same', async () => {
    const entity = await enrol();
    const day = new Date((NOW + 86_400) * 1000);
    await registry.db.insert(entityRefreshes).values({ entityId: entity.id, nextRefreshAt: day });
    const before = { record: await entity.record(), seq: await registry.seq() };
    const same = { registered: [entity.key.kid], added: [], removed: [] };
    expect(await entity.push([entity.key], { iat: NOW + 5 })).toEqual(same);
    expect({ record: await entity.record(), seq: await registry.seq() }).toEqual(before);
    const plans = await registry.db.select().from(entityRefreshes).where(eq(entityRefreshes.entityId, entity.id));
    expect(plans.map(({ nextRefreshAt }) => nextRefreshAt)).toEqual([day]);
    const earlier = entity.push([entity.key, await freshKey()], { iat: NOW + 4 });
    expect(await pushOutcome(earlier)).toBe('key_set_not_newer');
  });

  it('counts once when two come at once', async () => {
    const entity = await enrol();
    const [one, other] = [await freshKey(), await freshKey()];
    const outcomes = await Promise.all([
      pushOutcome(entity.push([entity.key, one])),
      pushOutcome(entity.push([entity.key, other])),
    ]);
    expect(outcomes.sort()).toEqual(['done', 'key_set_not_newer']);
    expect(await entity.kids()).toHaveLength(2);
  });

  it('is refused when signed by a key that is not registered, removed or expired', async () => {
    const entity = await enrol();
    const [stranger, removed] = [await freshKey(), await freshKey()];
    expect(await pushOutcome(entity.push([stranger], { by: stranger }))).toBe('key_set_not_authorised');
    await entity.push([entity.key, removed]);
    await remove(entity, removed.kid);
    expect(await pushOutcome(entity.push([entity.key], { by: removed, iat: NOW + 5 }))).toBe('key_set_not_authorised');
    const expiring = { ...entity.key, jwk: { ...entity.key.jwk, exp: NOW } };
    const next = await freshKey();
    await entity.push([expiring, next], { iat: NOW + 6 });
    expect(await pushOutcome(entity.push([next], { by: entity.key, iat: NOW + 7 }))).toBe('key_set_not_authorised');
  });

  it('[OIDFED-8.7-6] never gives a kid to another key, and brings no removed key back, under whatever kid', async () => {
    const entity = await enrol();
    const [gone, other] = [await freshKey(), await freshKey()];
    await entity.push([entity.key, gone]);
    await entity.push([entity.key], { iat: NOW + 1 });
    const impostor = { ...other, jwk: { ...other.jwk, kid: gone.kid } };
    const renamed = { ...gone, jwk: { ...gone.jwk, kid: 'another-name' } };
    for (const returning of [impostor, gone, renamed]) {
      expect(await pushOutcome(entity.push([entity.key, returning], { iat: NOW + 2 }))).toBe('key_set_invalid');
    }
    expect(await entity.kids()).toEqual([entity.key.kid]);
  });

  it('[OIDFED-8.7-6] never gives a kid to another key than in a closed record of the entity', async () => {
    const closed = await enrol();
    const past = await freshKey();
    await closed.push([closed.key, past]);
    await transitionEntity(registry.context(), closed.id, 'withdraw', reason);
    const organisation = await registry.organisation(authority);
    const same = { entityIdentifier: closed.entityIdentifier, jwks: { keys: [closed.key.jwk] } };
    await registry.entity(organisation, same);
    const other = await freshKey();
    const impostor = { ...other, jwk: { ...other.jwk, kid: past.kid } };
    expect(await pushOutcome(closed.push([closed.key, impostor], { iat: NOW + 1 }))).toBe('key_set_invalid');
  });

  it('holds no key twice, under two kids, and none that verifies nothing', async () => {
    const entity = await enrol();
    const [twice, next] = [{ ...entity.key, jwk: { ...entity.key.jwk, kid: 'twice' } }, await freshKey()];
    for (const unfit of [twice, offCurve(next)]) {
      expect(await pushOutcome(entity.push([entity.key, unfit]))).toBe('key_set_invalid');
    }
    expect(await pushOutcome(entity.push([entity.key, next]))).toBe('done');
  });

  it('[OIDFED-11.2-11] leaves a key that counts', async () => {
    const entity = await enrol();
    const expired = { ...(await freshKey()) };
    expired.jwk = { ...expired.jwk, exp: NOW };
    expect(await pushOutcome(entity.push([expired]))).toBe('key_set_invalid');
    expect(await entity.kids()).toEqual([entity.key.kid]);
  });

  it('[OIDFED-11.2-11] counts only while entity and organisation are active, and tells nobody which it is', async () => {
    const pending = await enrol('pending');
    expect(await pushOutcome(pending.push([pending.key]))).toBe('key_set_not_authorised');
    const suspended = await enrol();
    await transitionEntity(registry.context(), suspended.id, 'suspend', reason);
    expect(await pushOutcome(suspended.push([suspended.key]))).toBe('key_set_not_authorised');
    await transitionEntity(registry.context(), suspended.id, 'reinstate', reason);
    expect(await pushOutcome(suspended.push([suspended.key]))).toBe('done');
    const { organisationId } = await suspended.record();
    await transitionOrganisation(registry.context(), organisationId, 'suspend', reason);
    expect(await pushOutcome(suspended.push([suspended.key], { iat: NOW + 1 }))).toBe('key_set_not_authorised');
  });

  it('[OIDFED-11.2-11] that was signed before a suspension says nothing after it', async () => {
    const entity = await enrol();
    const next = await freshKey();
    await transitionEntity(later(1), entity.id, 'suspend', reason);
    await transitionEntity(later(5), entity.id, 'reinstate', reason);
    expect(await pushOutcome(entity.push([entity.key, next], { iat: NOW + 4 }))).toBe('key_set_not_newer');
    expect(await pushOutcome(entity.push([entity.key, next], { iat: NOW + 5 }))).toBe('done');
    const { organisationId } = await entity.record();
    await transitionOrganisation(later(6), organisationId, 'suspend', reason);
    await transitionOrganisation(later(9), organisationId, 'reinstate', reason);
    expect(await pushOutcome(entity.push([entity.key], { iat: NOW + 8 }))).toBe('key_set_not_newer');
    expect(await pushOutcome(entity.push([entity.key], { iat: NOW + 9 }))).toBe('done');
  });

  it('[OIDFED-11.2-11] that was signed before a registrar decided does not undo the decision', async () => {
    const decisions: [string, (entity: TestSubordinate, other: TestKey) => Promise<unknown>][] = [
      ['accepted', (entity, other) => entity.accept(other, later(5))],
      ['removed', (entity) => removeEntityKey(later(5), entity.id, { kid: entity.key.kid, reason, allowNoKeys: true })],
      ['compromised', (entity) => markKeyCompromised(later(5), entity.id, { kid: entity.key.kid, reason })],
      ['replaced', ({ id, key }, other) => updateEntity(later(5), id, { jwks: { keys: [other.jwk, key.jwk] } })],
    ];
    for (const [decision, decide] of decisions) {
      const entity = await enrol();
      const [by, proposed] = [await freshKey(), await freshKey()];
      await entity.push([entity.key, by]);
      await entity.refresh([entity.key, by, ...(decision === 'accepted' ? [proposed] : [])]);
      await decide(entity, decision === 'accepted' ? proposed : by);
      if (decision === 'replaced') expect(await entity.kids()).toHaveLength(2);
      const push = (iat: number) => pushOutcome(entity.push([by], { by, iat }));
      expect([decision, await push(NOW + 5)]).toEqual([decision, 'key_set_not_newer']);
      expect([decision, await push(NOW + 6)]).toEqual([decision, 'done']);
    }
  });

  it('is let in only after its signature and its time were looked at, so that nobody else spends a quota', async () => {
    const entity = await enrol();
    const stranger = await freshKey();
    let asked = 0;
    const admit = () => {
      asked++;
      if (asked > 2) throw new Error('no more');
    };
    const push = (keys: TestKey[], options: { iat?: number; by?: TestKey }) => entity.push(keys, { ...options, admit });
    expect(await pushOutcome(push([stranger], { by: stranger }))).toBe('key_set_not_authorised');
    expect(await pushOutcome(push([entity.key], { iat: NOW + 1 }))).toBe('done');
    expect(await pushOutcome(push([entity.key], { iat: NOW + 1 }))).toBe('key_set_not_newer');
    expect(asked).toBe(1);
    expect(await pushOutcome(push([entity.key], { iat: NOW + 2 }))).toBe('done');
    await expect(push([entity.key, stranger], { iat: NOW + 3 })).rejects.toThrow('no more');
    expect(await entity.kids()).toEqual([entity.key.kid]);
  });

  it('adds no key beyond those that are ever kept of an entity, whoever removed the others', async () => {
    const entity = await enrol();
    await registry.db.execute(sql`
      insert into entity_keys (entity_id, kid, position, public_jwk, added_at, source, removed_at, removal)
      select ${entity.id}, 'past-' || number, number,
        jsonb_build_object('kty', 'EC', 'kid', 'past-' || number, 'crv', 'P-256', 'x', 'AA', 'y', 'AA'), now(), 'push',
        now(), 'push'
      from generate_series(1, ${MAX_KEYS_EVER - 2}) as number`);
    const [last, more] = [await freshKey(), await freshKey()];
    expect(await pushOutcome(entity.push([entity.key, last, more]))).toBe('key_set_invalid');
    expect(await pushOutcome(entity.push([entity.key, last]))).toBe('done');
    expect(await pushOutcome(entity.push([entity.key, more], { iat: NOW + 1 }))).toBe('key_set_invalid');
    await entity.refresh([entity.key, last, more]);
    expect([await entity.proposals(), await entity.findings()]).toEqual([{}, ['key_unsuitable']]);
    await registry.publishKeys(await entity.record(), { keys: [entity.key.jwk, last.jwk, more.jwk] });
    const jwks = { keys: [entity.key.jwk, more.jwk] };
    expect(await outcome(updateEntity(registry.context(), entity.id, { jwks }))).toBe('validation_failed at /jwks');
    expect(await pushOutcome(entity.push([last, entity.key], { iat: NOW + 2 }))).toBe('done');
  });

  it('keeps nothing that no database keeps', async () => {
    const entity = await enrol();
    const odd = await freshKey();
    const spoilt = { ...odd, jwk: { ...odd.jwk, note: 'a\0b' } };
    expect(await pushOutcome(entity.push([entity.key, spoilt]))).toBe('key_set_invalid');
  });
});
