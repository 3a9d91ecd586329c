import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allPassed } from '../../src/enrolment/check-run.ts';
import type { CheckedConfiguration } from '../../src/enrolment/configuration-checks.ts';
import { entityConfigurationUrl } from '../../src/federation/identifiers.ts';
import {
  AUTHORITY,
  type Check,
  CheckedPartner,
  type Circumstances,
  detail,
  failed,
} from '../support/configuration-checks.ts';
import { NOW } from '../support/federation.ts';
import { type Tampering, testKey } from '../support/keys.ts';
import { NOW_DATE } from '../support/registry.ts';

describe('checkConfiguration', () => {
  let partner: CheckedPartner;
  beforeEach(async () => {
    partner = await CheckedPartner.start();
  });
  afterEach(() => partner[Symbol.asyncDispose]());

  const rp = () => partner.rp;
  const check = (circumstances?: Circumstances) => partner.check(circumstances);
  const tamper = (tampering: Tampering) => partner.tamper(tampering);

  it('passes a configuration that is in order, and says what it saw', async () => {
    const found = await check();
    const url = partner.server.configurationUrl('rp');
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
    const { iat, exp, ...claims } = partner.server.federation.configurationClaims('rp');
    expect(found).toMatchObject({
      evidence: { url, iat, exp, kid: rp().keys[0]?.kid, fetchedAt: NOW_DATE.toISOString(), claims },
      verifiedEntityTypes: ['openid_relying_party', 'federation_entity'],
      verifiedIntermediate: false,
      jwks: partner.server.federation.jwks('rp'),
    });
    expect(partner.server.requests).toHaveLength(1);
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
      await partner.server[Symbol.asyncDispose]();
      expect(failed(await check())).toEqual({ configuration_retrieved: 'connection_failed' });
    });

    it('when the connection breaks off', async () => {
      partner.server.override(partner.server.configurationUrl('rp'), (_request, response) => response.destroy());
      expect(failed(await check())).toEqual({ configuration_retrieved: 'connection_failed' });
    });

    it.each([
      [404, 'entity_not_found'],
      [500, 'server_unavailable'],
      [503, 'server_unavailable'],
      [403, 'http_status_unexpected'],
      [204, 'http_status_unexpected'],
    ])('with status %i', async (status, reason) => {
      partner.server.override(partner.server.configurationUrl('rp'), { status });
      expect(failed(await check())).toEqual({ configuration_retrieved: reason });
    });

    it('[OIDFED-9-5] with a redirect, which is not followed', async () => {
      const elsewhere = { location: `${partner.server.origin}/elsewhere` };
      partner.server.override(partner.server.configurationUrl('rp'), { status: 302, headers: elsewhere });
      expect(failed(await check())).toEqual({ configuration_retrieved: 'redirect_refused' });
      expect(partner.server.requests).toHaveLength(1);
    });

    it('[OIDFED-9-3] with another media type', async () => {
      partner.server.override(partner.server.configurationUrl('rp'), {
        headers: { 'content-type': 'application/json' },
      });
      expect(failed(await check())).toEqual({ configuration_retrieved: 'content_type_unexpected' });
    });

    it('for an entity that the outbound rules do not let us ask', async () => {
      const found = await check({ entityIdentifier: 'https://10.0.0.1' });
      expect(failed(found)).toEqual({ configuration_retrieved: 'address_forbidden' });
    });

    it('and then nothing is known, and all other checks are skipped', async () => {
      partner.server.override(partner.server.configurationUrl('rp'), { status: 404 });
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
      expect(partner.server.requestCount(partner.server.configurationUrl('rp'))).toBe(1);
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
});

function entityTypes(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `type_${index}`);
}

function passed(check: Check, mentioned = ''): unknown {
  return { check, outcome: 'passed', detail: expect.stringContaining(mentioned), at: NOW_DATE.toISOString() };
}

function outcomes({ checks }: CheckedConfiguration): string[] {
  return checks.map(({ outcome }) => outcome);
}
