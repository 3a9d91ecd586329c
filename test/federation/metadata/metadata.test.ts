/** The `metadata` claim: shape, null, and the parameters that the standard itself defines. @see OIDFED §5 */
import { describe, expect, it } from 'vitest';
import { checkMetadata } from '../../../src/federation/metadata/metadata.ts';
import { refusal } from '../../support/refusal.ts';

const SUBJECT = 'https://entity.example';
const OF_CONFIGURATION = { subject: SUBJECT, isConfiguration: true };
const OF_STATEMENT = { subject: SUBJECT, isConfiguration: false };

const check = (metadata: unknown, context = OF_CONFIGURATION) => refusal(() => checkMetadata(metadata, context));

describe('the shape of metadata', () => {
  it('[OIDFED-3.1.1-6] accepts an object of parameters for each type, also an empty one', () => {
    const metadata = { federation_entity: {}, openid_relying_party: { redirect_uris: ['https://rp.example/cb'] } };
    expect(checkMetadata(metadata, OF_CONFIGURATION)).toBe(metadata);
    expect(check({})).toBe('accepted');
  });

  it.each([
    [null, '/metadata'],
    [[], '/metadata'],
    ['x', '/metadata'],
    [undefined, '/metadata'],
    [{ federation_entity: null }, '/metadata/federation_entity'],
    [{ federation_entity: [] }, '/metadata/federation_entity'],
    [{ federation_entity: {}, 'a/b': 'x' }, '/metadata/a~1b'],
    [{ openid_provider: true }, '/metadata/openid_provider'],
  ])('[OIDFED-3.1.1-6] refuses %j', (metadata, at) => {
    expect(check(metadata)).toBe(`metadata_invalid at ${at}`);
  });

  it.each(['federation_entity', 'openid_provider', 'openid_relying_party', 'oauth_client', 'a_type_of_tomorrow'])(
    '[OIDFED-3.2-11] refuses null as a parameter of %s',
    (entityType) => {
      expect(check({ [entityType]: { 'x/y': null } })).toBe(`metadata_null at /metadata/${entityType}/x~1y`);
    },
  );

  it('[OIDFED-3.2-11] accepts null inside the value of a parameter', () => {
    expect(check({ oauth_client: { x: { y: null }, z: [null, { y: null }] } })).toBe('accepted');
  });

  it('says the place below a claim that stands elsewhere', () => {
    const outcome = refusal(() => checkMetadata({ oauth_client: { x: null } }, OF_CONFIGURATION, '/draft'));
    expect(outcome).toBe('metadata_null at /draft/oauth_client/x');
  });

  it('[OIDFED-5-1] carries unknown types and unknown parameters through', () => {
    const metadata = {
      a_type_of_tomorrow: { issuer: 'anything', client_registration_types: 'none', federation_fetch_endpoint: 7 },
      federation_entity: { a_parameter_of_tomorrow: { x: [1] }, federation_new_endpoint: 'ftp://x' },
      openid_relying_party: { redirect_uris: 'no array', scope: 5, contacts: 'no array either' },
    };
    expect(checkMetadata(structuredClone(metadata), OF_CONFIGURATION)).toEqual(metadata);
  });

  it('[OIDFED-14-1] keeps language-tagged variants and informational parameters of any type', () => {
    const informational = {
      organization_name: 'Exempel',
      'organization_name#sv': 'Exempel',
      display_name: 'E',
      keywords: ['x'],
      contacts: ['ops@entity.example'],
      logo_uri: 'https://entity.example/logo.png',
    };
    const metadata = {
      federation_entity: informational,
      oauth_resource: informational,
      a_type_of_tomorrow: informational,
    };
    expect(checkMetadata(structuredClone(metadata), OF_CONFIGURATION)).toEqual(metadata);
  });
});

describe('federation_entity', () => {
  const ENDPOINTS = [
    'federation_fetch_endpoint',
    'federation_list_endpoint',
    'federation_resolve_endpoint',
    'federation_trust_mark_status_endpoint',
    'federation_trust_mark_list_endpoint',
    'federation_trust_mark_endpoint',
    'federation_historical_keys_endpoint',
  ];

  it.each(ENDPOINTS)('[OIDFED-5.1.1-1] takes an https URL with port, path and query for %s', (endpoint) => {
    for (const url of [
      'https://a.example',
      'https://a.example:8443/f',
      'https://a.example/f?x=1&y=2',
      'https://a.example/?',
    ]) {
      expect(check({ federation_entity: { [endpoint]: url } })).toBe('accepted');
    }
  });

  it.each(ENDPOINTS)('[OIDFED-5.1.1-1] refuses another value of %s', (endpoint) => {
    const bad = [
      'https://a.example/f#x',
      'http://a.example/f',
      'a.example/f',
      '/f',
      '',
      'https://',
      'https://u@a.example',
      7,
      [],
    ];
    for (const url of bad) {
      const outcome = check({ federation_entity: { [endpoint]: url } });
      expect(outcome).toBe(`metadata_invalid at /metadata/federation_entity/${endpoint}`);
    }
  });

  it('[OIDFED-1.2-4] takes an http URL on loopback, and elsewhere where the operator allows it', () => {
    const metadata = (host: string) => ({ federation_entity: { federation_fetch_endpoint: `http://${host}/fetch` } });
    expect(check(metadata('127.0.0.1:8080'))).toBe('accepted');
    const context = { ...OF_CONFIGURATION, identifierOptions: { allowHttp: true } };
    expect(check(metadata('a.example'), context)).toBe('accepted');
  });

  it.each(['jwks', 'jwks_uri', 'signed_jwks_uri'])('[OIDFED-5.2.1-1] refuses %s', (name) => {
    for (const value of [{ keys: [] }, 'https://entity.example/jwks']) {
      const at = `/metadata/federation_entity/${name}`;
      expect(check({ federation_entity: { [name]: value } })).toBe(`metadata_invalid at ${at}`);
      expect(check({ federation_entity: { [name]: value } }, OF_STATEMENT)).toBe(`metadata_invalid at ${at}`);
    }
  });

  it.each(ENDPOINTS.map((endpoint) => `${endpoint}_auth_methods`))('takes an array of strings for %s', (name) => {
    for (const methods of [['none'], ['none', 'private_key_jwt'], []]) {
      expect(check({ federation_entity: { [name]: methods } })).toBe('accepted');
    }
    for (const methods of ['none', [1], {}]) {
      expect(check({ federation_entity: { [name]: methods } })).toBe(
        `metadata_invalid at /metadata/federation_entity/${name}`,
      );
    }
  });

  it('[OIDFED-5.1.1-5] refuses none among the algorithms of endpoint authentication', () => {
    const at = '/metadata/federation_entity/endpoint_auth_signing_alg_values_supported';
    const algorithms = (values: unknown) =>
      check({ federation_entity: { endpoint_auth_signing_alg_values_supported: values } });
    expect(algorithms(['RS256', 'ES256'])).toBe('accepted');
    expect(algorithms(['RS256', 'none'])).toBe(`metadata_invalid at ${at}`);
    expect(algorithms('RS256')).toBe(`metadata_invalid at ${at}`);
  });
});

describe('issuer', () => {
  const TYPES = ['openid_provider', 'oauth_authorization_server'];

  it.each(TYPES)('[OIDFED-5.1.3-1] of %s is the Entity Identifier, character by character', (entityType) => {
    const at = `/metadata/${entityType}/issuer`;
    expect(check({ [entityType]: { issuer: SUBJECT } })).toBe('accepted');
    for (const issuer of [
      `${SUBJECT}/`,
      'https://ENTITY.example',
      `${SUBJECT}:443`,
      'https://other.example',
      '',
      [SUBJECT],
    ]) {
      expect(check({ [entityType]: { issuer } })).toBe(`metadata_invalid at ${at}`);
      expect(check({ [entityType]: { issuer } }, OF_STATEMENT)).toBe(`metadata_invalid at ${at}`);
    }
  });

  it.each(TYPES)(
    '[OIDFED-5.1.3-1] of %s is required in a configuration, not in what a superior overlays',
    (entityType) => {
      expect(check({ [entityType]: {} })).toBe(`metadata_invalid at /metadata/${entityType}/issuer`);
      expect(check({ [entityType]: {} }, OF_STATEMENT)).toBe('accepted');
    },
  );

  it('is not judged where nobody knows the entity', () => {
    const metadata = { openid_provider: { issuer: 'https://other.example' }, oauth_authorization_server: {} };
    expect(refusal(() => checkMetadata(metadata, { isConfiguration: true }))).toBe('accepted');
  });
});

describe('client registration', () => {
  const provider = (parameters: object) => ({ openid_provider: { issuer: SUBJECT, ...parameters } });
  const ENDPOINT_AT = '/metadata/openid_provider/federation_registration_endpoint';

  it('[OIDFED-5.1.3-2] wants an endpoint where explicit registration is supported', () => {
    const explicit = { client_registration_types_supported: ['automatic', 'explicit'] };
    expect(check(provider(explicit))).toBe(`metadata_invalid at ${ENDPOINT_AT}`);
    const endpoint = { federation_registration_endpoint: 'https://entity.example/register' };
    expect(check(provider({ ...explicit, ...endpoint }))).toBe('accepted');
    expect(check(provider({ client_registration_types_supported: ['automatic'] }))).toBe('accepted');
    expect(check(provider({}))).toBe('accepted');
    expect(check({ openid_provider: explicit }, OF_STATEMENT)).toBe('accepted');
  });

  it('[OIDFED-5.1.3-2] wants the endpoint to be an https URL', () => {
    const bad = { federation_registration_endpoint: 'http://entity.example/register' };
    expect(check(provider(bad))).toBe(`metadata_invalid at ${ENDPOINT_AT}`);
  });

  it('takes any names of registration types, in an array', () => {
    const relyingParty = (types: unknown) => check({ openid_relying_party: { client_registration_types: types } });
    expect(relyingParty(['automatic', 'a_type_of_tomorrow'])).toBe('accepted');
    const at = '/metadata/openid_relying_party/client_registration_types';
    expect(relyingParty('automatic')).toBe(`metadata_invalid at ${at}`);
    expect(relyingParty([1])).toBe(`metadata_invalid at ${at}`);
    const supported = { client_registration_types_supported: 'automatic' };
    expect(check(provider(supported))).toBe(
      'metadata_invalid at /metadata/openid_provider/client_registration_types_supported',
    );
  });
});

describe('keys of an Entity Type', () => {
  const client = (parameters: object) => check({ openid_relying_party: parameters });
  const AT = '/metadata/openid_relying_party';
  const key = (members: object = {}) => ({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', ...members });

  it.each(['jwks_uri', 'signed_jwks_uri'])('[OIDFED-5.2.1-2] takes an https URL for %s', (name) => {
    expect(client({ [name]: 'https://entity.example/jwks?x=1' })).toBe('accepted');
    for (const bad of ['http://entity.example/jwks', 'jwks', '', 7, { keys: [] }]) {
      expect(client({ [name]: bad })).toBe(`metadata_invalid at ${AT}/${name}`);
      expect(check({ a_type_of_tomorrow: { [name]: bad } })).toBe(
        `metadata_invalid at /metadata/a_type_of_tomorrow/${name}`,
      );
    }
  });

  it('[OIDFED-5.2.1-3] accepts keys given in several ways', () => {
    const uris = { jwks_uri: 'https://entity.example/j', signed_jwks_uri: 'https://entity.example/s' };
    expect(client({ ...uris, jwks: { keys: [key()] } })).toBe('accepted');
  });

  it('accepts keys without kid, keys of unknown types, and no keys', () => {
    expect(client({ jwks: { keys: [key(), key(), { kty: 'AKP', pub: 'x' }] } })).toBe('accepted');
    expect(client({ jwks: { keys: [] } })).toBe('accepted');
  });

  it.each([
    ['https://entity.example/jwks', '/jwks'],
    [[], '/jwks'],
    [{}, '/jwks'],
    [{ keys: {} }, '/jwks'],
    [{ keys: ['x'] }, '/jwks/keys/0'],
    [{ keys: [{ kty: 'EC' }, {}] }, '/jwks/keys/1'],
    [{ keys: [{ kty: '' }] }, '/jwks/keys/0'],
  ])('refuses %j for a JWK Set', (jwks, at) => {
    expect(client({ jwks })).toBe(`metadata_invalid at ${AT}${at}`);
  });

  it('refuses private and symmetric keys', () => {
    expect(client({ jwks: { keys: [key(), key({ d: 'secret' })] } })).toBe(`jwk_private at ${AT}/jwks/keys/1`);
    expect(client({ jwks: { keys: [{ kty: 'oct', k: 'secret' }] } })).toBe(`jwk_private at ${AT}/jwks/keys/0`);
  });

  it('[OIDFED-5.2.1-4] wants use on every key where signing and encryption keys stand together', () => {
    const jwks = (...keys: object[]) => client({ jwks: { keys } });
    expect(jwks(key({ use: 'sig' }), key({ use: 'enc' }))).toBe('accepted');
    expect(jwks(key({ use: 'sig' }), key({ use: 'enc' }), key())).toBe(`metadata_invalid at ${AT}/jwks/keys/2/use`);
    expect(jwks(key({ alg: 'ES256' }), key({ use: 'enc' }))).toBe(`metadata_invalid at ${AT}/jwks/keys/0/use`);
    expect(jwks(key({ use: 'sig' }), key({ alg: 'RSA-OAEP-256' }))).toBe(`metadata_invalid at ${AT}/jwks/keys/1/use`);
    expect(jwks(key({ alg: 'ES256' }), key({ alg: 'ECDH-ES' }))).toBe(`metadata_invalid at ${AT}/jwks/keys/0/use`);
    expect(jwks(key({ use: 'sig' }), key())).toBe('accepted');
    expect(jwks(key({ alg: 'ES256' }), key())).toBe('accepted');
    expect(jwks(key({ alg: 'ECDH-ES' }), key({ alg: 'RSA1_5' }))).toBe('accepted');
  });
});
