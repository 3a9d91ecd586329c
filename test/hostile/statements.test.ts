/** Entity Statements that are odd or forged, each published by an Intermediate over real HTTP. @see OIDFED §3.2, RFC 7515 */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOW } from '../support/federation.ts';
import type { FederationServer } from '../support/federation-server.ts';
import { claim, entitiesWith, expectRefused, type Forged, type Forgery, forge, header } from '../support/forgeries.ts';
import { expectOutcome } from '../support/hostile-federation.ts';
import { type Tampering, testKey } from '../support/keys.ts';

const STATEMENT = { 'Content-Type': 'application/entity-statement+jwt' };
const stranger = await testKey('ES256', 90);
const rsa = await testKey('RS256', 90);

const IDENTITIES: Forgery[] = [
  {
    title: '[OIDFED-3.2-2] a statement about another subject',
    forged: 'statement',
    with: ({ federation }) => federation.subordinateStatement('evil', 'other'),
    refused: 'subject_mismatch (§3.2) /sub',
  },
  {
    title: '[OIDFED-3.2-2] a configuration of another entity',
    forged: 'configuration',
    with: ({ federation }) => federation.configuration('other'),
    refused: 'subject_mismatch (§3.2) /sub',
  },
  {
    title: 'a statement in the name of another superior',
    forged: 'statement',
    with: async ({ federation }) => ({ claims: { iss: federation.id('anchor') } }),
    refused: 'issuer_mismatch (§3.2) /iss',
  },
  {
    title: "[OIDFED-3.2-3] the subject's own configuration in place of a statement",
    forged: 'statement',
    with: ({ federation }) => federation.configuration('op'),
    refused: 'not_subordinate_statement (§3.2) /iss',
  },
  {
    title: "the superior's statement in place of a configuration",
    forged: 'configuration',
    with: ({ federation }) => federation.subordinateStatement('anchor', 'evil'),
    refused: 'not_entity_configuration (§3.2) /iss',
  },
  claim('a statement without iss', 'statement', { iss: undefined }, 'claim_missing (§3.1.1) /iss'),
  claim('a statement whose iss is a list', 'statement', { iss: [] }, 'entity_identifier_invalid (§1.2) /iss'),
  claim(
    '[OIDFED-1.2-3] a statement whose iss has user info',
    'statement',
    { iss: 'https://evil@anchor.example' },
    'entity_identifier_invalid (§1.2) /iss',
  ),
  claim(
    'a configuration that names a superior by a file',
    'configuration',
    { authority_hints: ['file:///etc/passwd'] },
    'entity_identifier_invalid (§1.2) /authority_hints/0',
  ),
];

const KEYS: Forgery[] = [
  {
    title: '[OIDFED-3.2-7] a statement signed with the key of another entity',
    forged: 'statement',
    with: { key: stranger },
    refused: 'key_not_found (§3.2) header/kid',
  },
  {
    title: "[OIDFED-3.2-8] a statement signed by a stranger who writes the superior's kid",
    forged: 'statement',
    with: async (server) => ({ key: stranger, header: { kid: kidOf(server, 'evil') } }),
    refused: 'signature_invalid (§3.2) header/kid',
  },
  header('[OIDFED-3.2-7] a statement without kid', { kid: undefined }, 'kid_missing (§3.2) header/kid'),
  header('a statement whose kid is a number', { kid: 1 }, 'kid_missing (§3.2) header/kid'),
  header('a statement whose kid is empty', { kid: '' }, 'kid_missing (§3.2) header/kid'),
  {
    title: 'a configuration with two keys of one kid',
    forged: 'configuration',
    with: async (server) => {
      const [key] = server.federation.jwks('evil').keys;
      return { claims: { jwks: { keys: [key, { ...stranger.jwk, kid: key?.kid }] } } };
    },
    refused: 'jwks_invalid (§3.1.1) /jwks',
  },
  claim('a configuration without keys', 'configuration', { jwks: { keys: [] } }, 'jwks_invalid (§3.1.1) /jwks'),
  {
    title: 'a configuration that publishes its private key',
    forged: 'configuration',
    with: async ({ federation }) => ({ claims: { jwks: { keys: [federation.entity('evil').keys[0]?.privateJwk] } } }),
    refused: 'jwk_private (§3.1.1) /jwks/keys/0',
  },
  claim(
    'a statement with a symmetric key',
    'statement',
    { jwks: { keys: [{ kty: 'oct', kid: 'o', k: 'c2VjcmV0' }] } },
    'jwk_private (§3.1.1) /jwks/keys/0',
  ),
  {
    title: "an appointment that lists a stranger's key for the Intermediate",
    forged: 'appointment',
    with: { claims: { jwks: { keys: [stranger.jwk] } } },
    refused: 'op evil anchor: key_not_found (§3.2) at ES[1] header/kid',
  },
  {
    title: "a configuration signed with a key of the Intermediate's choice that the Trust Anchor does not know",
    forged: 'configuration',
    with: { key: stranger, claims: { jwks: { keys: [stranger.jwk] } } },
    refused: 'op evil: key_not_found (§3.2) at Subordinate Statement header/kid',
  },
];

const HEADERS: Forgery[] = [
  {
    title: 'alg none without a signature',
    forged: 'statement',
    with: { header: { alg: 'none' }, signature: () => new Uint8Array() },
    refused: 'alg_not_allowed (§3.2) header/alg',
  },
  {
    title: 'HS256 with the public key as the secret',
    forged: 'statement',
    with: async ({ federation }) => {
      const [key] = federation.jwks('evil').keys;
      const secret = JSON.stringify(key);
      return {
        header: { alg: 'HS256' },
        signature: (input) => createHmac('sha256', secret).update(input).digest(),
      };
    },
    refused: 'alg_not_allowed (§3.2) header/alg',
  },
  header('an alg that nobody knows', { alg: 'ES256K' }, 'alg_not_allowed (§3.2) header/alg'),
  header('an alg named like a property of every object', { alg: 'constructor' }, 'alg_not_allowed (§3.2) header/alg'),
  header('the alg of another curve', { alg: 'ES384' }, 'key_unsuitable (§3.2) header/kid'),
  {
    title: 'a key of another type under the kid of the superior',
    forged: 'statement',
    with: async (server) => ({ key: rsa, header: { kid: kidOf(server, 'evil') } }),
    refused: 'key_unsuitable (§3.2) header/kid',
  },
  {
    title: 'a jwk header with the key that signed',
    forged: 'statement',
    with: { key: stranger, header: { jwk: stranger.jwk } },
    refused: 'key_not_found (§3.2) header/kid',
  },
  {
    title: 'jku and x5u headers that lead to the key that signed',
    forged: 'statement',
    with: async ({ origin }) => ({ key: stranger, header: { jku: `${origin}/keys`, x5u: `${origin}/certificate` } }),
    refused: 'key_not_found (§3.2) header/kid',
  },
  header('a crit header', { crit: ['exp'], exp: NOW }, 'header_parameter_forbidden (§3.2) header/crit'),
  header('a b64 header', { b64: false }, 'header_parameter_forbidden (§3.2) header/b64'),
  header(
    '[OIDFED-4.3-1] a trust_chain header',
    { trust_chain: [] },
    'header_parameter_forbidden (§3.2) header/trust_chain',
  ),
  header('typ JWT', { typ: 'JWT' }, 'typ_invalid (§3) header/typ'),
  header('no typ', { typ: undefined }, 'typ_invalid (§3) header/typ'),
  header(
    'a typ that is the whole media type',
    { typ: 'application/entity-statement+jwt' },
    'typ_invalid (§3) header/typ',
  ),
  header('the typ of a Trust Mark', { typ: 'trust-mark+jwt' }, 'typ_invalid (§3) header/typ'),
  {
    title: 'a header with one member twice',
    forged: 'statement',
    with: { headerText: (json) => json.replace('{', '{"alg":"none",') },
    refused: 'json_duplicate_member (§6.1) header',
  },
];

const TIMES: Forgery[] = [
  claim('[OIDFED-3.2-6] a statement that expired', 'statement', { exp: NOW - 30 }, 'statement_expired (§3.2) /exp'),
  claim(
    'a statement that expired before it was issued',
    'statement',
    { iat: NOW, exp: 1 },
    'statement_expired (§3.2) /exp',
  ),
  claim(
    '[OIDFED-3.2-5] a statement from the future',
    'statement',
    { iat: NOW + 31 },
    'statement_not_yet_valid (§3.2) /iat',
  ),
  claim('a statement that never expires', 'statement', { exp: undefined }, 'claim_missing (§3.1.1) /exp'),
  claim('an exp in words', 'statement', { exp: 'tomorrow' }, 'claim_invalid (§3.1.1) /exp'),
  claim('an exp beyond all numbers', 'statement', { exp: null }, 'claim_invalid (§3.1.1) /exp'),
  claim(
    'an appointment that expired',
    'appointment',
    { exp: NOW - 30 },
    'op evil anchor: statement_expired (§3.2) at Subordinate Statement /exp',
  ),
];

const CLAIMS: Forgery[] = [
  claim(
    '[OIDFED-13.4-2] a critical claim that is not understood',
    'statement',
    { crit: ['x'], x: 1 },
    'crit_not_understood (§13.4) /crit/0',
  ),
  claim('a critical claim that is not there', 'statement', { crit: ['x'] }, 'crit_invalid (§13.4) /crit/0'),
  claim('a critical claim of the standard', 'statement', { crit: ['exp'] }, 'crit_invalid (§13.4) /crit/0'),
  claim('metadata null', 'configuration', { metadata: null }, 'metadata_invalid (§5) /metadata'),
  claim(
    '[OIDFED-3.2-11] metadata with a null inside',
    'configuration',
    { metadata: { openid_provider: { contacts: null } } },
    'metadata_null (§5) /metadata/openid_provider/contacts',
  ),
  claim(
    'federation keys hidden in metadata',
    'configuration',
    { metadata: { federation_entity: { jwks: { keys: [] } } } },
    'metadata_invalid (§5) /metadata/federation_entity/jwks',
  ),
  claim(
    '[OIDFED-3.2-10] a policy in a configuration',
    'configuration',
    { metadata_policy: {} },
    'claim_forbidden (§3.2) /metadata_policy',
  ),
  claim('constraints in a configuration', 'configuration', { constraints: {} }, 'claim_forbidden (§3.2) /constraints'),
  claim(
    '[OIDFED-3.2-9] hints in a statement',
    'statement',
    { authority_hints: ['https://anchor.example'] },
    'claim_forbidden (§3.2) /authority_hints',
  ),
  claim(
    '[OIDFED-3.2-13] an audience in a statement',
    'statement',
    { aud: 'https://op.example' },
    'claim_forbidden (§3.2) /aud',
  ),
];

describe.each([
  ['identities', IDENTITIES],
  ['keys', KEYS],
  ['JOSE headers', HEADERS],
  ['times', TIMES],
  ['claims', CLAIMS],
] as const)('%s', (_, forgeries) => {
  it.each(forgeries)('refuses $title, and resolves over a good superior beside it', expectRefused);
});

describe('oddities that do no harm', () => {
  it.each<[string, Forged, Tampering]>([
    ['header parameters that nobody knows', 'statement', { header: { 'x-unknown': { deep: [1] } } }],
    ['claims that nobody knows', 'statement', { claims: { unknown: null, 'https://claims.example/x': [{}] } }],
    ['an expiry within the leeway', 'statement', { claims: { exp: NOW - 29 } }],
    ['an issue within the leeway', 'statement', { claims: { iat: NOW + 30 } }],
    ['times with fractions', 'statement', { claims: { iat: NOW - 0.5, exp: NOW + 0.5 } }],
    ['white space in its JSON', 'statement', { payloadText: (json) => ` ${json.replace('{', '{\n\t')} ` }],
    ['Entity Types that nobody knows', 'statement', { claims: { metadata: { unknown_type: { x: [null] } } } }],
  ])('resolves over a statement with %s', async (title, forged, tampering) => {
    await expectOutcome({
      title,
      entities: entitiesWith(['evil']),
      tamper: (server) => forge(server, { title, forged, with: tampering, refused: '' }),
      outcome: ['resolved over op evil anchor'],
    });
  });

  it('never asks for what jku, x5u or jwks_uri name', async () => {
    await expectOutcome({
      title: 'headers with addresses',
      entities: entitiesWith(['evil']),
      tamper: (server) => {
        const header = { jku: `${server.origin}/trap`, x5u: `${server.origin}/trap` };
        return forge(server, { title: '', forged: 'statement', with: { header }, refused: '' });
      },
      outcome: ['resolved over op evil anchor'],
      inspect: (_, { requests }) => expect(requests.filter(({ url }) => url.includes('trap'))).toEqual([]),
    });
  });

  it.each([
    ['[OIDFED-8.1-7] that has a query of its own', (origin: string) => `${origin}/anywhere?tenant=1`, '&'],
    ['on another host', (origin: string) => `${origin.replace('127.0.0.1', 'elsewhere.localhost')}/fetch`, '?'],
  ])('asks a fetch endpoint %s', async (title, endpointAt, separator) => {
    await expectOutcome({
      title,
      entities: entitiesWith(['evil']),
      tamper: async (server) => {
        const { federation, origin } = server;
        const federation_fetch_endpoint = endpointAt(origin);
        federation.entity('evil').metadata = { federation_entity: { federation_fetch_endpoint } };
        const body = await federation.subordinateStatement('evil', 'op');
        const url = `${federation_fetch_endpoint}${separator}sub=${encodeURIComponent(federation.id('op'))}`;
        server.override(url, { status: 200, headers: STATEMENT, body });
      },
      outcome: ['resolved over op evil anchor'],
    });
  });
});

function kidOf(server: FederationServer, name: string): string {
  return server.federation.entity(name).keys[0]?.kid ?? '';
}
