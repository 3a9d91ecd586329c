import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideProposedKey } from '../../../src/registry/entities/keys/decide-proposed-key.ts';
import { markKeyCompromised } from '../../../src/registry/entities/keys/mark-key-compromised.ts';
import { MAX_UPDATE_EVENTS, readRegistrationEvents } from '../../../src/registry/entities/read-registration-events.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { listEntityRoles } from '../../../src/registry/roles/entity-role.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { takeRole } from '../../../src/registry/roles/take-role.ts';
import { transitionRole } from '../../../src/registry/roles/transition-role.ts';
import { updateRole } from '../../../src/registry/roles/update-role.ts';
import { audit } from '../../../src/storage/schema/audit.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openOrganisation, type TestRegistry } from '../../support/registry.ts';
import { assignedRole, policyOf, role } from '../../support/roles.ts';
import { TestSubordinate } from '../../support/subordinate-keys.ts';

describe.each(DATABASE_KINDS)('the history of an entity on the %s database', (kind) => {
  let opened: Awaited<ReturnType<typeof openOrganisation>>;
  let registry: TestRegistry;

  beforeAll(async () => {
    opened = await openOrganisation(kind);
    ({ registry } = opened);
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  const later = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);
  const at = (seconds: number) => registry.context(undefined, { now: later(seconds) });

  it('[EVENTS-4] tells the reasons that were given for the public and no others', async () => {
    const { authority } = opened;
    const subordinate = await TestSubordinate.enrol(registry, authority);
    const { id, entityIdentifier } = subordinate;
    const accepted = await subordinate.proposeKey();
    const { kid } = accepted;
    const reason = 'told by telephone: 4711';
    await decideProposedKey(at(60), id, { decision: 'accept', kid, thumbprint: kid, reason });
    await markKeyCompromised(at(120), id, { kid, reason: 'stolen' });
    const events = await readRegistrationEvents(registry.db, authority.id, entityIdentifier);
    expect(events.map(({ event, reason }) => [event, reason])).toEqual([
      ['registration', null],
      ['jwks_update', null],
      ['jwks_update', 'stolen'],
    ]);
  });

  it('F02 tells when the policy of its roles changed, and nothing of roles that it has not', async () => {
    const { authority, organisation } = opened;
    const { id, entityIdentifier } = await registry.entity(organisation);
    const gold = await role(registry, authority, { metadataPolicy: policyOf({ value: 'gold' }) });
    const plain = await role(registry, authority, { name: 'AISP' });
    for (const { id: roleId } of [gold, plain]) {
      await assignedRole(registry, organisation, { id: roleId });
      await giveRole(at(60), id, roleId);
    }
    await updateRole(at(120), gold.id, { description: 'x' });
    await updateRole(at(180), gold.id, { metadataPolicy: policyOf({ value: 'silver' }) });
    await transitionRole(at(240), gold.id, 'retire', 'paused');
    await transitionRole(at(300), gold.id, 'reinstate', 'again');
    const { items } = await listEntityRoles(registry.db, actor(), id, {}, { limit: 10 });
    await takeRole(at(360), id, items.find(({ role: { name } }) => name === 'PISP')?.id ?? '', 'unused');
    await updateRole(at(420), gold.id, { metadataPolicy: {} });
    const events = await readRegistrationEvents(registry.db, authority.id, entityIdentifier);
    const seconds = events.map(({ event, at: moment }) => [event, moment - NOW_DATE.getTime() / 1000]);
    const update = (after: number) => ['metadata_policy_update', after];
    expect(seconds).toEqual([['registration', 0], update(60), update(60), ...[180, 240, 300, 360].map(update)]);
  });

  it('goes back to the newest updates only, however many there were, and tells every move', async () => {
    const { authority, organisation } = opened;
    const { id, entityIdentifier } = await registry.entity(organisation);
    await transitionEntity(at(1), id, 'suspend', 'incident');
    await transitionEntity(at(2), id, 'reinstate', 'mended');
    const updates = Array.from({ length: MAX_UPDATE_EVENTS + 50 }, (_, index) => ({
      ...{ seq: 1_000_000 + index, ordinal: 0, at: later(10 + index), actor: {}, action: 'entity.update' },
      ...{ authorityId: authority.id, subjectKind: 'entity', subjectId: id },
      hash: 'made by a test',
      before: { metadata: { index } },
      // Each differs in two ways, so that there are more events than changes.
      after: { metadata: { index: index + 1 }, metadataPolicy: { index } },
    }));
    await registry.db.insert(audit).values(updates);
    const events = await readRegistrationEvents(registry.db, authority.id, entityIdentifier);
    const moves = events.filter(({ event }) => !event.endsWith('_update'));
    expect(moves.map(({ event }) => event)).toEqual(['registration', 'suspension', 'reinstatement']);
    expect(events.length - moves.length).toBe(MAX_UPDATE_EVENTS);
    expect(events.at(-1)?.at).toBe(Math.floor(later(9 + updates.length).getTime() / 1000));
    expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted((one, other) => one - other));
  });
});
