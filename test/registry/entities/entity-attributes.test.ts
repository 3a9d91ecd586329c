import { afterAll, describe, expect, it } from 'vitest';
import { addEntity } from '../../../src/registry/entities/add-entity.ts';
import type { EntityAttributes } from '../../../src/registry/entities/entity-attributes.ts';
import { listEntities } from '../../../src/registry/entities/read-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, newEntity, nextId, openOrganisation, outcome } from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('what an entity is for, on %s', async (kind) => {
  const { registry, authority, organisation } = await openOrganisation(kind);
  afterAll(() => registry[Symbol.asyncDispose]());

  const add = async (attributes: Partial<EntityAttributes>) =>
    addEntity(registry.context(), await newEntity(organisation, attributes));
  const change = (id: string, attributes: Partial<EntityAttributes>) =>
    updateEntity(registry.context(), id, attributes);

  it.each([
    [{}, { mode: 'live', environment: 'production' }],
    [{ mode: 'test' }, { mode: 'test', environment: 'sandbox' }],
    [
      { mode: 'test', environment: 'conformance' },
      { mode: 'test', environment: 'conformance' },
    ],
    [{ environment: 'pilot' }, { mode: 'live', environment: 'pilot' }],
  ] as const)('%j is recorded as %j', async (given, kept) => {
    expect(await add(given)).toMatchObject({ ...kept, name: null, onBehalfOf: null });
  });

  it('changes freely before its approval', async () => {
    const { id } = await add({});
    const changed = await change(id, { name: 'Portal', mode: 'test', environment: 'sandbox' });
    expect(changed).toMatchObject({ name: 'Portal', mode: 'test', environment: 'sandbox', version: 2 });
  });

  it('keeps the mode and environment that were approved, and may have another name', async () => {
    const { id, version } = await registry.entity(organisation);
    expect(await outcome(change(id, { mode: 'test' }))).toBe('validation_failed at /mode');
    expect(await outcome(change(id, { environment: 'sandbox' }))).toBe('validation_failed at /environment');
    expect(await change(id, { name: 'Portal', mode: 'live' })).toMatchObject({ name: 'Portal', version: version + 1 });
  });

  it('acts for another active organisation of the same authority', async () => {
    const other = await registry.organisation(authority);
    const entity = await add({ onBehalfOf: other.id });
    expect(entity.onBehalfOf).toBe(other.id);
    expect((await change(entity.id, { onBehalfOf: null })).onBehalfOf).toBeNull();
    const refused = [
      nextId(),
      organisation.id,
      (await registry.organisation(authority, 'pending')).id,
      (await registry.organisation(authority, 'suspended')).id,
      (await registry.organisation(await registry.authority())).id,
    ];
    for (const onBehalfOf of refused) {
      expect(await outcome(add({ onBehalfOf }))).toBe('validation_failed at /onBehalfOf');
      expect(await outcome(change(entity.id, { onBehalfOf }))).toBe('validation_failed at /onBehalfOf');
    }
  });

  it('is found by mode, environment and whom it acts for', async () => {
    const other = await registry.organisation(authority);
    const { id } = await add({ mode: 'test', environment: 'lab', onBehalfOf: other.id });
    const found = async (filter: object) => {
      const { items } = await listEntities(registry.db, actor(), filter, { limit: 100 });
      return items.map((item) => item.id);
    };
    expect(await found({ onBehalfOf: other.id })).toEqual([id]);
    expect(await found({ environment: 'lab' })).toEqual([id]);
    expect(await found({ environment: 'lab', mode: 'live' })).toEqual([]);
  });
});
