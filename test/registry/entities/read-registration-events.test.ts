import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideProposedKey } from '../../../src/registry/entities/keys/decide-proposed-key.ts';
import { markKeyCompromised } from '../../../src/registry/entities/keys/mark-key-compromised.ts';
import { MAX_UPDATE_EVENTS, readRegistrationEvents } from '../../../src/registry/entities/read-registration-events.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { audit } from '../../../src/storage/schema/audit.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW_DATE, openOrganisation, type TestRegistry } from '../../support/registry.ts';
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
