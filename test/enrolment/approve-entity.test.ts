import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RetrieveConfiguration } from '../../src/enrolment/configuration-checks.ts';
import { approveEntity } from '../../src/enrolment/decide-entity.ts';
import { enrolEntity } from '../../src/enrolment/enrol-entity.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import type { JsonObject } from '../../src/federation/json.ts';
import { updateAuthority } from '../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { readEntity } from '../../src/registry/entities/read-entity.ts';
import { readSubordinate } from '../../src/registry/entities/read-subordinate.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../src/registry/entities/update-entity.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { retrieveEntityConfiguration } from '../../src/resolver/http-statement-source.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { enrolmentOf } from '../support/enrolment.ts';
import { ManualClock } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';
import { actor, openOrganisation, outcome, refusedBy } from '../support/registry.ts';

const client = testClient();
const retrieve: RetrieveConfiguration = (entity) => retrieveEntityConfiguration(client, entity);
afterAll(() => client[Symbol.asyncDispose]());

describe.each(DATABASE_KINDS)('approveEntity on %s', async (kind) => {
  const { registry, authority, organisation } = await openOrganisation(kind);
  afterAll(() => registry[Symbol.asyncDispose]());

  let server: FederationServer;
  let clock: ManualClock;
  let entity: Entity;
  beforeEach(async () => {
    clock = new ManualClock();
    const metadata = { openid_relying_party: { client_name: 'Test RP' } };
    server = await serveFederation({ rp: { superiors: [authority.entityIdentifier], metadata } }, { clock });
    const input = enrolmentOf(organisation.id, server.federation.id('rp'));
    entity = await enrolEntity(registry.context(), input, retrieve);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const rp = () => server.federation.entity('rp');
  const context = () => registry.context(actor(), { now: new Date(clock.now() * 1000) });
  const approve = (version = entity.version) => approveEntity(context(), entity.id, 'looks good', version, retrieve);
  const present = () => readEntity(registry.db, actor(), entity.id);

  it('fetches once more, and vouches for the entity when all is as it was', async () => {
    const approved = await approve();
    expect(approved).toEqual({
      ...entity,
      state: 'active',
      stateReason: 'looks good',
      stateReasonCode: 'other',
      registeredAt: expect.any(Date),
      version: entity.version + 1,
      seq: expect.any(Number),
      affected: [],
    });
    expect(server.requestCount(server.configurationUrl('rp'))).toBe(2);
    expect(await readSubordinate(registry.db, authority.id, entity.entityIdentifier)).toMatchObject({
      entity: { id: entity.id },
      keys: [{ jwk: rp().keys[0]?.jwk }],
    });
  });

  it('does not mind that the configuration was signed anew', async () => {
    clock.advance(1800);
    expect(await server.federation.configuration('rp')).not.toContain(String(entity.evidence['iat']));
    expect((await approve()).state).toBe('active');
  });

  describe('fails when what it saw has changed, and keeps what is there now', () => {
    it.each<[string, (server: FederationServer) => Promise<unknown>]>([
      ['keys', async (it) => it.federation.entity('rp').keys.push(await testKey('ES256', 95))],
      [
        'metadata',
        async (it) =>
          Object.assign(it.federation.entity('rp').metadata, { openid_relying_party: { client_name: 'Other' } }),
      ],
      ['hints', async (it) => it.federation.entity('rp').superiors.set('https://other.example', {})],
    ])('%s', async (_what, change) => {
      await change(server);
      const error = await refusedBy(approve());
      expect([error.code, error.kind, error.details['version']]).toEqual([
        'evidence_changed',
        'conflict',
        entity.version + 1,
      ]);
      const after = await present();
      expect(after).toMatchObject({ state: 'pending', version: entity.version + 1 });
      expect(after.evidence['digest']).not.toBe(entity.evidence['digest']);
      expect(after.keys.map(({ jwk }) => jwk.kid)).toEqual(rp().keys.map(({ kid }) => kid));
      // Who saw the old evidence cannot approve the new one by trying again; who looks at it can.
      expect(await outcome(approve())).toBe('version_mismatch');
      expect((await approve(after.version)).state).toBe('active');
    });

    it('what the superior says about it, even while the configuration is being fetched', async () => {
      const meanwhile: RetrieveConfiguration = async (asked) => {
        await updateEntity(registry.context(), entity.id, { statementLifetimeSeconds: 600 });
        return retrieve(asked);
      };
      const attempt = approveEntity(context(), entity.id, 'looks good', entity.version, meanwhile);
      expect(await outcome(attempt)).toBe('version_mismatch');
      expect((await present()).state).toBe('pending');
    });

    it('what the superior says about it', async () => {
      await updateEntity(registry.context(), entity.id, { statementLifetimeSeconds: 600 });
      expect(await outcome(approve())).toBe('version_mismatch');
    });
  });

  describe('fails when the settings are not those that its checks judged by', () => {
    const GRADED = { openid_relying_party: { grade: { essential: false } } };
    const CLOSED = { openid_relying_party: { client_name: { one_of: ['Other RP'] } } };
    const setDefault = (defaultMetadataPolicy: JsonObject) =>
      updateAuthority(registry.context(), authority.id, { defaultMetadataPolicy });
    afterEach(() => setDefault({}));

    it('and keeps the checks that judge by the present ones, which may then be approved', async () => {
      await setDefault(GRADED);
      expect((await present()).checksOutdated).toBe(true);
      const error = await refusedBy(approve());
      expect([error.code, error.kind, error.details['version']]).toEqual([
        'evidence_changed',
        'conflict',
        entity.version + 1,
      ]);
      expect(error.message).toContain('other settings');
      expect(await present()).toMatchObject({ state: 'pending', checksOutdated: false });
      expect((await approve(entity.version + 1)).state).toBe('active');
    });

    it('and names what does not pass under the present ones', async () => {
      await setDefault(CLOSED);
      const error = await refusedBy(approve());
      expect([error.code, error.details['failed']]).toEqual(['checks_failed', ['metadata_policy']]);
    });

    it.each<[string, JsonObject]>([
      ['harmless', GRADED],
      ['one that the entity does not meet', CLOSED],
    ])('although they changed while the configuration was being fetched: %s', async (_what, policy) => {
      const meanwhile: RetrieveConfiguration = async (asked) => {
        const configuration = await retrieve(asked);
        await setDefault(policy);
        return configuration;
      };
      const attempt = approveEntity(context(), entity.id, 'looks good', entity.version, meanwhile);
      expect(await outcome(attempt)).toBe('evidence_changed');
      expect(await present()).toMatchObject({ state: 'pending', version: entity.version, checksOutdated: true });
    });

    it('and those of the entity itself, which must be checked before they are approved', async () => {
      const { version } = await updateEntity(registry.context(), entity.id, { metadataPolicy: CLOSED });
      expect(await outcome(approve(version))).toBe('checks_failed');
      const mended = await updateEntity(registry.context(), entity.id, { metadataPolicy: GRADED });
      expect(mended.checksOutdated).toBe(true);
      expect(await outcome(approve(mended.version))).toBe('evidence_changed');
      expect((await approve(mended.version + 1)).state).toBe('active');
    });
  });

  describe('a slow round of checks', () => {
    /** Runs the checks again; `change` is made after the configuration was fetched. */
    const slowly = (change: () => Promise<unknown>) =>
      recheckEntity(context(), entity.id, async (asked) => {
        const configuration = await retrieve(asked);
        await change();
        return configuration;
      });

    it('does not overwrite what a later one found', async () => {
      const older = structuredClone(rp().metadata);
      const name = (client_name: string) => Object.assign(rp().metadata, { openid_relying_party: { client_name } });
      name('Older');
      const slow = slowly(async () => {
        name('Newer');
        await recheckEntity(context(), entity.id, retrieve);
      });
      expect(await outcome(slow)).toBe('version_mismatch');
      const { evidence, version } = await present();
      expect(evidence['claims']).toMatchObject({ metadata: { openid_relying_party: { client_name: 'Newer' } } });
      expect(version).toBe(entity.version + 1);
      Object.assign(rp().metadata, older);
    });

    it('does not count for settings of the entity that were made after it began', async () => {
      const metadataPolicy = { openid_relying_party: { client_name: { one_of: ['Other RP'] } } };
      rp().claims['note'] = 'something new';
      const slow = slowly(() => updateEntity(registry.context(), entity.id, { metadataPolicy }));
      expect(await outcome(slow)).toBe('version_mismatch');
      const after = await present();
      expect([after.checksOutdated, after.checks]).toEqual([true, entity.checks]);
    });

    it('does not count for settings of the authority that were made after it began', async () => {
      rp().claims['note'] = 'something new';
      const defaultMetadataPolicy = { openid_relying_party: { client_name: { one_of: ['Other RP'] } } };
      const found = await slowly(() => updateAuthority(registry.context(), authority.id, { defaultMetadataPolicy }));
      expect(found).toMatchObject({ checksOutdated: true, version: entity.version + 1 });
      expect(await outcome(approve(found.version))).toBe('checks_failed');
      await updateAuthority(registry.context(), authority.id, { defaultMetadataPolicy: {} });
    });

    it('that finds nothing new minds no change of the record', async () => {
      const slow = slowly(() => updateEntity(registry.context(), entity.id, { statementLifetimeSeconds: 600 }));
      expect(await outcome(slow)).toBe('done');
    });
  });

  it('fails when a check fails now, names it and keeps it', async () => {
    rp().superiors = new Map([['https://other.example', {}]]);
    const error = await refusedBy(approve());
    expect([error.code, error.details['failed']]).toEqual(['checks_failed', ['authority_hint']]);
    const after = await present();
    expect(after).toMatchObject({ state: 'pending', version: entity.version + 1 });
    expect(after.checks.find(({ check }) => check === 'authority_hint')?.outcome).toBe('failed');
  });

  it.each<[string, { status?: number; body?: string }]>([
    ['is gone', { status: 404 }],
    ['is broken', { body: 'x' }],
  ])('fails when the configuration %s', async (_what, answer) => {
    server.override(server.configurationUrl('rp'), answer);
    expect(await outcome(approve())).toBe('checks_failed');
    expect((await present()).state).toBe('pending');
  });

  it('fails when the configuration has expired meanwhile', async () => {
    const body = await server.federation.configuration('rp');
    server.override(server.configurationUrl('rp'), { body });
    clock.advance(4000);
    expect(await outcome(approve())).toBe('checks_failed');
  });

  it('fails while checks of before stand as failed, until somebody has looked at better ones', async () => {
    server.override(server.configurationUrl('rp'), { status: 404 });
    const spoilt = await recheckEntity(context(), entity.id, retrieve);
    server.restore(server.configurationUrl('rp'));
    expect(await outcome(approve(spoilt.version))).toBe('evidence_changed');
    expect((await approve((await present()).version)).state).toBe('active');
  });

  it('is made once: of two at the same time one wins, the other gets a conflict', async () => {
    const attempts = await Promise.allSettled([approve(), approve()]);
    const errors = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'illegal_transition', kind: 'conflict' });
    expect((await present()).version).toBe(entity.version + 1);
  });

  it('refuses a stale version without asking the entity', async () => {
    const before = server.requests.length;
    const error = await refusedBy(approve(entity.version - 1));
    expect([error.code, error.kind]).toEqual(['version_mismatch', 'precondition_failed']);
    expect(server.requests).toHaveLength(before);
  });

  it('refuses what is no longer pending without asking the entity', async () => {
    await transitionEntity(registry.context(), entity.id, 'reject', 'no');
    const before = server.requests.length;
    expect(await outcome(approve(entity.version + 1))).toBe('illegal_transition');
    expect(server.requests).toHaveLength(before);
  });

  it('approves nothing under a pending organisation until that is approved', async () => {
    const pending = await registry.organisation(authority, 'pending');
    await using other = await serveFederation({
      rp: { superiors: [authority.entityIdentifier], metadata: { openid_relying_party: {} } },
    });
    const input = enrolmentOf(pending.id, other.federation.id('rp'));
    const { id, version } = await enrolEntity(registry.context(), input, retrieve);
    const attempt = () => outcome(approveEntity(context(), id, 'x', version, retrieve));
    expect(await attempt()).toBe('organisation_not_active');
    await transitionOrganisation(registry.context(), pending.id, 'approve', 'x');
    expect(await attempt()).toBe('done');
  });
});
