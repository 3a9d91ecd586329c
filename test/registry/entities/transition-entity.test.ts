import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { readSubordinate } from '../../../src/registry/entities/read-subordinate.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { TRANSITION_NAMES, TRANSITIONS, type Transition } from '../../../src/registry/states.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../../src/storage/schema/organisations.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { untilWaiting } from '../../support/postgres-locks.ts';
import {
  actor,
  NOW_DATE,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

const STATES: ParticipantState[] = ['pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked'];

describe.each(DATABASE_KINDS)('transitionEntity on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const transition = (id: string, name: Transition, version?: number) =>
    transitionEntity(registry.context(), id, name, `because of ${name}`, version);

  it.each(STATES)('makes the legal transitions from %s and no other', async (state) => {
    const organisation = await registry.organisation(authority);
    for (const name of TRANSITION_NAMES) {
      const entity = await registry.entity(organisation, {}, state);
      const { from, to } = TRANSITIONS[name];
      if ((from as readonly ParticipantState[]).includes(state)) {
        expect((await transition(entity.id, name)).state).toBe(to);
      } else {
        expect((await refusedBy(transition(entity.id, name))).code).toBe('illegal_transition');
        expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
      }
    }
  });

  it('keeps the state, its reason and its time', async () => {
    const entity = await registry.entity(await registry.organisation(authority), {}, 'pending');
    const later = new Date(NOW_DATE.getTime() + 60_000);
    const context = registry.context(actor(), { now: later });
    const approved = await transitionEntity(context, entity.id, 'approve', 'contract signed');
    expect(approved).toEqual({
      ...entity,
      state: 'active',
      stateReason: 'contract signed',
      stateReasonCode: 'other',
      stateChangedAt: later,
      registeredAt: later,
      updatedAt: later,
      version: entity.version + 1,
      seq: await registry.seq(),
      affected: [],
    });
  });

  it.each(['suspend', 'withdraw', 'revoke'] as const)(
    '[OIDFED-11.4-1] nothing is said about a subordinate any more after %s',
    async (end) => {
      const entity = await registry.entity(await registry.organisation(authority));
      const read = () => readSubordinate(registry.db, authority.id, entity.entityIdentifier);
      expect(await read()).toMatchObject({ entity: { id: entity.id } });
      await transition(entity.id, end);
      expect(await read()).toBeUndefined();
    },
  );

  it('says nothing about an entity before it is approved, or once it is rejected', async () => {
    const organisation = await registry.organisation(authority);
    for (const state of ['pending', 'rejected'] as const) {
      const { entityIdentifier } = await registry.entity(organisation, {}, state);
      expect(await readSubordinate(registry.db, authority.id, entityIdentifier)).toBeUndefined();
    }
  });

  it.each([
    ['pending', []],
    ['suspended', ['approve', 'suspend']],
    ['withdrawn', ['approve', 'withdraw']],
    ['revoked', ['approve', 'revoke']],
    ['rejected', ['reject']],
  ] as const)('approves nothing under an organisation that is %s', async (state, way) => {
    const organisation = await registry.organisation(authority, 'pending');
    const entity = await registry.entity(organisation, {}, 'pending');
    for (const step of way) await transitionOrganisation(registry.context(), organisation.id, step, 'as it went');
    const error = await refusedBy(transition(entity.id, 'approve'));
    expect([error.code, error.details['organisation']]).toEqual(['organisation_not_active', organisation.id]);
    expect(error.message).toContain(state);
  });

  it.each(['withdrawn', 'revoked', 'rejected'] as const)(
    'is not even asked for under an organisation that is %s: it could never be approved',
    async (state) => {
      const organisation = await registry.organisation(authority, state);
      const error = await refusedBy(registry.entity(organisation, {}, 'pending'));
      expect([error.code, error.details['organisation']]).toEqual(['organisation_not_active', organisation.id]);
    },
  );

  it('approves nothing with a failed check, and names it', async () => {
    const at = NOW_DATE.toISOString();
    const checks = [
      { check: 'configuration_valid', outcome: 'passed' as const, detail: '', at },
      { check: 'authority_hint', outcome: 'failed' as const, detail: '', at },
    ];
    const entity = await registry.entity(await registry.organisation(authority), { checks }, 'pending');
    const error = await refusedBy(transition(entity.id, 'approve'));
    expect([error.code, error.details['failed']]).toEqual(['checks_failed', ['authority_hint']]);
  });

  it.each([
    ['policy', { defaultMetadataPolicy: { openid_relying_party: { contacts: { essential: true } } } }],
    ['constraints', { defaultConstraints: { max_path_length: 0 } }],
  ])('approves nothing whose checks judged by another default %s of the authority', async (_what, settings) => {
    const own = await registry.authority();
    const entity = await registry.entity(await registry.organisation(own), {}, 'pending');
    await updateAuthority(registry.context(), own.id, settings);
    const error = await refusedBy(transition(entity.id, 'approve', entity.version));
    expect([error.code, error.kind]).toEqual(['evidence_changed', 'conflict']);
    expect(error.message).toContain('run them again');
  });

  it('approves after changes of the authority that no check judges by', async () => {
    const own = await registry.authority();
    const entity = await registry.entity(await registry.organisation(own), {}, 'pending');
    await updateAuthority(registry.context(), own.id, { name: 'Renamed', statementLifetimeSeconds: 100 });
    expect(await outcome(transition(entity.id, 'approve', entity.version))).toBe('done');
  });

  it('approves keys that were handed over whatever the settings: their proof rests on none', async () => {
    const own = await registry.authority();
    const organisation = await registry.organisation(own);
    const entity = await registry.entity(organisation, { enrolment: 'handed_over' }, 'pending');
    await updateAuthority(registry.context(), own.id, { defaultConstraints: { max_path_length: 0 } });
    expect(await outcome(transition(entity.id, 'approve', entity.version))).toBe('done');
  });

  it('approves nothing without keys', async () => {
    const entity = await registry.entity(await registry.organisation(authority), { jwks: null }, 'pending');
    const error = await refusedBy(transition(entity.id, 'approve'));
    expect([error.code, error.message]).toEqual(['checks_failed', expect.stringContaining('no keys are registered')]);
  });

  it('refuses a stale version and makes the transition with the present one', async () => {
    const entity = await registry.entity(await registry.organisation(authority));
    expect(await outcome(transition(entity.id, 'suspend', entity.version - 1))).toBe('version_mismatch');
    expect(await outcome(transition(entity.id, 'suspend', entity.version + 1))).toBe('version_mismatch');
    expect(await outcome(transition(entity.id, 'suspend', entity.version))).toBe('done');
  });

  it('lets one of two transitions at once win; the other is told what the state has become', async () => {
    const entity = await registry.entity(await registry.organisation(authority), {}, 'pending');
    const seq = await registry.seq();
    const outcomes = await Promise.all([
      outcome(transition(entity.id, 'approve', entity.version)),
      outcome(transition(entity.id, 'reject', entity.version)),
    ]);
    expect(outcomes.sort()).toEqual(['done', 'illegal_transition']);
    expect(await registry.seq()).toBe(seq + 1);
  });

  it.each([nextId(), 'no-uuid', ''])('knows no entity %j', async (id) => {
    expect(await outcome(transition(id, 'suspend'))).toBe('not_found');
  });
});

it('on postgresql the later of two transitions sees what the earlier one made', async () => {
  await using registry = await openRegistry('postgresql');
  const entity = await registry.entity(await registry.organisation(await registry.authority()), {}, 'pending');
  let attempts: Promise<string>[] = [];
  await registry.db.transaction(async (tx) => {
    await tx.select().from(entities).where(eq(entities.id, entity.id)).for('update');
    attempts = (['approve', 'reject'] as const).map((name) =>
      outcome(transitionEntity(registry.context(), entity.id, name, 'at the same moment')),
    );
    await untilWaiting(registry.db, 2);
  });
  expect((await Promise.all(attempts)).sort()).toEqual(['done', 'illegal_transition']);
});

it('on postgresql an approval waits for a suspension of the organisation, and is refused', async () => {
  await using registry = await openRegistry('postgresql');
  const organisation = await registry.organisation(await registry.authority());
  const entity = await registry.entity(organisation, {}, 'pending');
  let approval = Promise.resolve('');
  await registry.db.transaction(async (tx) => {
    await tx.update(organisations).set({ state: 'suspended' }).where(eq(organisations.id, organisation.id));
    approval = outcome(transitionEntity(registry.context(), entity.id, 'approve', 'at the same moment'));
    await untilWaiting(registry.db);
  });
  expect(await approval).toBe('organisation_not_active');
});

it('on postgresql an approval waits for a change of the default policy, and is refused', async () => {
  await using registry = await openRegistry('postgresql');
  const authority = await registry.authority();
  const entity = await registry.entity(await registry.organisation(authority), {}, 'pending');
  const defaultMetadataPolicy = { openid_relying_party: { contacts: { essential: true } } };
  let approval = Promise.resolve('');
  await registry.db.transaction(async (tx) => {
    await tx.update(authorities).set({ defaultMetadataPolicy }).where(eq(authorities.id, authority.id));
    approval = outcome(transitionEntity(registry.context(), entity.id, 'approve', 'at the same moment'));
    await untilWaiting(registry.db);
  });
  expect(await approval).toBe('evidence_changed');
  expect((await readEntity(registry.db, actor(), entity.id)).state).toBe('pending');
});
