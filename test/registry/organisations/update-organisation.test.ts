import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addOrganisation } from '../../../src/registry/organisations/add-organisation.ts';
import { readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, nextId, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('organisations on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const contacts = [{ type: 'security' as const, name: 'Ada', email: 'ada@partner.example' }];

  it('begin pending, with their contacts', async () => {
    const organisation = await addOrganisation(registry.context(), authority.id, { name: 'Partner', contacts });
    expect(organisation).toEqual({
      id: organisation.id,
      authorityId: authority.id,
      name: 'Partner',
      contacts,
      state: 'pending',
      stateReason: null,
      stateChangedAt: NOW_DATE,
      version: 1,
      createdAt: NOW_DATE,
    });
    expect(await readOrganisation(registry.db, actor(), organisation.id)).toEqual(organisation);
  });

  it('cannot be added to an authority that does not exist', async () => {
    const fields = { name: 'Partner', contacts };
    expect(await outcome(addOrganisation(registry.context(), nextId(), fields))).toBe('not_found');
    expect(await outcome(addOrganisation(registry.context(), 'no-uuid', fields))).toBe('not_found');
  });

  it('change in what is given, and in nothing else', async () => {
    const organisation = await registry.organisation(authority);
    const renamed = await updateOrganisation(registry.context(), organisation.id, {
      name: 'Renamed',
      contacts: undefined,
    });
    expect(renamed).toEqual({ ...organisation, name: 'Renamed', version: organisation.version + 1 });
    expect(await readOrganisation(registry.db, actor(), organisation.id)).toEqual(renamed);
  });

  it('keep version and seq when nothing would change', async () => {
    const organisation = await registry.organisation(authority);
    const seq = await registry.seq();
    const { name, contacts: same } = organisation;
    const unchanged = await updateOrganisation(registry.context(), organisation.id, { name, contacts: same });
    expect(unchanged).toEqual(organisation);
    expect(await registry.seq()).toBe(seq);
  });

  it('refuse a stale version, also of a change that would change nothing', async () => {
    const { id, name, version } = await registry.organisation(authority);
    const stale = version - 1;
    expect(await outcome(updateOrganisation(registry.context(), id, { name: 'Other' }, stale))).toBe(
      'version_mismatch',
    );
    expect(await outcome(updateOrganisation(registry.context(), id, { name }, stale))).toBe('version_mismatch');
    expect(await outcome(updateOrganisation(registry.context(), id, { name: 'Other' }, version))).toBe('done');
  });
});
