import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { listSubordinatesJson } from '../../../src/registry/entities/list-subordinates.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { readSubordinate } from '../../../src/registry/entities/read-subordinate.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { effectiveState } from '../../../src/registry/states.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openRegistry, refusedBy, type TestRegistry } from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('transitionOrganisation on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const transition = (
    id: string,
    name: 'approve' | 'suspend' | 'reinstate' | 'withdraw' | 'revoke',
    version?: number,
  ) => transitionOrganisation(registry.context(), id, name, `because of ${name}`, version);

  it('keeps the state, its reason and its time', async () => {
    const organisation = await registry.organisation(authority, 'pending');
    const later = new Date(NOW_DATE.getTime() + 60_000);
    const context = registry.context(actor(), { now: later });
    const approved = await transitionOrganisation(context, organisation.id, 'approve', 'papers are in order');
    expect(approved).toMatchObject({
      state: 'active',
      stateReason: 'papers are in order',
      stateChangedAt: later,
      version: organisation.version + 1,
    });
    expect(approved).toEqual({
      ...(await readOrganisation(registry.db, actor(), organisation.id)),
      seq: await registry.seq(),
      affected: [],
    });
  });

  it('refuses an illegal transition, naming what is allowed, and changes nothing', async () => {
    const organisation = await registry.organisation(authority, 'suspended');
    const seq = await registry.seq();
    const error = await refusedBy(transition(organisation.id, 'approve'));
    expect(error.code).toBe('illegal_transition');
    expect(error.details['allowed']).toEqual(['reinstate', 'withdraw', 'revoke']);
    expect(await readOrganisation(registry.db, actor(), organisation.id)).toEqual(organisation);
    expect(await registry.seq()).toBe(seq);
  });

  it('refuses a stale version', async () => {
    const organisation = await registry.organisation(authority);
    const error = await refusedBy(transition(organisation.id, 'suspend', organisation.version - 1));
    expect([error.code, error.details['version']]).toEqual(['version_mismatch', organisation.version]);
  });

  describe('what counts for entities', () => {
    /** What stands in the registry and what of it is vouched for. */
    async function standing(entity: Entity): Promise<{ own: string; counts: string; isVouchedFor: boolean }> {
      const { state, organisationState } = await readEntity(registry.db, actor(), entity.id);
      const subordinate = await readSubordinate(registry.db, authority.id, entity.entityIdentifier);
      const list = await listSubordinatesJson(
        registry.db,
        authority.id,
        { entityTypes: [], intermediate: false },
        NOW_DATE,
      );
      const isListed: boolean = JSON.parse(list).includes(entity.entityIdentifier);
      expect(isListed).toBe(subordinate !== undefined);
      return { own: state, counts: effectiveState(state, organisationState), isVouchedFor: isListed };
    }

    it('[OIDFED-11.4-1] suspending an organisation stops all its entities, and none of another', async () => {
      const organisation = await registry.organisation(authority);
      const entities = [await registry.entity(organisation), await registry.entity(organisation)];
      const other = await registry.entity(await registry.organisation(authority));
      await transition(organisation.id, 'suspend');
      for (const entity of entities) {
        expect(await standing(entity)).toEqual({ own: 'active', counts: 'suspended', isVouchedFor: false });
      }
      expect(await standing(other)).toEqual({ own: 'active', counts: 'active', isVouchedFor: true });
    });

    it('reinstating an organisation brings back only what its own suspension stopped', async () => {
      const organisation = await registry.organisation(authority);
      const running = await registry.entity(organisation);
      const suspendedBefore = await registry.entity(organisation, {}, 'suspended');
      const suspendedMeanwhile = await registry.entity(organisation);
      await transition(organisation.id, 'suspend');
      await transitionEntity(registry.context(), suspendedMeanwhile.id, 'suspend', 'for itself');
      await transition(organisation.id, 'reinstate');
      expect(await standing(running)).toEqual({ own: 'active', counts: 'active', isVouchedFor: true });
      expect(await standing(suspendedBefore)).toMatchObject({ own: 'suspended', isVouchedFor: false });
      expect(await standing(suspendedMeanwhile)).toMatchObject({ own: 'suspended', isVouchedFor: false });
    });

    it('reinstating an entity does not help while its organisation is suspended', async () => {
      const organisation = await registry.organisation(authority);
      const entity = await registry.entity(organisation, {}, 'suspended');
      await transition(organisation.id, 'suspend');
      await transitionEntity(registry.context(), entity.id, 'reinstate', 'its own reason is gone');
      expect(await standing(entity)).toEqual({ own: 'active', counts: 'suspended', isVouchedFor: false });
      await transition(organisation.id, 'reinstate');
      expect(await standing(entity)).toEqual({ own: 'active', counts: 'active', isVouchedFor: true });
    });

    it.each(['withdraw', 'revoke'] as const)(
      'after %s of an organisation its entities have ended for good',
      async (end) => {
        const organisation = await registry.organisation(authority);
        const entity = await registry.entity(organisation);
        await transition(organisation.id, end);
        expect((await standing(entity)).isVouchedFor).toBe(false);
        expect((await refusedBy(transition(organisation.id, 'reinstate'))).details['allowed']).toEqual([]);
      },
    );
  });
});
