import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { readAuthority } from '../../../src/registry/authorities/read-authority.ts';
import { type AuthoritySettings, updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { addEntity } from '../../../src/registry/entities/add-entity.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { registryCounter } from '../../../src/storage/schema/registry-counter.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { untilWaiting } from '../../support/postgres-locks.ts';
import {
  actor,
  newEntity,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

/** A policy that sets one parameter: two of them with different values contradict each other. */
function setting(value: string): JsonObject {
  return { openid_relying_party: { grade: { value } } };
}

const PLACE = 'openid_relying_party/grade/value';

describe.each(DATABASE_KINDS)('updateAuthority on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const update = ({ id }: Authority, settings: Partial<AuthoritySettings>, version?: number) =>
    updateAuthority(registry.context(), id, settings, version);

  it('changes what is given and nothing else', async () => {
    const authority = await registry.authority({ defaultConstraints: { max_path_length: 1 } });
    const settings = { name: 'New name', authorityHints: ['https://superior.example'] };
    const updated = await update(authority, { ...settings, metadata: undefined });
    expect(updated).toEqual({ ...authority, ...settings, version: 2 });
    expect(await readAuthority(registry.db, actor(), authority.id)).toEqual(updated);
  });

  it('[OIDFED-8.8.1-1] changes the authentication of the endpoints that are named, and refuses names of none', async () => {
    const authority = await registry.authority({ endpointAuthentication: { fetch: 'required' } });
    const { endpointAuthentication } = await update(authority, { endpointAuthentication: { list: 'optional' } });
    expect(endpointAuthentication).toEqual({ fetch: 'required', list: 'optional' });
    for (const wrong of [
      { configuration: 'required' },
      { fetch: 'on' },
    ] as AuthoritySettings['endpointAuthentication'][]) {
      const [name] = Object.keys(wrong);
      const error = await refusedBy(update(authority, { endpointAuthentication: wrong }));
      expect([error.code, JSON.stringify(error.details)]).toEqual([
        'validation_failed',
        expect.stringContaining(`/endpointAuthentication/${name}`),
      ]);
    }
  });

  it('keeps version and seq when nothing would change', async () => {
    const authority = await registry.authority({ metadata: { contacts: ['a@authority.example'] } });
    const seq = await registry.seq();
    const same = { name: authority.name, metadata: { contacts: ['a@authority.example'] }, defaultConstraints: {} };
    expect(await update(authority, same)).toEqual(authority);
    expect(await registry.seq()).toBe(seq);
  });

  it('refuses a stale version', async () => {
    const authority = await registry.authority();
    await update(authority, { name: 'One' }, 1);
    const error = await refusedBy(update(authority, { name: 'Two' }, 1));
    expect([error.code, error.kind, error.details['version']]).toEqual(['version_mismatch', 'precondition_failed', 2]);
  });

  it('lets one of two updates of the same version win', async () => {
    const authority = await registry.authority();
    const outcomes = await Promise.all([
      outcome(update(authority, { name: 'One' }, 1)),
      outcome(update(authority, { name: 'Two' }, 1)),
    ]);
    expect(outcomes.sort()).toEqual(['done', 'version_mismatch']);
  });

  it.each<[string, Partial<AuthoritySettings>, string]>([
    ['a malformed hint', { authorityHints: ['x'] }, '/authorityHints/0'],
    [
      'an endpoint',
      { metadata: { federation_list_endpoint: 'https://x.example' } },
      '/metadata/federation_list_endpoint',
    ],
    ['null', { metadata: { logo_uri: null } }, '/metadata/logo_uri'],
    ['a malformed policy', { defaultMetadataPolicy: { a: { b: 'c' } } }, '/defaultMetadataPolicy/a/b'],
    ['malformed constraints', { defaultConstraints: { max_path_length: 0.5 } }, '/defaultConstraints/max_path_length'],
    ['a lifetime too short', { statementLifetimeSeconds: 1 }, '/statementLifetimeSeconds'],
  ])('refuses %s and changes nothing', async (_what, settings, place) => {
    const authority = await registry.authority();
    expect(await outcome(update(authority, settings))).toBe(`validation_failed at ${place}`);
    expect(await readAuthority(registry.db, actor(), authority.id)).toEqual(authority);
  });

  it('refuses that an authority becomes its own superior', async () => {
    const authority = await registry.authority();
    const authorityHints = ['https://superior.example', authority.entityIdentifier];
    expect(await outcome(update(authority, { authorityHints }))).toBe('validation_failed at /authorityHints/1');
  });

  it.each([nextId(), 'no-uuid'])('knows no authority %s', async (id) => {
    expect(await outcome(updateAuthority(registry.context(), id, { name: 'x' }))).toBe('not_found');
  });

  describe('a policy of an entity and the default never contradict each other', () => {
    it('a new entity whose policy contradicts the default is refused', async () => {
      const authority = await registry.authority({ defaultMetadataPolicy: setting('gold') });
      const organisation = await registry.organisation(authority);
      const add = async (metadataPolicy: JsonObject) =>
        addEntity(registry.context(), await newEntity(organisation, { metadataPolicy }));
      const error = await refusedBy(add(setting('silver')));
      expect([error.code, error.kind, error.details.errors?.[0]?.pointer]).toEqual([
        'policy_conflict',
        'conflict',
        `/metadataPolicy/${PLACE}`,
      ]);
      expect(await outcome(add(setting('gold')))).toBe('done');
      expect(await outcome(add({ openid_provider: { grade: { value: 'silver' } } }))).toBe('done');
    });

    it('a changed policy of an entity that contradicts the default is refused', async () => {
      const authority = await registry.authority({ defaultMetadataPolicy: setting('gold') });
      const entity = await registry.entity(await registry.organisation(authority));
      const change = (metadataPolicy: JsonObject) => updateEntity(registry.context(), entity.id, { metadataPolicy });
      expect(await outcome(change(setting('silver')))).toBe(`policy_conflict at /metadataPolicy/${PLACE}`);
      expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
      expect(await outcome(change(setting('gold')))).toBe('done');
    });

    it.each(['pending', 'active', 'suspended'] as const)(
      'a default that contradicts the policy of an entity that is %s is refused, and the entity named',
      async (state) => {
        const authority = await registry.authority();
        const organisation = await registry.organisation(authority);
        const entity = await registry.entity(organisation, { metadataPolicy: setting('gold') }, state);
        const error = await refusedBy(update(authority, { defaultMetadataPolicy: setting('silver') }));
        expect([error.code, error.details.errors?.[0]?.pointer, error.details['entity']]).toEqual([
          'policy_conflict',
          `/defaultMetadataPolicy/${PLACE}`,
          entity.entityIdentifier,
        ]);
        expect(await readAuthority(registry.db, actor(), authority.id)).toEqual(authority);
        expect(await outcome(update(authority, { defaultMetadataPolicy: setting('gold') }))).toBe('done');
      },
    );

    it('closed records and those of other authorities do not matter', async () => {
      const authority = await registry.authority();
      await registry.entity(await registry.organisation(authority), { metadataPolicy: setting('gold') }, 'revoked');
      const other = await registry.organisation(await registry.authority());
      await registry.entity(other, { metadataPolicy: setting('gold') });
      expect(await outcome(update(authority, { defaultMetadataPolicy: setting('silver') }))).toBe('done');
    });
  });
});

describe('a default policy and the policy of an entity saved at once on postgresql', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry('postgresql');
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const changeDefault = ({ id }: Authority) =>
    outcome(updateAuthority(registry.context(), id, { defaultMetadataPolicy: setting('silver') }));

  it('the default waits for an entity that is being added, and is refused', async () => {
    const authority = await registry.authority();
    const input = await newEntity(await registry.organisation(authority), { metadataPolicy: setting('gold') });
    let [added, changed] = [Promise.resolve(''), Promise.resolve('')];
    await registry.db.transaction(async (tx) => {
      await tx.select().from(registryCounter).for('update');
      added = outcome(addEntity(registry.context(), input));
      // It has all that it needs but its number.
      await untilWaiting(registry.db);
      changed = changeDefault(authority);
      await untilWaiting(registry.db, 2);
    });
    expect(await added).toBe('done');
    expect(await changed).toBe(`policy_conflict at /defaultMetadataPolicy/${PLACE}`);
  });

  it.each(['added', 'updated'])('an entity that is %s waits for a default that is being changed', async (how) => {
    const authority = await registry.authority();
    const organisation = await registry.organisation(authority);
    const { id } = await registry.entity(organisation);
    const input = await newEntity(organisation, { metadataPolicy: setting('gold') });
    let saved = Promise.resolve('');
    await registry.db.transaction(async (tx) => {
      await tx
        .update(authorities)
        .set({ defaultMetadataPolicy: setting('silver') })
        .where(eq(authorities.id, authority.id));
      saved = outcome(
        how === 'added'
          ? addEntity(registry.context(), input)
          : updateEntity(registry.context(), id, { metadataPolicy: setting('gold') }),
      );
      await untilWaiting(registry.db);
    });
    expect(await saved).toBe(`policy_conflict at /metadataPolicy/${PLACE}`);
  });
});
