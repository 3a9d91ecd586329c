import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Jwk, MAX_KEYS } from '../../../src/federation/jwk-set.ts';
import { addEntity } from '../../../src/registry/entities/add-entity.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { listEntities, readEntity } from '../../../src/registry/entities/read-entity.ts';
import { recordChecks } from '../../../src/registry/entities/record-checks.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW } from '../../support/federation.ts';
import { testKey, weakRsaKey } from '../../support/keys.ts';
import { actor, freshJwks, newEntity, openOrganisation, outcome, refusedBy } from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('updateEntity on %s', async (kind) => {
  const { registry, organisation } = await openOrganisation(kind);
  afterAll(() => registry[Symbol.asyncDispose]());

  const update = (entity: Entity, ...args: [Parameters<typeof updateEntity>[2], number?]) =>
    updateEntity(registry.context(), entity.id, ...args);
  const keysOf = async ({ id }: Entity) => (await readEntity(registry.db, actor(), id)).keys.map(({ jwk }) => jwk.kid);

  it('changes what is given and nothing else', async () => {
    const entity = await registry.entity(organisation, { statementLifetimeSeconds: 900 });
    const metadataPolicy = { openid_relying_party: { contacts: { essential: true } } };
    const updated = await update(entity, { metadataPolicy, constraints: undefined });
    const checksOutdated = true;
    expect(updated).toEqual({ ...entity, metadataPolicy, checksOutdated, version: entity.version + 1 });
    const reset = await update(entity, { statementLifetimeSeconds: null });
    expect(reset).toEqual({ ...updated, statementLifetimeSeconds: null, version: entity.version + 2 });
  });

  it('keeps version and seq when nothing would change', async () => {
    const entity = await registry.entity(organisation, { constraints: { max_path_length: 1 } });
    const seq = await registry.seq();
    const same = {
      metadata: {},
      constraints: { max_path_length: 1 },
      jwks: { keys: entity.keys.map(({ jwk }) => jwk) },
    };
    expect(await update(entity, same)).toEqual(entity);
    expect(await registry.seq()).toBe(seq);
  });

  it('keeps empty constraints as none', async () => {
    const entity = await registry.entity(organisation, { constraints: { max_path_length: 1 } });
    expect((await update(entity, { constraints: {} })).constraints).toBeNull();
  });

  it('refuses a stale version', async () => {
    const entity = await registry.entity(organisation);
    expect(await outcome(update(entity, { crit: [] }, entity.version - 1))).toBe('version_mismatch');
  });

  it('lets one of two updates of the same version win', async () => {
    const entity = await registry.entity(organisation);
    const outcomes = await Promise.all([
      outcome(update(entity, { statementLifetimeSeconds: 100 }, entity.version)),
      outcome(update(entity, { statementLifetimeSeconds: 200 }, entity.version)),
    ]);
    expect(outcomes.sort()).toEqual(['done', 'version_mismatch']);
  });

  it.each(['rejected', 'withdrawn', 'revoked'] as const)('leaves a record alone that is %s', async (state) => {
    const entity = await registry.entity(organisation, {}, state);
    const error = await refusedBy(update(entity, { statementLifetimeSeconds: 100 }));
    expect([error.code, error.details]).toEqual(['illegal_transition', { from: state, allowed: [] }]);
    expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
  });

  it('judges the whole of what would be kept, not only what is new', async () => {
    const understoodClaims = new Set(['a']);
    const input = await newEntity(organisation, { additionalClaims: { a: 1 }, crit: ['a'] });
    const entity = await addEntity(registry.context(actor(), { understoodClaims }), input);
    expect(await outcome(update(entity, { additionalClaims: {} }))).toBe('validation_failed at /crit/0');
    expect(await outcome(update(entity, { additionalClaims: {}, crit: [] }))).toBe('done');
  });

  describe('keys', () => {
    it('stand side by side for a rollover, in the order they were given', async () => {
      const entity = await registry.entity(organisation);
      const [old] = entity.keys;
      const { keys: added } = await freshJwks(2);
      const wanted = [...added, old?.jwk].filter((jwk) => jwk !== undefined);
      await registry.publishKeys(entity, { keys: wanted });
      await update(entity, { jwks: { keys: wanted } });
      expect(await keysOf(entity)).toEqual(wanted.map((jwk) => jwk.kid));
      await update(entity, { jwks: { keys: wanted.toReversed() } });
      expect(await keysOf(entity)).toEqual(wanted.toReversed().map((jwk) => jwk.kid));
    });

    it('keep their order through changes of other things, in single reads and in lists', async () => {
      const jwks = await freshJwks(5);
      const entity = await registry.entity(organisation, { jwks });
      await update(entity, { statementLifetimeSeconds: 100 });
      const kids = jwks.keys.map((jwk) => jwk.kid);
      expect(await keysOf(entity)).toEqual(kids);
      const filter = { entityIdentifier: entity.entityIdentifier };
      const { items } = await listEntities(registry.db, actor(), filter, { limit: 10 });
      expect(items.map((item) => item.keys.map(({ jwk }) => jwk.kid))).toEqual([kids]);
    });

    it('[OIDFED-11.2-10] are no longer registered once left out, and never come back, not even as the same keys', async () => {
      const [first, second] = (await freshJwks(2)).keys;
      if (first === undefined || second === undefined) throw new Error('no keys');
      const entity = await registry.entity(organisation, { jwks: { keys: [first] } });
      await registry.publishKeys(entity, { keys: [first, second] });
      await update(entity, { jwks: { keys: [second] } });
      expect(await keysOf(entity)).toEqual([second.kid]);
      expect(await outcome(update(entity, { jwks: { keys: [second, first] } }))).toBe(
        'key_not_published at /jwks/keys/1',
      );
      // Not even where a configuration of the present key shows it.
      await registry.publishKeys(entity, { keys: [second, first] });
      expect(await outcome(update(entity, { jwks: { keys: [second, first] } }))).toBe('validation_failed at /jwks');
      expect(await keysOf(entity)).toEqual([second.kid]);
    });

    it.each(['active', 'removed'] as const)('never take the kid of another key that is %s', async (fate) => {
      const [first, second, third] = (await freshJwks(3)).keys;
      if (first === undefined || second === undefined || third === undefined) throw new Error('no keys');
      const entity = await registry.entity(organisation, { jwks: { keys: [first] } });
      await registry.publishKeys(entity, { keys: [first, second] });
      if (fate === 'removed') await update(entity, { jwks: { keys: [second] } });
      const before = await keysOf(entity);
      const impostor = { ...third, kid: first.kid };
      await registry.publishKeys(entity, { keys: [impostor, second] });
      const error = await refusedBy(update(entity, { jwks: { keys: [impostor] } }));
      expect([error.code, error.details.errors?.[0]?.pointer]).toEqual(['validation_failed', '/jwks']);
      expect(error.message).toContain(first.kid);
      expect(await keysOf(entity)).toEqual(before);
    });

    it('never take the kid of another key of a closed record of the same entity', async () => {
      const closed = await registry.entity(organisation, {}, 'revoked');
      const { entityIdentifier } = closed;
      const [other] = (await freshJwks()).keys;
      const impostor = { ...other, kid: closed.keys[0]?.jwk.kid } as NonNullable<typeof other>;
      const input = await newEntity(organisation, { entityIdentifier, jwks: { keys: [impostor] } });
      expect(await outcome(addEntity(registry.context(), input))).toBe('validation_failed at /jwks');
      const returning = { ...input, jwks: { keys: closed.keys.map(({ jwk }) => jwk) } };
      expect(await outcome(addEntity(registry.context(), returning))).toBe('done');
    });

    it('may share a kid with a key of another entity', async () => {
      const [one, other] = (await freshJwks(2)).keys.map((jwk) => ({ ...jwk, kid: 'signing' }));
      if (one === undefined || other === undefined) throw new Error('no keys');
      await registry.entity(organisation, { jwks: { keys: [one] } });
      const entity = await registry.entity(organisation, { jwks: { keys: [other] } });
      expect(await keysOf(entity)).toEqual(['signing']);
    });

    it('are registered at once: many new and known ones in one change', async () => {
      const { keys } = await freshJwks(6);
      const [known, other] = keys as [Jwk, Jwk];
      const entity = await registry.entity(organisation, { jwks: { keys: [known, other] } });
      await registry.publishKeys(entity, { keys });
      const wanted = keys.toReversed().map((jwk, index) => (index % 2 === 0 ? { ...jwk, exp: NOW + index + 1 } : jwk));
      const updated = await update(entity, { jwks: { keys: wanted } });
      expect(updated.keys).toEqual(
        wanted.map((jwk) => ({ jwk, expiresAt: jwk.exp === undefined ? null : new Date(jwk.exp * 1000) })),
      );
    });

    it('carry their expiry, also one that a calendar cannot write', async () => {
      const [soon, far, never] = (await freshJwks(3)).keys;
      if (soon === undefined || far === undefined || never === undefined) throw new Error('no keys');
      const jwks = { keys: [{ ...soon, exp: NOW + 60 }, { ...far, exp: 1e300 }, never] };
      const { keys } = await registry.entity(organisation, { jwks });
      expect(keys.map(({ expiresAt }) => expiresAt)).toEqual([new Date((NOW + 60) * 1000), null, null]);
      expect(keys.map(({ jwk }) => jwk)).toEqual(jwks.keys);
    });

    it('[ACME-4] keep members that Holdfast does not know', async () => {
      const [jwk] = (await freshJwks()).keys.map((key) => ({ ...key, x5c: ['MIIB'], 'x5t#S256': 'abc' }));
      if (jwk === undefined) throw new Error('no key');
      expect((await registry.entity(organisation, { jwks: { keys: [jwk] } })).keys[0]?.jwk).toEqual(jwk);
    });

    it('are refused when private, symmetric, weak, for encryption, doubled or without kid', async () => {
      const entity = await registry.entity(organisation);
      const { jwk, privateJwk } = await testKey('ES256', 2);
      const { kid: _, ...nameless } = jwk;
      const refused: [string, object[]][] = [
        ['/jwks/keys/0', [privateJwk]],
        ['/jwks/keys/0', [{ kty: 'oct', kid: 'secret', k: 'AAAA' }]],
        ['/jwks/keys/0', [(await weakRsaKey()).jwk]],
        ['/jwks/keys/1', [jwk, { ...jwk, kid: 'other', use: 'enc' }]],
        ['/jwks', [jwk, jwk]],
        ['/jwks/keys/0', [nameless]],
      ];
      for (const [place, keys] of refused) {
        const jwks = { keys } as { keys: (typeof jwk)[] };
        expect(await outcome(update(entity, { jwks }))).toBe(`validation_failed at ${place}`);
      }
      expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
    });

    it('of a pending entity that publishes are those of its configuration, whatever a registrar says', async () => {
      const jwks = await freshJwks();
      const published = await registry.entity(organisation, { enrolment: 'published' }, 'pending');
      expect(await outcome(update(published, { jwks }))).toBe('validation_failed at /jwks');
    });

    describe('of an entity that publishes are added only from its configuration as last verified', () => {
      const refusal = async (entity: Entity, ...keys: Jwk[]) => {
        const error = await refusedBy(update(entity, { jwks: { keys } }));
        return [error.code, error.kind, ...(error.details.errors ?? []).map(({ pointer }) => pointer)].join(' ');
      };
      const refusedAt = (index: number) => `key_not_published conflict /jwks/keys/${index}`;
      let old: Jwk;
      let fresh: Jwk;
      let stranger: Jwk;
      beforeAll(async () => {
        [old, fresh, stranger] = (await freshJwks(3)).keys as [Jwk, Jwk, Jwk];
      });

      it('[OIDFED-11.2-11] and only while it is active', async () => {
        const entity = await registry.entity(organisation, { jwks: { keys: [old, fresh] } }, 'suspended');
        expect(await outcome(update(entity, { jwks: { keys: [old] } }))).toBe('entity_not_active');
        expect(await keysOf(entity)).toEqual([old.kid, fresh.kid]);
      });

      it('while it is active', async () => {
        const entity = await registry.entity(organisation, { jwks: { keys: [old] } });
        expect(await refusal(entity, old, fresh)).toBe(refusedAt(1));
        expect(await refusal(entity, fresh)).toBe(refusedAt(0));
        await registry.publishKeys(entity, { keys: [old, fresh] });
        expect(await refusal(entity, old, fresh, stranger)).toBe(refusedAt(2));
        expect(await outcome(update(entity, { jwks: { keys: [old, fresh] } }))).toBe('done');
        expect(await keysOf(entity)).toEqual([old.kid, fresh.kid]);
      });

      it('and the refusal says what to do', async () => {
        const entity = await registry.entity(organisation);
        const error = await refusedBy(update(entity, { jwks: { keys: [fresh] } }));
        expect(error.message).toMatch(/publish .* run the checks/);
        expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
      });

      it('under the kid that it has there, and as the key that has that kid there', async () => {
        const entity = await registry.entity(organisation, { jwks: { keys: [old] } });
        await registry.publishKeys(entity, { keys: [old, fresh] });
        expect(await refusal(entity, old, { ...fresh, kid: 'another' })).toBe(refusedAt(1));
        expect(await refusal(entity, old, { ...stranger, kid: fresh.kid })).toBe(refusedAt(1));
      });

      it('but not from one that says so no longer, or that could not be had', async () => {
        const entity = await registry.entity(organisation, { jwks: { keys: [old] } });
        await registry.publishKeys(entity, { keys: [old, fresh] });
        await registry.publishKeys(entity, { keys: [old] });
        expect(await refusal(entity, old, fresh)).toBe(refusedAt(1));
        await registry.publishKeys(entity, { keys: [old, fresh] });
        const gone = { url: 'https://rp.example/.well-known/openid-federation' };
        await recordChecks(registry.context(), entity.id, { ...entity, evidence: gone, jwks: null });
        expect(await refusal(entity, old, fresh)).toBe(refusedAt(1));
      });

      it('nor more of them than an entity may have', async () => {
        const { keys } = await freshJwks(MAX_KEYS + 1);
        const entity = await registry.entity(organisation, { jwks: { keys: keys.slice(0, 1) } });
        await registry.publishKeys(entity, { keys });
        expect(await outcome(update(entity, { jwks: { keys } }))).toBe('validation_failed at /jwks');
        expect(await outcome(update(entity, { jwks: { keys: keys.slice(1) } }))).toBe('done');
      });

      it('whereas they may be dropped and left to expire without it', async () => {
        const entity = await registry.entity(organisation, { jwks: { keys: [old, fresh] } });
        const expiring = { ...old, exp: NOW + 600 };
        expect(await outcome(update(entity, { jwks: { keys: [expiring, fresh] } }))).toBe('done');
        expect(await outcome(update(entity, { jwks: { keys: [fresh] } }))).toBe('done');
        expect(await keysOf(entity)).toEqual([fresh.kid]);
        expect(await refusal(entity, old, fresh)).toBe(refusedAt(0));
      });
    });

    it.each(['pending', 'active'] as const)(
      'of an %s entity that handed them over take no key without proof',
      async (state) => {
        const entity = await registry.entity(
          organisation,
          { enrolment: 'handed_over', jwks: await freshJwks(2) },
          state,
        );
        const [first, second] = entity.keys.map(({ jwk }) => jwk);
        const [unproven] = (await freshJwks()).keys;
        if (first === undefined || second === undefined || unproven === undefined) throw new Error('keys are missing');
        expect(await outcome(update(entity, { jwks: { keys: [first, unproven] } }))).toBe(
          'validation_failed at /jwks/keys/1',
        );
        expect(await outcome(update(entity, { jwks: { keys: [{ ...unproven, kid: first.kid }] } }))).toMatch(
          /^validation_failed/,
        );
        expect(await outcome(update(entity, { jwks: { keys: [second] } }))).toBe('done');
      },
    );
  });
});
