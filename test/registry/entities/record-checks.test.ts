import { afterAll, describe, expect, it } from 'vitest';
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import type { CheckedEvidence, Entity } from '../../../src/registry/entities/entity.ts';
import { listSubordinatesJson, type SubordinateFilter } from '../../../src/registry/entities/list-subordinates.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { recordChecks } from '../../../src/registry/entities/record-checks.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { EnrolmentCheck } from '../../../src/storage/schema/entities.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, freshJwks, NOW_DATE, openOrganisation, outcome } from '../../support/registry.ts';

type Found = CheckedEvidence & { jwks: JwkSet | null };

const at = NOW_DATE.toISOString();
const PASSED: EnrolmentCheck = { check: 'configuration_valid', outcome: 'passed', detail: 'signed', at };
const FAILED: EnrolmentCheck = { ...PASSED, outcome: 'failed', reason: 'statement_expired', detail: 'too old' };

describe.each(DATABASE_KINDS)('recordChecks on %s', async (kind) => {
  const { registry, authority, organisation } = await openOrganisation(kind);
  afterAll(() => registry[Symbol.asyncDispose]());

  const record = (entity: Entity, found: Partial<Found>, expectedVersion?: number) =>
    recordChecks(
      registry.context(),
      entity.id,
      {
        checks: entity.checks,
        evidence: entity.evidence,
        verifiedEntityTypes: entity.verifiedEntityTypes,
        verifiedIntermediate: entity.verifiedIntermediate,
        jwks: null,
        ...found,
      },
      { expectedVersion },
    );
  const kidsOf = ({ keys }: Entity) => keys.map(({ jwk }) => jwk.kid);

  it('keeps new evidence under a new version', async () => {
    const entity = await registry.entity(organisation, {}, 'pending');
    const evidence = { ...entity.evidence, digest: 'new' };
    const found = { checks: [FAILED], evidence, verifiedEntityTypes: ['openid_provider'] };
    expect(await record(entity, found)).toEqual({ ...entity, ...found, version: entity.version + 1 });
  });

  it('changes nothing when the same was found again, later', async () => {
    const entity = await registry.entity(organisation, { checks: [FAILED] }, 'pending');
    const seq = await registry.seq();
    const later = { ...FAILED, at: new Date(NOW_DATE.getTime() + 1000).toISOString(), detail: 'expired 31 s ago' };
    expect(await record(entity, { checks: [later], evidence: { ...entity.evidence, iat: 5 } })).toEqual(entity);
    expect(await registry.seq()).toBe(seq);
  });

  it.each<[string, EnrolmentCheck]>([
    ['outcome', { ...FAILED, outcome: 'skipped' }],
    ['reason', { ...FAILED, reason: 'signature_invalid' }],
  ])('keeps a check that comes out with another %s', async (_what, check) => {
    const entity = await registry.entity(organisation, { checks: [FAILED] }, 'pending');
    expect(await record(entity, { checks: [check] })).toMatchObject({ checks: [check], version: entity.version + 1 });
  });

  it('keeps the same outcome once it was found under other settings', async () => {
    const entity = await registry.entity(organisation, {}, 'pending');
    const evidence = { ...entity.evidence, settingsDigest: 'of other settings' };
    const recorded = await record(entity, { evidence });
    expect(recorded).toEqual({ ...entity, evidence, checksOutdated: true, version: entity.version + 1 });
  });

  it('keeps nothing about a version that is no longer there, unless it says what stands there', async () => {
    const entity = await registry.entity(organisation, {}, 'pending');
    const newer = { checks: [PASSED], evidence: { ...entity.evidence, digest: 'newer' } };
    const present = await record(entity, newer, entity.version);
    const older = { checks: [FAILED], evidence: { ...entity.evidence, digest: 'older' } };
    expect(await outcome(record(entity, older, entity.version))).toBe('version_mismatch');
    expect(await record(entity, newer, entity.version)).toEqual(present);
    expect(await readEntity(registry.db, actor(), entity.id)).toEqual(present);
  });

  it.each(['rejected', 'withdrawn', 'revoked'] as const)('leaves a record alone that is %s', async (state) => {
    const entity = await registry.entity(organisation, {}, state);
    expect(await outcome(record(entity, { evidence: { digest: 'new' } }))).toBe('illegal_transition');
    expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
  });

  describe('keys of the configuration', () => {
    const evidence = { digest: 'new' };

    it('are registered while an entity that publishes is pending', async () => {
      const entity = await registry.entity(organisation, {}, 'pending');
      const jwks = await freshJwks(2);
      expect(kidsOf(await record(entity, { evidence, jwks }))).toEqual(jwks.keys.map((jwk) => jwk.kid));
    });

    it('never change what is registered once an entity is approved', async () => {
      const entity = await registry.entity(organisation);
      expect(kidsOf(await record(entity, { evidence, jwks: await freshJwks() }))).toEqual(kidsOf(entity));
    });

    it('never change what is registered where keys were handed over', async () => {
      const entity = await registry.entity(organisation, { enrolment: 'handed_over' }, 'pending');
      expect(kidsOf(await record(entity, { evidence, jwks: await freshJwks() }))).toEqual(kidsOf(entity));
    });

    it('stay when none were found', async () => {
      const entity = await registry.entity(organisation, {}, 'pending');
      expect(kidsOf(await record(entity, { checks: [FAILED], jwks: null }))).toEqual(kidsOf(entity));
    });
  });

  describe('[OIDFED-8.2-10] the types that lists filter by', () => {
    async function isListed(entity: Entity, filter: Partial<SubordinateFilter>): Promise<boolean> {
      const everything = { entityTypes: [], intermediate: false };
      const json = await listSubordinatesJson(registry.db, authority.id, { ...everything, ...filter }, NOW_DATE);
      return JSON.parse(json).includes(entity.entityIdentifier);
    }
    const plays = (entity: Entity, ...entityTypes: string[]) => isListed(entity, { entityTypes });

    it('are the registered ones while no configuration was verified', async () => {
      const unverified = { verifiedEntityTypes: null, verifiedIntermediate: null };
      const registered = { entityTypes: ['openid_provider'], isIntermediate: true };
      const entity = await registry.entity(organisation, { ...unverified, ...registered });
      expect([await plays(entity, 'openid_provider'), await plays(entity, 'openid_relying_party')]).toEqual([
        true,
        false,
      ]);
      expect(await isListed(entity, { intermediate: true })).toBe(true);
    });

    it('are those of the last verified configuration, whatever is registered', async () => {
      const entity = await registry.entity(organisation, { entityTypes: ['openid_provider'], isIntermediate: true });
      expect([await plays(entity, 'openid_provider'), await plays(entity, 'openid_relying_party')]).toEqual([
        false,
        true,
      ]);
      expect(await isListed(entity, { intermediate: true })).toBe(false);
      const verifiedEntityTypes = ['oauth_client', 'federation_entity'];
      await record(entity, { evidence: { digest: 'new' }, verifiedEntityTypes, verifiedIntermediate: true });
      expect([await plays(entity, 'oauth_client'), await plays(entity, 'openid_relying_party')]).toEqual([true, false]);
      expect(await isListed(entity, { intermediate: true })).toBe(true);
    });

    it('stay when a configuration could not be had any more', async () => {
      const entity = await registry.entity(organisation);
      const gone = { checks: [FAILED], evidence: { url: 'x' }, verifiedEntityTypes: null, verifiedIntermediate: null };
      expect(await record(entity, gone)).toMatchObject({ verifiedEntityTypes: entity.verifiedEntityTypes });
      expect(await plays(entity, 'openid_relying_party')).toBe(true);
    });

    it('count each alone where several are asked for', async () => {
      const entity = await registry.entity(organisation);
      expect(await plays(entity, 'oauth_client', 'openid_relying_party')).toBe(true);
      expect(await plays(entity, 'oauth_client', 'openid_provider')).toBe(false);
      expect(await isListed(entity, { entityTypes: ['openid_relying_party'], intermediate: true })).toBe(false);
    });

    it('concern active entities only', async () => {
      const entity = await registry.entity(organisation);
      await transitionEntity(registry.context(), entity.id, 'suspend', 'x');
      expect(await plays(entity, 'openid_relying_party')).toBe(false);
    });
  });
});
