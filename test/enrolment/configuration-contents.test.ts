import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CheckedPartner, type Circumstances, detail, failed } from '../support/configuration-checks.ts';
import { NOW } from '../support/federation.ts';
import { offCurve, type Tampering, type TestKey, testKey, weakRsaKey } from '../support/keys.ts';

describe('checkConfiguration, of what a valid configuration says', () => {
  let partner: CheckedPartner;
  beforeEach(async () => {
    partner = await CheckedPartner.start();
  });
  afterEach(() => partner[Symbol.asyncDispose]());

  const rp = () => partner.rp;
  const check = (circumstances?: Circumstances) => partner.check(circumstances);
  const tamper = (tampering: Tampering) => partner.tamper(tampering);

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
      const found = await check({ approved: { keys: { keys: [jwk] }, lastIat: 0 } });
      expect(failed(found)).toMatchObject({ configuration_valid: 'key_not_found' });
      expect([found.jwks, found.verifiedEntityTypes, found.evidence['claims']]).toEqual([null, null, undefined]);
      const [own] = rp().keys;
      const keys = own === undefined ? [] : [own.jwk, jwk];
      expect(failed(await check({ approved: { keys: { keys }, lastIat: NOW } }))).toEqual({});
      const older = await check({ approved: { keys: { keys }, lastIat: NOW + 1 } });
      expect(failed(older)).toEqual({ configuration_valid: 'claim_invalid' });
      expect([older.jwks, older.evidence['claims']]).toEqual([null, undefined]);
    });

    it('that are none, or there twice under two kids, are refused', async () => {
      const own = rp().keys[0] as TestKey;
      const [twice, none] = [{ ...own, jwk: { ...own.jwk, kid: 'twice' } }, offCurve(await testKey('ES256', 78))];
      for (const key of [twice, none]) {
        rp().keys = [own, key];
        const found = await check();
        expect(failed(found)).toEqual({ keys: 'key_unsuitable' });
        expect(detail(found, 'keys')).toContain(key.jwk.kid);
      }
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
      partner.server.override(partner.server.configurationUrl('rp'), { status: 404 });
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
      const claims = Object.entries(partner.server.federation.configurationClaims('rp'));
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
