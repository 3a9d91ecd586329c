import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RetrieveConfiguration } from '../../src/enrolment/configuration-checks.ts';
import { type Enrolment, enrolEntity } from '../../src/enrolment/enrol-entity.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { readEntity } from '../../src/registry/entities/read-entity.ts';
import { readSubordinate } from '../../src/registry/entities/read-subordinate.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../src/registry/entities/update-entity.ts';
import { retrieveEntityConfiguration } from '../../src/resolver/http-statement-source.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { enrolmentOf } from '../support/enrolment.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testKey, weakRsaKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';
import { actor, openOrganisation, outcome } from '../support/registry.ts';

const client = testClient();
const retrieve: RetrieveConfiguration = (entity) => retrieveEntityConfiguration(client, entity);
afterAll(() => client[Symbol.asyncDispose]());

describe.each(DATABASE_KINDS)('enrolEntity on %s', async (kind) => {
  const { registry, authority, organisation } = await openOrganisation(kind);
  afterAll(() => registry[Symbol.asyncDispose]());

  let server: FederationServer;
  beforeEach(async () => {
    const metadata = { openid_relying_party: { client_name: 'Test RP' } };
    server = await serveFederation({ rp: { superiors: [authority.entityIdentifier], metadata } });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const rp = () => server.federation.entity('rp');
  const enrol = (settings: Partial<Enrolment> = {}, by = actor()) =>
    enrolEntity(registry.context(by), enrolmentOf(organisation.id, rp().identifier, settings), retrieve);
  const recheck = ({ id }: Entity) => recheckEntity(registry.context(), id, retrieve);
  const failed = ({ checks }: Entity) =>
    checks.filter(({ outcome }) => outcome === 'failed').map(({ check, reason }) => `${check}: ${reason}`);
  const kidsOf = ({ keys }: Entity) => keys.map(({ jwk }) => jwk.kid);

  it('fetches the configuration, keeps each check with its evidence, and vouches for nothing yet', async () => {
    const entity = await enrol();
    expect(server.requests.map(({ method, url }) => [method, url])).toEqual([['GET', server.configurationUrl('rp')]]);
    expect(entity).toMatchObject({
      entityIdentifier: rp().identifier,
      enrolment: 'published',
      state: 'pending',
      registeredEntityTypes: ['openid_relying_party'],
      verifiedEntityTypes: ['openid_relying_party', 'federation_entity'],
      verifiedIntermediate: false,
      evidence: { url: server.configurationUrl('rp'), digest: expect.any(String) },
    });
    expect(entity.checks.map(({ outcome }) => outcome)).toEqual(Array(6).fill('passed'));
    expect(kidsOf(entity)).toEqual(rp().keys.map(({ kid }) => kid));
    expect(await readSubordinate(registry.db, authority.id, rp().identifier)).toBeUndefined();
  });

  it('takes the types that the entity declares where none are asked for', async () => {
    expect((await enrol({ entityTypes: [] })).registeredEntityTypes).toEqual([
      'openid_relying_party',
      'federation_entity',
    ]);
  });

  describe('a failed check is kept, stands in the way of approval, and passes once mended', () => {
    it.each<[string, string, (server: FederationServer) => unknown, (server: FederationServer) => unknown]>([
      [
        'no configuration',
        'configuration_retrieved: entity_not_found',
        (it) => it.override(it.configurationUrl('rp'), { status: 404 }),
        (it) => it.restore(it.configurationUrl('rp')),
      ],
      [
        'an expired configuration',
        'configuration_valid: statement_expired',
        (it) => Object.assign(it.federation.entity('rp').claims, { exp: 1 }),
        (it) => Reflect.deleteProperty(it.federation.entity('rp').claims, 'exp'),
      ],
      [
        'no hint',
        'authority_hint: authority_hints_invalid',
        (it) => Object.assign(it.federation.entity('rp').claims, { authority_hints: ['https://other.example'] }),
        (it) => Reflect.deleteProperty(it.federation.entity('rp').claims, 'authority_hints'),
      ],
      [
        'a weak key',
        'keys: key_unsuitable',
        async (it) => it.federation.entity('rp').keys.push(await weakRsaKey()),
        (it) => it.federation.entity('rp').keys.pop(),
      ],
    ])('%s', async (_what, failure, spoil, mend) => {
      await spoil(server);
      const entity = await enrol();
      expect(failed(entity)).toEqual([failure]);
      expect(await outcome(transitionEntity(registry.context(), entity.id, 'approve', 'x'))).toBe('checks_failed');
      const seq = await registry.seq();
      expect(await recheck(entity)).toEqual(entity);
      expect(await registry.seq()).toBe(seq);
      await mend(server);
      const mended = await recheck(entity);
      expect(failed(mended)).toEqual([]);
      expect(mended.version).toBe(entity.version + 1);
      expect(kidsOf(mended)).toEqual(rp().keys.map(({ kid }) => kid));
      expect((await transitionEntity(registry.context(), entity.id, 'approve', 'mended')).state).toBe('active');
    });

    it('metadata against the policy', async () => {
      const metadataPolicy = { openid_relying_party: { contacts: { essential: true } } };
      const entity = await enrol({ metadataPolicy });
      expect(failed(entity)).toEqual(['metadata_policy: policy_essential_missing']);
      rp().metadata['openid_relying_party'] = { contacts: ['ops@partner.example'] };
      expect(failed(await recheck(entity))).toEqual([]);
    });

    it('the policy against the metadata', async () => {
      const metadataPolicy = { openid_relying_party: { contacts: { essential: true } } };
      const entity = await enrol({ metadataPolicy });
      await updateEntity(registry.context(), entity.id, { metadataPolicy: {} });
      expect(failed(await recheck(entity))).toEqual([]);
    });
  });

  describe('keys of a configuration that changes', () => {
    it('are registered anew until the entity is approved, and come back as well', async () => {
      const [first, second] = [await testKey('ES256', 90), await testKey('ES256', 91)];
      rp().keys = [first];
      const entity = await enrol();
      rp().keys = [second];
      expect(kidsOf(await recheck(entity))).toEqual([second.kid]);
      rp().keys = [first, second];
      expect(kidsOf(await recheck(entity))).toEqual([first.kid, second.kid]);
      await transitionEntity(registry.context(), entity.id, 'approve', 'x');
      rp().keys = [second];
      expect(kidsOf(await recheck(entity))).toEqual([first.kid, second.kid]);
    });

    it('never take the kid of another key: the check fails, and what was registered stays', async () => {
      const first = await testKey('ES256', 92);
      rp().keys = [first];
      const entity = await enrol();
      const impostor = await testKey('ES256', 93);
      rp().keys = [{ ...impostor, kid: first.kid, jwk: { ...impostor.jwk, kid: first.kid } }];
      const after = await recheck(entity);
      expect(failed(after)).toEqual(['keys: key_unsuitable']);
      expect(after.keys).toEqual(entity.keys);
    });
  });

  it('keeps the types of the last valid configuration when there is none any more', async () => {
    const entity = await enrol();
    server.override(server.configurationUrl('rp'), { status: 503 });
    const after = await recheck(entity);
    expect(failed(after)).toEqual(['configuration_retrieved: server_unavailable']);
    expect(after.verifiedEntityTypes).toEqual(entity.verifiedEntityTypes);
    expect(after.keys).toEqual(entity.keys);
  });

  describe('asks nobody and keeps nothing', () => {
    it.each<[string, Partial<Enrolment>, string]>([
      [
        'for a malformed identifier',
        { entityIdentifier: 'https://rp.example/#x' },
        'validation_failed at /entityIdentifier',
      ],
      [
        'for settings that nobody could use',
        { metadataPolicy: { openid_provider: { x: { one_of: 'y' } } } },
        'validation_failed at /metadataPolicy/openid_provider/x/one_of',
      ],
      ['for an organisation that is not there', { organisationId: 'x' }, 'not_found'],
    ])('%s', async (_what, settings, expected) => {
      const seq = await registry.seq();
      expect(await outcome(enrol(settings))).toBe(expected);
      expect(server.requests).toEqual([]);
      expect(await registry.seq()).toBe(seq);
    });

    it('for the authority itself', async () => {
      const { entityIdentifier } = authority;
      expect(await outcome(enrol({ entityIdentifier }))).toBe('validation_failed at /entityIdentifier');
      expect(server.requests).toEqual([]);
    });

    it('for whoever may not enrol', async () => {
      expect(await outcome(enrol({}, actor({ roles: ['approver', 'auditor'] })))).toBe('role_missing');
      expect(await outcome(enrol({}, actor({ roles: [] })))).toBe('role_missing');
      expect(await outcome(enrol({}, actor({ authorities: [] })))).toBe('not_found');
      expect(server.requests).toEqual([]);
    });

    it.each(['rejected', 'withdrawn', 'revoked'] as const)('for a record that is %s', async (state) => {
      const entity = await registry.entity(organisation, { entityIdentifier: rp().identifier }, state);
      expect(await outcome(recheck(entity))).toBe('illegal_transition');
      expect(server.requests).toEqual([]);
    });

    it('for a request that was made before', async () => {
      const request = { key: rp().identifier, requestHash: 'hash' };
      const input = enrolmentOf(organisation.id, rp().identifier);
      const first = await enrolEntity(registry.context(), input, retrieve, request);
      expect(await enrolEntity(registry.context(), input, retrieve, request)).toEqual(first);
      expect(server.requests).toHaveLength(1);
    });
  });

  it('never attaches itself to a record that is there', async () => {
    const entity = await enrol();
    const other = await registry.organisation(authority);
    expect(await outcome(enrol())).toBe('entity_exists');
    expect(await outcome(enrol({ organisationId: other.id, metadata: { openid_relying_party: { a: 1 } } }))).toBe(
      'entity_exists',
    );
    expect(await readEntity(registry.db, actor(), entity.id)).toEqual(entity);
  });

  it('refuses settings that contradict the default of the authority', async () => {
    const grade = (value: string) => ({ openid_relying_party: { grade: { value } } });
    const strict = await registry.authority({ defaultMetadataPolicy: grade('gold') });
    const { id } = await registry.organisation(strict);
    const metadataPolicy = grade('silver');
    expect(await outcome(enrol({ organisationId: id, metadataPolicy }))).toBe(
      'policy_conflict at /metadataPolicy/openid_relying_party/grade/value',
    );
  });
});
