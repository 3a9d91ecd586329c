import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedEntityBody } from '../../../src/http/api/entities/entity-schema.ts';
import { endSuspensions } from '../../../src/jobs/end-suspensions.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { readAuthorizationServer } from '../../../src/registry/authorization-servers/read-authorization-server.ts';
import { changeEntitySuspension } from '../../../src/registry/entities/change-suspension.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { changeOrganisationSuspension } from '../../../src/registry/organisations/change-suspension.ts';
import { removeContact } from '../../../src/registry/organisations/contacts/remove-contact.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { apiResource } from '../../support/offers.ts';
import {
  actor,
  NOW_DATE,
  newEntity,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

const LATER = new Date(NOW_DATE.getTime() + 3_600_000);

describe.each(DATABASE_KINDS)('F05 suspension and what comes after it, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const at = (now: Date) => registry.context(actor(), { now });
  const read = (id: string) => readOrganisation(registry.db, actor(), id);

  it('F05 keeps code and note, in the record and in the audit', async () => {
    const { id } = await registry.organisation(authority);
    const decision = { reason: 'a laptop was stolen', reasonCode: 'security_incident' } as const;
    const { seq } = await transitionOrganisation(at(NOW_DATE), id, 'suspend', decision);
    expect(seq).toBe(await registry.seq());
    expect(await read(id)).toMatchObject({
      stateReason: 'a laptop was stolen',
      stateReasonCode: 'security_incident',
      suspendedUntil: null,
    });
    const [row] = await registry.auditAfter((seq ?? 0) - 1);
    expect(row).toMatchObject({ action: 'organisation.suspend', after: { stateReasonCode: 'security_incident' } });
  });

  it('F05 refuses a code of another transition, and an end that is past or of no suspension', async () => {
    const { id } = await registry.organisation(authority);
    const seq = await registry.seq();
    const attempts = [
      transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', reasonCode: 'mistake' }),
      transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', until: NOW_DATE }),
      transitionOrganisation(at(NOW_DATE), id, 'revoke', { reason: 'x', until: LATER }),
    ];
    expect(await Promise.all(attempts.map(outcome))).toEqual([
      'validation_failed at /reasonCode',
      'validation_failed at /until',
      'validation_failed at /until',
    ]);
    expect(await registry.seq()).toBe(seq);
  });

  it('F05 says what an illegal transition goes from and to, and what is allowed instead', async () => {
    const { id } = await registry.organisation(authority, 'revoked');
    const { code, details } = await refusedBy(transitionOrganisation(at(NOW_DATE), id, 'suspend', 'x'));
    expect([code, details]).toEqual(['illegal_transition', { from: 'revoked', to: 'suspended', allowed: [] }]);
  });

  describe('F05 the list of what is affected', () => {
    it('F05 has all that counts as something else now, by name, and nothing else', async () => {
      const { organisation, api, entityIdentifier } = await offering(registry, authority);
      const type = await registry.trustMarkType(authority);
      await registry.trustMark(type, entityIdentifier);
      const closed = await registry.entity(organisation, {}, 'revoked');
      const waiting = await registry.entity(organisation, {}, 'pending');
      const { affected } = await transitionOrganisation(at(NOW_DATE), organisation.id, 'suspend', 'x');
      const changed = { stateBefore: 'active', stateAfter: 'suspended' };
      expect(affected).toEqual([
        expect.objectContaining({ kind: 'entity', name: entityIdentifier, ...changed }),
        { kind: 'entity', id: waiting.id, name: waiting.entityIdentifier, ...changed, stateBefore: 'pending' },
        expect.objectContaining({ kind: 'authorization_server', name: entityIdentifier, ...changed }),
        {
          kind: 'api_resource',
          id: api.id,
          name: `${api.family} ${api.apiVersion} at ${entityIdentifier}`,
          ...changed,
        },
        expect.objectContaining({ kind: 'trust_mark', name: `${type.name} of ${entityIdentifier}`, ...changed }),
      ]);
      expect(affected.map(({ id }) => id)).not.toContain(closed.id);
    });

    it('F05 of an entity has what it offers and bears, and not itself', async () => {
      const { entityId, organisation } = await offering(registry, authority);
      await registry.entity(organisation);
      const { affected } = await transitionEntity(at(NOW_DATE), entityId, 'suspend', 'x');
      expect(affected.map((one) => one.kind)).toEqual(['authorization_server', 'api_resource']);
      const { affected: again } = await transitionEntity(at(NOW_DATE), entityId, 'reinstate', 'x');
      expect(again.map(({ stateBefore, stateAfter }) => `${stateBefore} ${stateAfter}`)).toEqual([
        'suspended active',
        'suspended active',
      ]);
    });

    it('F05 has marks of a bearer that was enrolled only after it got them', async () => {
      const type = await registry.trustMarkType(authority);
      const subject = 'https://bearer-before.example';
      const mark = await registry.trustMark(type, subject);
      const entity = await registry.entity(await registry.organisation(authority), { entityIdentifier: subject });
      const { affected } = await transitionEntity(at(LATER), entity.id, 'revoke', 'x');
      expect(affected).toEqual([
        { kind: 'trust_mark', id: mark.id, name: `Member of ${subject}`, stateBefore: 'active', stateAfter: 'revoked' },
      ]);
    });

    it('F05 has applications of others that act for it: these stay active, and do not act for it until it is back', async () => {
      const principal = await registry.organisation(authority);
      const owner = await registry.organisation(authority);
      const { id, entityIdentifier } = await registry.entity(owner, { onBehalfOf: principal.id });
      const shown = async () => listedEntityBody(await readEntity(registry.db, actor(), id));
      const delegation = { kind: 'delegation', id, name: `${entityIdentifier} for Partner Ltd` };
      const preview = { reason: 'x', isDryRun: true };
      const { affected } = await transitionOrganisation(at(NOW_DATE), principal.id, 'suspend', preview);
      expect(affected).toEqual([{ ...delegation, stateBefore: 'active', stateAfter: 'suspended' }]);
      expect((await transitionOrganisation(at(NOW_DATE), principal.id, 'suspend', 'x')).affected).toEqual(affected);
      expect(await shown()).toMatchObject({
        effectiveState: 'active',
        permissions: { newAuthorization: true, useExisting: true, withdrawConsent: true },
        delegation: {
          state: 'suspended',
          permissions: { newAuthorization: false, useExisting: false, withdrawConsent: true },
        },
      });
      await transitionOrganisation(at(NOW_DATE), principal.id, 'reinstate', 'x');
      expect(await shown()).toMatchObject({ delegation: { state: 'active', permissions: { newAuthorization: true } } });
      const { affected: own } = await transitionOrganisation(at(NOW_DATE), owner.id, 'revoke', 'x');
      expect(own.map((one) => `${one.kind} ${one.stateAfter}`)).toEqual(['entity revoked', 'delegation revoked']);
    });

    it('F05 is empty where a stricter state counted before', async () => {
      const { entityId, organisation } = await offering(registry, authority);
      await transitionOrganisation(at(NOW_DATE), organisation.id, 'suspend', 'x');
      expect((await transitionEntity(at(NOW_DATE), entityId, 'suspend', 'x')).affected).toEqual([]);
      const { affected } = await transitionOrganisation(at(NOW_DATE), organisation.id, 'reinstate', 'x');
      expect(affected).toEqual([]);
    });

    it('F05 is there at once for a thousand entities, with as many queries as for one', async () => {
      const organisation = await registry.organisation(authority);
      await manyEntities(registry, organisation, 1000);
      const { affected } = await transitionOrganisation(at(NOW_DATE), organisation.id, 'suspend', 'x');
      expect(affected.filter((one) => one.stateAfter === 'suspended')).toHaveLength(1000);
    });
  });

  describe('F05 a dry run', () => {
    it('F05 finds what then happens, and changes nothing', async () => {
      const { organisation } = await offering(registry, authority);
      const seq = await registry.seq();
      const tried = await transitionOrganisation(at(NOW_DATE), organisation.id, 'revoke', {
        reason: 'x',
        isDryRun: true,
      });
      expect(tried).toMatchObject({ seq: null, state: 'active', version: organisation.version });
      expect([await registry.seq(), await read(organisation.id)]).toEqual([seq, organisation]);
      const done = await transitionOrganisation(at(NOW_DATE), organisation.id, 'revoke', 'x');
      expect(tried.affected).toEqual(done.affected);
      expect(tried.affected).not.toEqual([]);
    });

    it('F05 is refused as the transition is', async () => {
      const { id, version } = await registry.organisation(authority);
      const isDryRun = true;
      const attempts = [
        transitionOrganisation(at(NOW_DATE), id, 'reinstate', { reason: 'x', isDryRun }),
        transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', isDryRun }, version + 1),
        transitionOrganisation(registry.context(actor({ roles: ['registrar'] })), id, 'suspend', {
          reason: 'x',
          isDryRun,
        }),
      ];
      expect(await Promise.all(attempts.map(outcome))).toEqual([
        'illegal_transition',
        'version_mismatch',
        'role_missing',
      ]);
    });
  });

  describe('F05 an end that was set', () => {
    const round = (now: Date) => endSuspensions({ changeContext: () => at(now), onError: unexpected });

    it('F05 reinstates when it has come, and not before; also when no node ran for long', async () => {
      const organisation = await registry.organisation(authority);
      const entity = await registry.entity(organisation);
      await transitionOrganisation(at(NOW_DATE), organisation.id, 'suspend', { reason: 'x', until: LATER });
      await transitionEntity(at(NOW_DATE), entity.id, 'suspend', { reason: 'x', until: LATER });
      await round(new Date(LATER.getTime() - 1));
      expect((await read(organisation.id)).state).toBe('suspended');
      await round(new Date(LATER.getTime() + 30 * 86_400_000));
      expect(await read(organisation.id)).toMatchObject({
        state: 'active',
        stateReasonCode: 'period_ended',
        suspendedUntil: null,
      });
      expect((await readEntity(registry.db, actor(), entity.id)).state).toBe('active');
    });

    it('F05 is reached once by two nodes', async () => {
      const { id } = await registry.organisation(authority);
      await transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', until: LATER });
      const seq = await registry.seq();
      await Promise.all([round(LATER), round(LATER)]);
      expect((await registry.auditAfter(seq)).map(({ action }) => action)).toEqual(['organisation.reinstate']);
    });

    it('F05 is void once somebody decided otherwise', async () => {
      const { id } = await registry.organisation(authority);
      await transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', until: LATER });
      await transitionOrganisation(at(NOW_DATE), id, 'reinstate', 'a mistake');
      await transitionOrganisation(at(NOW_DATE), id, 'suspend', 'for good reason');
      await round(LATER);
      expect((await read(id)).state).toBe('suspended');
    });

    it('F05 can be moved, and taken away: then somebody has to reinstate', async () => {
      const organisation = await registry.organisation(authority);
      const entity = await registry.entity(organisation);
      const much = new Date(LATER.getTime() + 3_600_000);
      const change = (until: Date | null, version?: number) =>
        changeOrganisationSuspension(at(NOW_DATE), organisation.id, { until, reason: 'x' }, version);
      expect(await outcome(change(LATER))).toBe('illegal_transition');
      const suspended = await transitionOrganisation(at(NOW_DATE), organisation.id, 'suspend', {
        reason: 'a laptop was stolen',
        until: LATER,
      });
      expect(await outcome(change(NOW_DATE))).toBe('validation_failed at /until');
      expect(await outcome(change(much, suspended.version - 1))).toBe('version_mismatch');
      const seq = await registry.seq();
      await change(LATER);
      expect(await registry.seq()).toBe(seq);
      const { stateReason, stateChangedAt, version } = await change(much, suspended.version);
      const { stateReason: reason, stateChangedAt: since } = suspended;
      expect([stateReason, stateChangedAt, version]).toEqual([reason, since, suspended.version + 1]);
      expect((await registry.auditAfter(seq)).map(({ action, before, after }) => [action, before, after])).toEqual([
        [
          'organisation.change_suspension',
          expect.objectContaining({ suspendedUntil: LATER.toISOString() }),
          expect.objectContaining({ suspendedUntil: much.toISOString() }),
        ],
      ]);
      await round(LATER);
      expect((await read(organisation.id)).state).toBe('suspended');
      await round(much);
      expect((await read(organisation.id)).state).toBe('active');
      await transitionEntity(at(NOW_DATE), entity.id, 'suspend', { reason: 'x', until: LATER });
      await changeEntitySuspension(at(NOW_DATE), entity.id, { until: null, reason: 'x' });
      await round(much);
      expect((await readEntity(registry.db, actor(), entity.id)).state).toBe('suspended');
    });

    it('F05 comes for all, however many cannot end before them', async () => {
      const all = [];
      for (let index = 0; index < 4; index++) all.push(await registry.organisation(authority));
      for (const { id } of all)
        await transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', until: LATER });
      const blocked = all.slice(0, 3);
      for (const { id, contacts } of blocked) await removeContact(at(NOW_DATE), id, contacts[0]?.id ?? '');
      await endSuspensions({ changeContext: () => at(LATER), onError: unexpected, pageSize: 1 });
      const states = await Promise.all(all.map(async ({ id }) => (await read(id)).state));
      expect(states).toEqual(['suspended', 'suspended', 'suspended', 'active']);
    });

    it('F05 waits for what an active organisation must have', async () => {
      const organisation = await registry.organisation(authority);
      const { id } = organisation;
      await transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', until: LATER });
      await removeContact(at(NOW_DATE), id, organisation.contacts[0]?.id ?? '');
      await round(LATER);
      expect((await read(id)).state).toBe('suspended');
    });

    it('F05 holds when the record is changed meanwhile', async () => {
      const { id } = await registry.organisation(authority);
      await transitionOrganisation(at(NOW_DATE), id, 'suspend', { reason: 'x', until: LATER });
      await updateOrganisation(at(NOW_DATE), id, { legalName: 'Renamed Ltd' });
      await round(LATER);
      expect((await read(id)).state).toBe('active');
    });
  });
});

function unexpected(error: unknown): void {
  throw error;
}

async function offering(registry: TestRegistry, authority: Authority) {
  const api = await apiResource(registry, authority);
  const { entityId, issuer } = await readAuthorizationServer(registry.db, actor(), api.authorizationServerId);
  const { organisationId } = await readEntity(registry.db, actor(), entityId);
  const organisation = await readOrganisation(registry.db, actor(), organisationId);
  return { organisation, api, entityId, entityIdentifier: issuer };
}

/** Copies of one, as a registrar would have enrolled them one by one. */
async function manyEntities(registry: TestRegistry, organisation: Organisation, count: number): Promise<void> {
  const { id } = await registry.entity(organisation, await newEntity(organisation));
  const [row] = await registry.db.select().from(entities).where(eq(entities.id, id));
  if (row === undefined) throw new Error('no entity');
  const copies = Array.from({ length: count - 1 }, (_, index) => ({
    ...row,
    id: nextId(),
    entityIdentifier: `${row.entityIdentifier}/${index}`,
  }));
  await registry.db.insert(entities).values(copies);
}
