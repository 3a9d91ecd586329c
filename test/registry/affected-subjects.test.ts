import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { affectedSubjects } from '../../src/registry/affected-subjects.ts';
import { updateApiResource } from '../../src/registry/api-resources/update-api-resource.ts';
import { AuthorityDirectory } from '../../src/registry/authorities/authority-directory.ts';
import { updateAuthority } from '../../src/registry/authorities/update-authority.ts';
import { removeAuthorizationServer } from '../../src/registry/authorization-servers/remove-authorization-server.ts';
import { updateEntity } from '../../src/registry/entities/update-entity.ts';
import { addContact } from '../../src/registry/organisations/contacts/add-contact.ts';
import { confirmContact } from '../../src/registry/organisations/contacts/confirm-contact.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../src/registry/organisations/update-organisation.ts';
import { pinTrustAnchor } from '../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { apiResource } from '../support/offers.ts';
import { freshIdentifier, freshJwks, NOW_DATE, openRegistry, type TestRegistry } from '../support/registry.ts';

describe.each(DATABASE_KINDS)('what follows the registry on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  /** What is affected by what `work` changes. */
  async function affectedBy(work: () => Promise<unknown>): Promise<string[]> {
    const seq = await registry.seq();
    await work();
    const affected = await affectedSubjects(registry.db, await registry.auditAfter(seq));
    return affected.map(({ authorityId, entityIdentifier }) => `${authorityId} ${entityIdentifier}`).sort();
  }

  it('is the entity that changed, under its authority', async () => {
    const authority = await registry.authority();
    const entity = await registry.entity(await registry.organisation(authority));
    const { entityIdentifier } = entity;
    await registry.entity(await registry.organisation(await registry.authority()), { entityIdentifier });
    const affected = await affectedBy(() =>
      updateEntity(registry.context(), entity.id, { statementLifetimeSeconds: 100 }),
    );
    expect(affected).toEqual([`${authority.id} ${entityIdentifier}`]);
  });

  it('is every entity of an organisation that changed', async () => {
    const authority = await registry.authority();
    const organisation = await registry.organisation(authority);
    const entities = [await registry.entity(organisation), await registry.entity(organisation, {}, 'pending')];
    await registry.entity(await registry.organisation(authority));
    const affected = await affectedBy(() =>
      transitionOrganisation(registry.context(), organisation.id, 'suspend', 'x'),
    );
    expect(affected).toEqual(entities.map(({ entityIdentifier }) => `${authority.id} ${entityIdentifier}`).sort());
  });

  it('is no entity when something else changed', async () => {
    const authority = await registry.authority();
    await registry.entity(await registry.organisation(authority));
    expect(await affectedBy(() => updateAuthority(registry.context(), authority.id, { name: 'x' }))).toEqual([]);
    expect(await affectedSubjects(registry.db, [])).toEqual([]);
  });

  it('is no entity when its organisation, contacts or what it offers are described otherwise', async () => {
    const authority = await registry.authority();
    const { id, contacts } = await registry.organisation(authority);
    const contactId = contacts[0]?.id ?? '';
    const changes = [
      () => updateOrganisation(registry.context(), id, { legalName: 'Renamed', tags: ['x'] }),
      () => addContact(registry.context(), id, { type: 'billing', email: 'pay@partner.example' }),
      () => confirmContact(registry.context(), id, contactId, 'answered'),
    ];
    for (const change of changes) expect(await affectedBy(change)).toEqual([]);
    const api = await apiResource(registry, authority);
    const retiresAt = NOW_DATE;
    expect(await affectedBy(() => updateApiResource(registry.context(), api.id, { retiresAt }))).toEqual([]);
    expect(await affectedBy(() => removeAuthorizationServer(registry.context(), api.authorizationServerId))).toEqual(
      [],
    );
  });

  it('are the authorities with their keys and pinned Trust Anchors, once a change concerns them', async () => {
    const directory = new AuthorityDirectory(registry.db);
    await directory.reload();
    const seq = await registry.seq();
    const authority = await registry.authority();
    expect(directory.get(authority.id)).toBeUndefined();
    expect(await directory.follow(await registry.auditAfter(seq))).toBe(true);
    expect(directory.find(authority.entityIdentifier)).toMatchObject({
      authority,
      keys: [{ authorityId: authority.id }],
    });

    const pinned = await registry.seq();
    const input = { entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() };
    const anchor = await pinTrustAnchor(registry.context(), authority.id, input);
    await directory.follow(await registry.auditAfter(pinned));
    expect(directory.get(authority.id)?.trustAnchors).toEqual([anchor]);

    const { all } = directory;
    const before = await registry.seq();
    await registry.entity(await registry.organisation(authority));
    expect(await directory.follow(await registry.auditAfter(before))).toBe(false);
    expect(directory.all).toBe(all);
  });
});
