import { inspect } from 'node:util';
import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, it } from 'vitest';
import { addEntity, type NewEntity } from '../../../src/registry/entities/add-entity.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { lockOrganisation } from '../../../src/registry/organisations/lock-organisation.ts';
import { requireParentAbove } from '../../../src/registry/organisations/parent-organisation.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { testKey } from '../../support/keys.ts';
import { untilWaiting } from '../../support/postgres-locks.ts';
import {
  actor,
  freshIdentifier,
  NOW_DATE,
  newEntity,
  nextId,
  openOrganisation,
  outcome,
  refusedBy,
} from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('addEntity on %s', async (kind) => {
  const { registry, authority, organisation } = await openOrganisation(kind);
  afterAll(() => registry[Symbol.asyncDispose]());

  const understoodClaims = new Set(['https://holdfast.example/tier']);
  const add = (input: NewEntity) => addEntity(registry.context(actor(), { understoodClaims }), input);

  it('records a pending entity with everything that was said about it', async () => {
    const input = await newEntity(organisation, {
      entityTypes: ['openid_provider'],
      metadata: { openid_provider: { organization_name: 'Partner' } },
      metadataPolicy: { openid_provider: { contacts: { essential: true } } },
      constraints: { max_path_length: 0 },
      additionalClaims: { 'https://holdfast.example/tier': 'gold' },
      crit: ['https://holdfast.example/tier'],
      statementLifetimeSeconds: 600,
    });
    const { jwks, entityTypes, isIntermediate, ...kept } = input;
    const entity = await add(input);
    expect(entity).toEqual({
      ...kept,
      id: entity.id,
      authorityId: authority.id,
      previousId: null,
      name: null,
      mode: 'live',
      environment: 'production',
      onBehalfOf: null,
      registeredEntityTypes: entityTypes,
      registeredIntermediate: isIntermediate,
      keys: jwks?.keys.map((jwk) => ({ jwk, expiresAt: null })),
      state: 'pending',
      stateReason: null,
      stateReasonCode: null,
      addedBy: 'test-actor',
      roles: [],
      suspendedUntil: null,
      stateChangedAt: NOW_DATE,
      organisationState: 'active',
      principalState: null,
      // Its evidence names no settings that the checks would have judged by.
      checksOutdated: true,
      findings: [],
      version: 1,
      createdAt: NOW_DATE,
      registeredAt: null,
      updatedAt: NOW_DATE,
    });
    expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
  });

  it('keeps empty constraints as none, so that the defaults of the authority apply', async () => {
    expect((await add(await newEntity(organisation, { constraints: {} }))).constraints).toBeNull();
  });

  describe('Entity Identifiers', () => {
    it.each(['pending', 'active', 'suspended'] as const)('are unique while a record is %s', async (state) => {
      const { entityIdentifier } = await registry.entity(organisation, {}, state);
      const again = await newEntity(organisation, { entityIdentifier });
      const error = await refusedBy(add(again));
      expect([error.code, error.kind]).toEqual(['entity_exists', 'conflict']);
    });

    it('are unique across the organisations of an authority: nobody squats on the record of another', async () => {
      const { entityIdentifier } = await registry.entity(organisation);
      const other = await registry.organisation(authority);
      expect(await outcome(add(await newEntity(other, { entityIdentifier })))).toBe('entity_exists');
    });

    it('may be the same under two authorities', async () => {
      const { entityIdentifier } = await registry.entity(organisation);
      const other = await registry.organisation(await registry.authority());
      expect(await outcome(add(await newEntity(other, { entityIdentifier })))).toBe('done');
    });

    it('[OIDFED-16-2] are told apart by every character, and kept as they were written', async () => {
      const host = freshIdentifier('Case');
      for (const entityIdentifier of [host, `${host}/`, `${host}:443`, host.toLowerCase()]) {
        expect((await add(await newEntity(organisation, { entityIdentifier }))).entityIdentifier).toBe(
          entityIdentifier,
        );
      }
    });

    it('are given to one of two that ask at once', async () => {
      const entityIdentifier = freshIdentifier('race');
      const inputs = [
        await newEntity(organisation, { entityIdentifier }),
        await newEntity(organisation, { entityIdentifier }),
      ];
      const outcomes = await Promise.all(inputs.map((input) => outcome(add(input))));
      expect(outcomes.sort()).toEqual(['done', 'entity_exists']);
    });

    it('are not that of the authority: nobody gets it to vouch for keys as its own', async () => {
      const { entityIdentifier } = authority;
      const input = await newEntity(organisation, { entityIdentifier, enrolment: 'handed_over' });
      expect(await outcome(add(input))).toBe('validation_failed at /entityIdentifier');
    });

    it.each([
      'http://entity.example',
      'https://entity.example/#fragment',
      'https://user@entity.example',
      'https://entity.example/?query',
      'entity.example',
      '',
    ])('are refused when malformed: %j', async (entityIdentifier) => {
      const input = await newEntity(organisation, { entityIdentifier });
      expect(await outcome(add(input))).toBe('validation_failed at /entityIdentifier');
    });
  });

  describe('records that are closed', () => {
    it.each(['rejected', 'withdrawn', 'revoked'] as const)(
      'once %s, a new one follows and links to it',
      async (state) => {
        const closed = await registry.entity(organisation, {}, state);
        const { entityIdentifier } = closed;
        const next = await add(await newEntity(organisation, { entityIdentifier }));
        expect(next).toMatchObject({ state: 'pending', previousId: closed.id });
        expect(next.id).not.toBe(closed.id);
        expect(await readEntity(registry.db, actor(), closed.id)).toEqual(closed);
        expect(await outcome(transitionEntity(registry.context(), closed.id, 'reinstate', 'please'))).toBe(
          'illegal_transition',
        );
      },
    );

    it('are linked as a row, each to the one before, with versions that never go back', async () => {
      const { entityIdentifier, ...first } = await registry.entity(organisation, {}, 'revoked');
      const second = await registry.entity(organisation, { entityIdentifier }, 'withdrawn');
      const third = await registry.entity(organisation, { entityIdentifier });
      expect([second.previousId, third.previousId]).toEqual([first.id, second.id]);
      expect(third.version).toBeGreaterThan(second.version);
      expect(second.version).toBeGreaterThan(first.version);
    });

    it('of another authority are not linked to', async () => {
      const { entityIdentifier } = await registry.entity(organisation, {}, 'revoked');
      const other = await registry.organisation(await registry.authority());
      expect((await add(await newEntity(other, { entityIdentifier }))).previousId).toBeNull();
    });
  });

  describe('refuses, and changes nothing', () => {
    const refused: [string, Partial<NewEntity>, string][] = [
      [
        'metadata that the standard forbids',
        { metadata: { openid_provider: { contacts: null } } },
        'validation_failed at /metadata/openid_provider/contacts',
      ],
      [
        'an issuer that is not the entity, which no reader would accept',
        { metadata: { openid_provider: { issuer: 'https://other.example' } } },
        'validation_failed at /metadata/openid_provider/issuer',
      ],
      [
        'endpoints in the name of the entity',
        { metadata: { federation_entity: { federation_fetch_endpoint: 'https://other.example/fetch' } } },
        'validation_failed at /metadata/federation_entity/federation_fetch_endpoint',
      ],
      [
        'an unknown shape of policy',
        { metadataPolicy: { openid_provider: { contacts: 'x' } } },
        'validation_failed at /metadataPolicy/openid_provider/contacts',
      ],
      [
        '[OIDFED-6.1.3.1-16] operators that must not stand together',
        { metadataPolicy: { openid_provider: { alg: { one_of: ['a'], add: ['a'] } } } },
        'validation_failed at /metadataPolicy/openid_provider/alg/one_of',
      ],
      [
        '[OIDFED-6.2.1-1] a path length below zero',
        { constraints: { max_path_length: -1 } },
        'validation_failed at /constraints/max_path_length',
      ],
      [
        'a claim that Holdfast sets itself',
        { additionalClaims: { exp: 1 } },
        'validation_failed at /additionalClaims/exp',
      ],
      [
        '[OIDFED-13.4-1] a critical claim that is not there',
        { additionalClaims: { a: 1 }, crit: ['b'] },
        'validation_failed at /crit/0',
      ],
      [
        '[OIDFED-13.4-1] a claim critical twice',
        { additionalClaims: { a: 1 }, crit: ['a', 'a'] },
        'validation_failed at /crit',
      ],
      ['a lifetime too short', { statementLifetimeSeconds: 59 }, 'validation_failed at /statementLifetimeSeconds'],
      [
        'a lifetime too long',
        { statementLifetimeSeconds: 90 * 86_400 + 1 },
        'validation_failed at /statementLifetimeSeconds',
      ],
      ['half a second', { statementLifetimeSeconds: 60.5 }, 'validation_failed at /statementLifetimeSeconds'],
      ['no keys in a set', { jwks: { keys: [] } }, 'validation_failed at /jwks'],
      ['an organisation that does not exist', { organisationId: nextId() }, 'not_found'],
    ];

    it.each(refused)('%s', async (_what, settings, expected) => {
      const seq = await registry.seq();
      const input = await newEntity(organisation, settings);
      expect(await outcome(add(input))).toBe(expected);
      expect(await registry.seq()).toBe(seq);
      expect(await outcome(add({ ...(await newEntity(organisation)), entityIdentifier: input.entityIdentifier }))).toBe(
        'done',
      );
    });

    it('[OIDFED-3.1.1-4] a private key, and tells nobody what it is', async () => {
      const { privateJwk } = await testKey('ES256', 1);
      const error = await refusedBy(add(await newEntity(organisation, { jwks: { keys: [privateJwk] } })));
      expect([error.code, error.details.errors?.[0]?.pointer]).toEqual(['validation_failed', '/jwks/keys/0']);
      expect(everythingIn(error)).not.toContain(String(privateJwk['d']));
    });

    it('more Entity Types than anybody plays', async () => {
      const types = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`type_${index}`, { note: 'x' }]));
      const attempt = async (count: number) => outcome(add(await newEntity(organisation, { metadata: types(count) })));
      expect(await attempt(51)).toBe('validation_failed at /metadata');
      expect(await attempt(50)).toBe('done');
    });

    it('[OIDFED-3.1.1-4] a private key inside metadata, and tells nobody what it is', async () => {
      const { privateJwk } = await testKey('ES256', 1);
      const metadata = { openid_provider: { jwks: { keys: [{ ...privateJwk } as Record<string, string>] } } };
      const error = await refusedBy(add(await newEntity(organisation, { metadata })));
      expect([error.code, error.details.errors?.[0]?.pointer]).toEqual([
        'validation_failed',
        '/metadata/openid_provider/jwks/keys/0',
      ]);
      expect(everythingIn(error)).not.toContain(String(privateJwk['d']));
    });
  });
});

/** All that a log could show of an error. */
function everythingIn(error: Error): string {
  return inspect(error, { depth: null, showHidden: true });
}

it('on postgresql a new record counts on from what becomes of the closed one meanwhile', async () => {
  const { registry, organisation } = await openOrganisation('postgresql');
  await using _ = registry;
  const { id, entityIdentifier } = await registry.entity(organisation, {}, 'revoked');
  let adding: Promise<Entity> | undefined;
  await registry.db.transaction(async (tx) => {
    await tx.update(entities).set({ version: 40 }).where(eq(entities.id, id));
    adding = addEntity(registry.context(), await newEntity(organisation, { entityIdentifier }));
    await untilWaiting(registry.db);
  });
  expect((await adding)?.version).toBe(41);
});

it('on postgresql waits for a change of its organisation without holding up what that needs of the authority', async () => {
  const { registry, authority, organisation } = await openOrganisation('postgresql');
  await using _ = registry;
  const { id: parentId } = await registry.organisation(authority);
  let adding: Promise<Entity> | undefined;
  await registry.db.transaction(async (tx) => {
    await lockOrganisation(tx, organisation.id);
    adding = addEntity(registry.context(), await newEntity(organisation));
    await untilWaiting(registry.db);
    await requireParentAbove(tx, organisation, parentId);
  });
  expect((await adding)?.state).toBe('pending');
});
