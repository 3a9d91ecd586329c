import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allPassed } from '../../src/enrolment/check-run.ts';
import {
  type CheckedConfiguration,
  type ConfigurationSubject,
  checkConfiguration,
} from '../../src/enrolment/configuration-checks.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { entityConfigurationUrl } from '../../src/federation/identifiers.ts';
import type { Jwk, JwkSet } from '../../src/federation/jwk-set.ts';
import { type Authority, DEFAULT_LIFETIMES } from '../../src/registry/authorities/authority.ts';
import { DEFAULT_KEY_SETTINGS } from '../../src/registry/authorities/keys/key-settings.ts';
import { NO_RECOGNITION } from '../../src/registry/authorities/recognition-settings.ts';
import { retrieveEntityConfiguration } from '../../src/resolver/http-statement-source.ts';
import { NOW } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { type Tampering, testKey, weakRsaKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';
import { NOW_DATE, nextId } from '../support/registry.ts';

const AUTHORITY = 'https://authority.example';

const CHECKS = [
  'configuration_retrieved',
  'configuration_valid',
  'authority_hint',
  'entity_types',
  'keys',
  'metadata_policy',
] as const;
type Check = (typeof CHECKS)[number];

const client = testClient();
afterAll(() => client[Symbol.asyncDispose]());

describe('checkConfiguration', () => {
  let server: FederationServer;
  beforeEach(async () => {
    server = await serveFederation({
      rp: { superiors: [AUTHORITY], metadata: { openid_relying_party: { client_name: 'Test RP', grade: 'gold' } } },
    });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const rp = () => server.federation.entity('rp');

  interface Circumstances {
    authority?: Partial<Authority>;
    settings?: Partial<ConfigurationSubject['settings']>;
    entityTypes?: string[];
    recordedKeys?: Jwk[];
    barredKeys?: Jwk[];
    registeredKeys?: JwkSet | null;
    entityIdentifier?: string;
  }

  /** Checks what `rp` publishes, under an authority without policies unless told otherwise. */
  async function check(circumstances: Circumstances = {}): Promise<CheckedConfiguration> {
    const {
      entityTypes = ['openid_relying_party'],
      recordedKeys = [],
      barredKeys = [],
      registeredKeys = null,
      entityIdentifier = rp().identifier,
    } = circumstances;
    const subject = {
      entityIdentifier: entityIdentifier as EntityIdentifier,
      authority: authorityWith(circumstances.authority),
      settings: { ...NO_SETTINGS, ...circumstances.settings },
      entityTypes,
      keyHistory: { recorded: recordedKeys, barred: barredKeys },
      registeredKeys,
    };
    return await checkConfiguration(subject, (entity) => retrieveEntityConfiguration(client, entity), NOW, {});
  }

  /** Publishes the configuration tampered with from now on. */
  async function tamper(tampering: Tampering): Promise<void> {
    server.override(server.configurationUrl('rp'), { body: await server.federation.configuration('rp', tampering) });
  }

  it('passes a configuration that is in order, and says what it saw', async () => {
    const found = await check();
    const url = server.configurationUrl('rp');
    expect(found.checks).toEqual([
      {
        check: 'configuration_retrieved',
        outcome: 'passed',
        detail: `retrieved from ${url}`,
        at: NOW_DATE.toISOString(),
      },
      passed('configuration_valid', rp().keys[0]?.kid),
      passed('authority_hint', AUTHORITY),
      passed('entity_types', 'openid_relying_party'),
      passed('keys', rp().keys[0]?.kid),
      passed('metadata_policy', 'openid_relying_party'),
    ]);
    expect(allPassed(found.checks)).toBe(true);
    const { iat, exp, ...claims } = server.federation.configurationClaims('rp');
    expect(found).toMatchObject({
      evidence: { url, iat, exp, kid: rp().keys[0]?.kid, fetchedAt: NOW_DATE.toISOString(), claims },
      verifiedEntityTypes: ['openid_relying_party', 'federation_entity'],
      verifiedIntermediate: false,
      jwks: server.federation.jwks('rp'),
    });
    expect(server.requests).toHaveLength(1);
  });

  it('finds an Intermediate by its fetch endpoint', async () => {
    rp().metadata['federation_entity'] = {
      federation_fetch_endpoint: `${rp().identifier}/fetch`,
      federation_list_endpoint: `${rp().identifier}/list`,
    };
    expect(await check()).toMatchObject({ verifiedIntermediate: true });
  });

  describe('retrieval fails', () => {
    it('when nobody listens', async () => {
      await server[Symbol.asyncDispose]();
      expect(failed(await check())).toEqual({ configuration_retrieved: 'connection_failed' });
    });

    it('when the connection breaks off', async () => {
      server.override(server.configurationUrl('rp'), (_request, response) => response.destroy());
      expect(failed(await check())).toEqual({ configuration_retrieved: 'connection_failed' });
    });

    it.each([
      [404, 'entity_not_found'],
      [500, 'server_unavailable'],
      [503, 'server_unavailable'],
      [403, 'http_status_unexpected'],
      [204, 'http_status_unexpected'],
    ])('with status %i', async (status, reason) => {
      server.override(server.configurationUrl('rp'), { status });
      expect(failed(await check())).toEqual({ configuration_retrieved: reason });
    });

    it('[OIDFED-9-5] with a redirect, which is not followed', async () => {
      const elsewhere = { location: `${server.origin}/elsewhere` };
      server.override(server.configurationUrl('rp'), { status: 302, headers: elsewhere });
      expect(failed(await check())).toEqual({ configuration_retrieved: 'redirect_refused' });
      expect(server.requests).toHaveLength(1);
    });

    it('[OIDFED-9-3] with another media type', async () => {
      server.override(server.configurationUrl('rp'), { headers: { 'content-type': 'application/json' } });
      expect(failed(await check())).toEqual({ configuration_retrieved: 'content_type_unexpected' });
    });

    it('for an entity that the outbound rules do not let us ask', async () => {
      const found = await check({ entityIdentifier: 'https://10.0.0.1' });
      expect(failed(found)).toEqual({ configuration_retrieved: 'address_forbidden' });
    });

    it('and then nothing is known, and all other checks are skipped', async () => {
      server.override(server.configurationUrl('rp'), { status: 404 });
      const found = await check();
      expect(outcomes(found)).toEqual(['failed', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped']);
      const url = entityConfigurationUrl(rp().identifier);
      const evidence = { url, settingsDigest: expect.any(String) };
      const unknown = { evidence, verifiedEntityTypes: null, verifiedIntermediate: null, jwks: null };
      expect(found).toMatchObject(unknown);
    });
  });

  describe('the configuration is not valid', () => {
    it.each<[string, Tampering, string]>([
      [
        '[OIDFED-3.2-2] about another entity',
        { claims: { iss: 'https://x.example', sub: 'https://x.example' } },
        'subject_mismatch',
      ],
      ['by another entity', { claims: { iss: 'https://x.example' } }, 'claim_forbidden'],
      ['[OIDFED-3.2-6] expired', { claims: { exp: NOW - 30 } }, 'statement_expired'],
      ['[OIDFED-3.2-5] issued in the future', { claims: { iat: NOW + 31 } }, 'statement_not_yet_valid'],
      ['[OIDFED-3-1] of another type', { header: { typ: 'JWT' } }, 'typ_invalid'],
      ['[OIDFED-3-3] unsigned', { header: { alg: 'none' }, signature: () => new Uint8Array() }, 'alg_not_allowed'],
      [
        '[OIDFED-3.2-8] with a broken signature',
        { signature: (_input, bytes) => bytes.toReversed() },
        'signature_invalid',
      ],
      ['[OIDFED-3.1.1-6] with metadata that is no object', { claims: { metadata: [] } }, 'metadata_invalid'],
      ['[OIDFED-3.1.2-2] with empty hints', { claims: { authority_hints: [] } }, 'authority_hints_invalid'],
      [
        'with a member name twice',
        { payloadText: (json) => json.replace('{', '{"jwks":{},') },
        'json_duplicate_member',
      ],
      ['with U+0000, which no database keeps', { claims: { note: 'a\0b' } }, 'claim_invalid'],
      [
        'with more Entity Types than anybody plays',
        { claims: { metadata: Object.fromEntries(entityTypes(51).map((type) => [type, {}])) } },
        'metadata_invalid',
      ],
      ['with half a character', { claims: { metadata: { federation_entity: { '\ud800': 1 } } } }, 'claim_invalid'],
    ])('%s', async (_what, tampering, reason) => {
      await tamper(tampering);
      const found = await check();
      expect(failed(found)).toEqual({ configuration_valid: reason });
      expect(outcomes(found)).toEqual(['passed', 'failed', 'skipped', 'skipped', 'skipped', 'skipped']);
      expect(found).toMatchObject({ verifiedEntityTypes: null, jwks: null });
    });

    it('says how many Entity Types are accepted, and accepts as many', async () => {
      const declaring = (count: number) => ({
        claims: { metadata: Object.fromEntries(entityTypes(count).map((type) => [type, {}])) },
      });
      await tamper(declaring(51));
      expect(detail(await check({ entityTypes: [] }), 'configuration_valid')).toMatch(
        /^\/metadata: .*51.* at most 50 /,
      );
      await tamper(declaring(50));
      const found = await check({ entityTypes: [] });
      expect(failed(found)).toEqual({});
      expect(found.verifiedEntityTypes).toEqual(entityTypes(50));
    });

    it('[OIDFED-3.2-7] when it is signed by a key that it does not publish', async () => {
      await tamper({ key: await testKey('ES256', 77) });
      expect(failed(await check())).toEqual({ configuration_valid: 'key_not_found' });
    });

    it('[OIDFED-3.1.1-4] when it shows a private key, of which nothing is kept', async () => {
      const key = rp().keys[0];
      await tamper({ claims: { jwks: { keys: [key?.privateJwk] } } });
      const found = await check();
      expect(failed(found)).toEqual({ configuration_valid: 'jwk_private' });
      expect(inspect(found, { depth: null })).not.toContain(String(key?.privateJwk['d']));
    });

    it('[OIDFED-9-2] under an identifier that shares its URL and is spelt otherwise', async () => {
      const found = await check({ entityIdentifier: `${rp().identifier}/` });
      expect(server.requestCount(server.configurationUrl('rp'))).toBe(1);
      expect(failed(found)).toEqual({ configuration_valid: 'subject_mismatch' });
    });
  });

  it('[OIDFED-13.4-2] refuses a critical claim that nobody here understands, as every resolver would', async () => {
    await tamper({ claims: { 'https://sector.example/class': 3, crit: ['https://sector.example/class'] } });
    expect(failed(await check())).toEqual({ configuration_valid: 'crit_not_understood' });
  });

  it('[OIDFED-3.1.1-8] ignores claims that it does not know', async () => {
    await tamper({ claims: { note: { any: ['thing'] } } });
    expect(failed(await check())).toEqual({});
  });

  describe('our authority is not among the hints', () => {
    it.each<[string, string[]]>([
      ['no hint at all', []],
      ['another superior', ['https://other.example']],
      ['[OIDFED-16-2] another spelling of ours', [`${AUTHORITY}/`, 'https://AUTHORITY.example']],
    ])('%s', async (_what, hints) => {
      rp().superiors = new Map(hints.map((hint) => [hint, {}]));
      const found = await check();
      expect(failed(found)).toEqual({ authority_hint: 'authority_hints_invalid' });
      expect(found.verifiedEntityTypes).toContain('openid_relying_party');
    });

    it('but it may be one of several', async () => {
      rp().superiors = new Map([
        ['https://other.example', {}],
        [AUTHORITY, {}],
      ]);
      expect(failed(await check())).toEqual({});
    });
  });

  describe('Entity Types', () => {
    it('[OIDFED-3.1.1-6] that are asked for must be declared', async () => {
      const found = await check({ entityTypes: ['openid_relying_party', 'openid_provider'] });
      expect(failed(found)).toEqual({ entity_types: 'metadata_invalid', metadata_policy: 'metadata_invalid' });
      expect(detail(found, 'entity_types')).toContain('openid_provider');
    });

    it('need not be asked for', async () => {
      expect(failed(await check({ entityTypes: [] }))).toEqual({});
    });

    it('must be declared at all', async () => {
      await tamper({ claims: { metadata: undefined } });
      const found = await check({ entityTypes: [] });
      expect(failed(found)).toEqual({ entity_types: 'metadata_invalid' });
    });

    it('[OIDFED-6.2.3-1] that are asked for must be allowed', async () => {
      const constraints = { allowed_entity_types: ['openid_provider'] };
      expect(failed(await check({ authority: { defaultConstraints: constraints } }))).toEqual({
        metadata_policy: 'metadata_invalid',
      });
    });
  });

  describe('keys', () => {
    it('too weak for a signature that counts are not handed on', async () => {
      rp().keys.push(await weakRsaKey());
      const found = await check();
      expect(failed(found)).toEqual({ keys: 'key_unsuitable' });
      expect(found.jwks).toBeNull();
    });

    it('for encryption are not Federation Entity Keys', async () => {
      const [key] = rp().keys;
      await tamper({ claims: { jwks: { keys: [key?.jwk, { ...key?.jwk, kid: 'enc', use: 'enc' }] } } });
      expect(failed(await check())).toEqual({ keys: 'key_unsuitable' });
    });

    it('that sign must not have expired', async () => {
      const [key] = rp().keys;
      const publish = (exp: number) => tamper({ claims: { jwks: { keys: [{ ...key?.jwk, exp }] } } });
      await publish(NOW);
      expect(failed(await check())).toEqual({ keys: 'key_unsuitable' });
      await publish(NOW + 1);
      expect(failed(await check())).toEqual({});
    });

    it('whose kid stood for another key are refused, and named', async () => {
      const [key] = rp().keys;
      const earlier = { ...(await testKey('ES256', 78)).jwk, kid: key?.kid ?? '' };
      const found = await check({ recordedKeys: [earlier] });
      expect(failed(found)).toEqual({ keys: 'key_unsuitable' });
      expect(detail(found, 'keys')).toContain(key?.kid);
      expect(failed(await check({ recordedKeys: key === undefined ? [] : [key.jwk] }))).toEqual({});
    });

    it('that were removed or are compromised are refused, under whatever kid', async () => {
      const [key] = rp().keys;
      const barredKeys = key === undefined ? [] : [{ ...key.jwk, kid: 'as-it-was-called-before' }];
      const found = await check({ barredKeys });
      expect(failed(found)).toEqual({ keys: 'key_unsuitable' });
      expect(found.jwks).toBeNull();
    });

    it('[OIDFED-11.2-9] count once approved only from a configuration that a registered key signed', async () => {
      const { jwk } = await testKey('ES256', 77);
      const found = await check({ registeredKeys: { keys: [jwk] } });
      expect(failed(found)).toMatchObject({ configuration_valid: 'key_not_found' });
      expect([found.jwks, found.verifiedEntityTypes, found.evidence['claims']]).toEqual([null, null, undefined]);
      const [own] = rp().keys;
      expect(failed(await check({ registeredKeys: { keys: own === undefined ? [] : [own.jwk, jwk] } }))).toEqual({});
    });
  });

  describe('metadata against the policy that would apply', () => {
    const policy = (operators: Record<string, never> | object) =>
      ({ openid_relying_party: { grade: operators } }) as never;

    it.each<[string, Circumstances, string]>([
      [
        '[OIDFED-6.1.3.1-7] a value that the default does not allow',
        { authority: { defaultMetadataPolicy: policy({ one_of: ['platinum'] }) } },
        'policy_value_not_allowed',
      ],
      [
        '[OIDFED-6.1.3.1-12] a parameter that its own policy demands',
        { settings: { metadataPolicy: { openid_relying_party: { contacts: { essential: true } } } } },
        'policy_essential_missing',
      ],
      [
        'policies that contradict each other',
        {
          authority: { defaultMetadataPolicy: policy({ value: 'gold' }) },
          settings: { metadataPolicy: policy({ value: 'silver' }) },
        },
        'policy_conflict',
      ],
      [
        '[OIDFED-6.1.4-10] a result that is illegal',
        { settings: { metadataPolicy: { openid_relying_party: { jwks: { value: 'none' } } } } },
        'metadata_invalid',
      ],
      [
        '[OIDFED-6.2.2-5] a host that naming constraints do not permit',
        { settings: { constraints: { naming_constraints: { permitted: ['.partner.example'] } } } },
        'naming_constraint_violated',
      ],
    ])('%s', async (_what, circumstances, reason) => {
      expect(failed(await check(circumstances))).toEqual({ metadata_policy: reason });
    });

    it("[OIDFED-6.1.4-2] passes where the superior's metadata makes it comply", async () => {
      const authority = { defaultMetadataPolicy: policy({ one_of: ['platinum'] }) };
      const settings = { metadata: { openid_relying_party: { grade: 'platinum' } } };
      expect(failed(await check({ authority, settings }))).toEqual({});
    });

    it("applies the entity's own constraints in place of the default ones", async () => {
      const authority = { defaultConstraints: { allowed_entity_types: ['openid_provider'] } };
      const settings = { constraints: { allowed_entity_types: ['openid_relying_party'] } };
      expect(failed(await check({ authority, settings }))).toEqual({});
    });
  });

  describe('keeps by which settings it judged', () => {
    const judgedBy = async (circumstances?: Parameters<typeof check>[0]) =>
      (await check(circumstances)).evidence['settingsDigest'];
    const metadataPolicy = { openid_relying_party: { contacts: { essential: false } } };

    it('the same for the same settings, whether the configuration could be had or not', async () => {
      const before = await judgedBy({ settings: { metadataPolicy } });
      server.override(server.configurationUrl('rp'), { status: 404 });
      expect(await judgedBy({ settings: { metadataPolicy } })).toBe(before);
    });

    it("the same for constraints that are the authority's default or the entity's own", async () => {
      const constraints = { max_path_length: 1 };
      expect(await judgedBy({ settings: { constraints } })).toBe(
        await judgedBy({ authority: { defaultConstraints: constraints } }),
      );
    });

    it.each<[string, NonNullable<Parameters<typeof check>[0]>]>([
      ["the entity's metadata", { settings: { metadata: { openid_relying_party: { client_name: 'x' } } } }],
      ["the entity's policy", { settings: { metadataPolicy } }],
      ["the entity's constraints", { settings: { constraints: { max_path_length: 1 } } }],
      ["the authority's policy", { authority: { defaultMetadataPolicy: metadataPolicy } }],
      ["the authority's constraints", { authority: { defaultConstraints: { max_path_length: 1 } } }],
    ])('another for other settings: %s', async (_what, circumstances) => {
      expect(await judgedBy(circumstances)).not.toBe(await judgedBy());
    });
  });

  describe('what was seen has the same digest', () => {
    const digest = async () => (await check()).evidence['digest'];

    it('when the configuration was issued anew and says the same', async () => {
      const before = await digest();
      await tamper({ claims: { iat: NOW - 5, exp: NOW + 99, jti: 'another', nbf: NOW - 5 } });
      expect(await digest()).toBe(before);
    });

    it('when its members stand in another order', async () => {
      const before = await digest();
      const claims = Object.entries(server.federation.configurationClaims('rp'));
      await tamper({ payloadText: () => JSON.stringify(Object.fromEntries(claims.toReversed())) });
      expect(await digest()).toBe(before);
    });

    it.each<[string, () => Promise<void>]>([
      ['keys', async () => void rp().keys.push(await testKey('ES256', 79))],
      ['metadata', async () => void Object.assign(rp().metadata, { openid_relying_party: { client_name: 'Other' } })],
      ['hints', async () => void rp().superiors.set('https://other.example', {})],
      ['an unknown claim', async () => void Object.assign(rp().claims, { note: 1 })],
    ])('but another when it differs in %s', async (_what, change) => {
      const before = await digest();
      await change();
      expect(await digest()).not.toBe(before);
    });
  });
});

function entityTypes(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `type_${index}`);
}

const NO_SETTINGS: ConfigurationSubject['settings'] = {
  metadata: {},
  metadataPolicy: {},
  constraints: null,
  additionalClaims: {},
  crit: [],
  statementLifetimeSeconds: null,
};

function authorityWith(settings: Partial<Authority> = {}): Authority {
  return {
    id: nextId(),
    entityIdentifier: AUTHORITY,
    location: 'authority.example',
    name: 'Authority',
    authorityHints: [],
    metadata: {},
    defaultMetadataPolicy: {},
    defaultConstraints: null,
    ...DEFAULT_LIFETIMES,
    ...DEFAULT_KEY_SETTINGS,
    ...NO_RECOGNITION,
    keyProposals: 'hold',
    endpointAuthentication: {},
    version: 1,
    createdAt: NOW_DATE,
    ...settings,
  };
}

function passed(check: Check, mentioned = ''): unknown {
  return { check, outcome: 'passed', detail: expect.stringContaining(mentioned), at: NOW_DATE.toISOString() };
}

/** Reasons of the failed checks; every check must have been made or skipped. */
function failed({ checks }: CheckedConfiguration): Partial<Record<Check, string>> {
  expect(checks.map(({ check }) => check)).toEqual(CHECKS);
  return Object.fromEntries(
    checks.filter(({ outcome }) => outcome === 'failed').map(({ check, reason }) => [check, reason]),
  );
}

function outcomes({ checks }: CheckedConfiguration): string[] {
  return checks.map(({ outcome }) => outcome);
}

function detail({ checks }: CheckedConfiguration, wanted: Check): string | undefined {
  return checks.find(({ check }) => check === wanted)?.detail;
}
