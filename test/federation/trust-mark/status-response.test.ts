import { describe, expect, it } from 'vitest';
import { statusEndpointOf } from '../../../src/federation/trust-mark/status-endpoint.ts';
import { validateTrustMarkStatus } from '../../../src/federation/trust-mark/status-response.ts';
import { parseTrustMark } from '../../../src/federation/trust-mark/trust-mark.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { type Tampering, testKey } from '../../support/keys.ts';
import { configurationOf, NOBODY, statusAnswer, trustMark, verdictOf } from '../../support/trust-marks.ts';

const federation = await buildFederation({
  anchor: {},
  issuer: { superiors: ['anchor'] },
  op: { superiors: ['anchor'] },
});
const mark = parseTrustMark(await trustMark(federation, 'issuer', 'op'));
const another = await trustMark(federation, 'issuer', 'op', undefined, { claims: { exp: undefined } });
const options = { mark, issuerKeys: federation.jwks('issuer'), now: NOW };
const stranger = await testKey('ES256', 99);

function judged(tampering: Tampering = {}, status = 'active'): Promise<string> {
  return verdictOf(async () =>
    validateTrustMarkStatus(await statusAnswer(federation, 'issuer', mark.jwt, status, tampering), options),
  );
}

describe('a status answer', () => {
  it('[OIDFED-8.4-8] confirms the mark that it echoes when its issuer signed that it is active', async () => {
    const jwt = await statusAnswer(federation, 'issuer', mark.jwt);
    const { claims } = await validateTrustMarkStatus(jwt, options);
    expect(claims).toMatchObject({ iss: federation.id('issuer'), trust_mark: mark.jwt, status: 'active' });
  });

  it.each<[string, Tampering, string]>([
    ['no typ', { header: { typ: undefined } }, 'typ_invalid at header/typ (8.4)'],
    ['the typ of a mark', { header: { typ: 'trust-mark+jwt' } }, 'typ_invalid at header/typ (8.4)'],
    ['alg none', { header: { alg: 'none' }, signature: () => new Uint8Array() }, 'alg_not_allowed at header/alg (8.4)'],
    ['no kid', { header: { kid: undefined } }, 'kid_missing at header/kid (8.4)'],
    ['the key of a stranger', { key: stranger }, 'key_not_found at header/kid (8.4)'],
    ['a worthless signature', { signature: () => new Uint8Array(64) }, 'signature_invalid at header/kid (8.4)'],
    ['another iss', { claims: { iss: NOBODY } }, 'issuer_mismatch at /iss (8.4)'],
    ['no iss', { claims: { iss: undefined } }, 'claim_missing at /iss (8.4)'],
    ['another mark', { claims: { trust_mark: another } }, 'trust_mark_status_mismatch at /trust_mark (8.4)'],
    [
      'the mark and a space',
      { claims: { trust_mark: `${mark.jwt} ` } },
      'trust_mark_status_mismatch at /trust_mark (8.4)',
    ],
    ['no mark', { claims: { trust_mark: undefined } }, 'claim_missing at /trust_mark (8.4)'],
    ['no status', { claims: { status: undefined } }, 'claim_missing at /status (8.4)'],
    ['a status that is no text', { claims: { status: true } }, 'claim_invalid at /status (8.4)'],
    ['active of older drafts', { claims: { status: undefined, active: true } }, 'claim_missing at /status (8.4)'],
  ])('[OIDFED-8.4-8] is refused with %s', async (_what, tampering, expected) => {
    expect(await judged(tampering)).toBe(expected);
  });

  it.each(['expired', 'revoked', 'invalid', 'Active', 'ACTIVE', 'active ', 'suspended'])(
    '[OIDFED-8.4-8] does not confirm a mark that is %j',
    async (status) => {
      expect(await judged({}, status)).toBe('trust_mark_status_not_active at /status (8.4)');
    },
  );

  it.each<[string, Record<string, unknown>, string]>([
    ['of the oldest moment permitted', { iat: NOW - 90 }, 'accepted'],
    ['older than that', { iat: NOW - 91 }, 'trust_mark_status_not_fresh at /iat (8.4)'],
    ['a little ahead of our clock', { iat: NOW + 30 }, 'accepted'],
    ['of the future', { iat: NOW + 31 }, 'trust_mark_status_not_fresh at /iat (8.4)'],
    ['without iat', { iat: undefined }, 'claim_missing at /iat (8.4)'],
    ['with text as iat', { iat: String(NOW) }, 'claim_invalid at /iat (8.4)'],
    ['that has an end and is past it', { exp: NOW - 30 }, 'trust_mark_status_not_fresh at /exp (8.4)'],
    ['that has an end to come', { exp: NOW + 1 }, 'accepted'],
  ])('[OIDFED-8.4-9] is judged by its age: one %s', async (_what, claims, expected) => {
    expect(await judged({ claims })).toBe(expected);
  });

  it('[OIDFED-8.4-9] may be as old as the caller says', async () => {
    const jwt = await statusAnswer(federation, 'issuer', mark.jwt, 'active', { claims: { iat: NOW - 600 } });
    const verdict = (maxAgeSeconds: number) =>
      verdictOf(() => validateTrustMarkStatus(jwt, { ...options, maxAgeSeconds, leewaySeconds: 0 }));
    expect(await verdict(600)).toBe('accepted');
    expect(await verdict(599)).toBe('trust_mark_status_not_fresh at /iat (8.4)');
  });
});

describe('the status endpoint of an issuer', () => {
  const URL_OF_STATUS = 'https://issuer.example/status?of=mark';

  async function offered(parameters: object): Promise<string | undefined> {
    federation.entity('issuer').metadata = { federation_entity: parameters };
    return statusEndpointOf(await configurationOf(federation, 'issuer'));
  }

  it.each([
    [{ federation_trust_mark_status_endpoint: URL_OF_STATUS }, URL_OF_STATUS],
    [
      {
        federation_trust_mark_status_endpoint: URL_OF_STATUS,
        federation_trust_mark_status_endpoint_auth_methods: ['private_key_jwt', 'none'],
      },
      URL_OF_STATUS,
    ],
    [
      {
        federation_trust_mark_status_endpoint: URL_OF_STATUS,
        federation_trust_mark_status_endpoint_auth_methods: ['private_key_jwt'],
      },
      undefined,
    ],
    [{}, undefined],
  ])('[OIDFED-7.3-8] is one that anybody may ask, from its own metadata: %j', async (parameters, expected) => {
    expect(await offered(parameters)).toBe(expected);
  });
});
