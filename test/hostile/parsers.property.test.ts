/** Every parser of what strangers send: whatever comes, it gives a value or a refusal of ours, and it ends. @see OIDFED §3, §18.1 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConstraints, enforceConstraints } from '../../src/federation/constraints.ts';
import { FederationError } from '../../src/federation/errors.ts';
import {
  type EntityIdentifier,
  entityConfigurationUrl,
  isEndpointUrl,
  isEntityIdentifier,
  parseEntityIdentifier,
  withQuery,
} from '../../src/federation/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../src/federation/json.ts';
import { checkJwkSet } from '../../src/federation/jwk-set.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { checkMetadata, type Metadata } from '../../src/federation/metadata/metadata.ts';
import { resolveMetadata } from '../../src/federation/metadata/resolve-metadata.ts';
import { checkMetadataPolicyCrit, parseMetadataPolicy } from '../../src/federation/policy/parse-policy.ts';
import { ALGORITHM_NAMES, parseSignedJwt, selectKey } from '../../src/federation/signature.ts';
import { checkStatementClaims } from '../../src/federation/statement/checks.ts';
import { parseEntityStatement } from '../../src/federation/statement/validate-statement.ts';
import { parseTrustChain } from '../../src/federation/trust-chain/handed-over.ts';
import { requestInPath } from '../../src/http/certification/ocsp-request-path.ts';
import { decodeBase64Body } from '../../src/http/est/base64-body.ts';
import { codeOf } from '../../src/http/est/basic-credentials.ts';
import { booleanParameter, identifierParameter } from '../../src/http/federation/parameters.ts';
import { OcspError } from '../../src/pki/ocsp/ocsp-error.ts';
import { parseOcspRequest } from '../../src/pki/ocsp/parse-ocsp-request.ts';
import { RegistryError } from '../../src/registry/registry-error.ts';
import { certificate } from '../support/certificates.ts';
import { buildFederation } from '../support/federation.ts';
import { disturbed, dotted, edited, expectSoon, json, outcomeOf, pathsOf, replaced } from '../support/fuzzing.ts';
import { ocspRequest } from '../support/ocsp.ts';

const federation = await buildFederation({
  anchor: {
    claims: {
      trust_mark_issuers: { 'https://marks.example/type': ['https://issuer.example'] },
      trust_mark_owners: {
        'https://marks.example/type': {
          sub: 'https://owner.example',
          jwks: { keys: [{ kty: 'EC', kid: 'o', crv: 'P-256', x: 'x', y: 'y' }] },
        },
      },
    },
  },
  op: {
    superiors: ['anchor'],
    metadata: (issuer) => ({
      openid_provider: { issuer, client_registration_types_supported: ['automatic'], contacts: ['a'] },
      openid_relying_party: { client_registration_types: ['automatic'], scope: 'openid email' },
      oauth_authorization_server: { issuer },
    }),
  },
});
const POLICY = {
  openid_relying_party: {
    scope: { subset_of: ['openid', 'email'], superset_of: ['openid'], default: ['openid'] },
    contacts: { add: ['a'], essential: true },
    response_types: { one_of: ['code', 'token'], value: 'code' },
  },
};
const CONSTRAINTS = {
  max_path_length: 2,
  naming_constraints: { permitted: ['.example'], excluded: ['evil.example'] },
  allowed_entity_types: ['openid_provider'],
};
const CONFIGURATION = federation.configurationClaims('op') as JsonValue;
const ANCHOR = federation.configurationClaims('anchor') as JsonValue;
const STATEMENT: JsonValue = {
  ...(federation.subordinateStatementClaims('anchor', 'op') as Record<string, JsonValue>),
  metadata_policy: POLICY,
  constraints: CONSTRAINTS,
  source_endpoint: 'https://anchor.example/fetch',
};
const JWKS: JsonValue = JSON.parse(JSON.stringify(federation.jwks('op')));
const OCSP_REQUEST = ocspRequest({ issuer: certificate(), serials: ['1', '7fff'] });
const JWT = await federation.configuration('op');
const CHAIN = await federation.chain('op', 'anchor');
const SUBJECTS = ['https://op.example', 'https://a.evil.example'] as EntityIdentifier[];

/** A parser of text, an example of what it accepts, and what it is called. */
const TEXT_PARSERS: [name: string, example: string, parse: (text: string) => unknown][] = [
  ['a statement', JWT, (text) => parseEntityStatement(text)],
  [
    'a signed JWT and its key',
    JWT,
    (text) => selectKey(parseSignedJwt(text, TYP.entityStatement).header, federation.jwks('op')),
  ],
  ['JSON', JSON.stringify(CONFIGURATION), (text) => parseJson(text)],
  [
    'an Entity Identifier',
    'https://op.example:8443/path',
    (text) => entityConfigurationUrl(parseEntityIdentifier(text)),
  ],
  ['a chain handed over', JSON.stringify(CHAIN), (text) => parseTrustChain(text)],
  ['an endpoint', 'https://op.example/fetch?a=b', (text) => isEndpointUrl(text) && withQuery(text, [['sub', text]])],
  ['a parameter', 'sub=https%3A%2F%2Fop.example', (text) => identifierParameter(new URLSearchParams(text), 'sub', {})],
  ['a body of EST', 'MIIB\r\n+/A=', (text) => some(decodeBase64Body(text))],
  ['credentials of EST', `Basic ${btoa('anybody:holdfast_code_x')}`, (text) => refusing(() => codeOf(text))],
  [
    'a path of OCSP',
    encodeURIComponent(OCSP_REQUEST.toString('base64')),
    (text) => refusing(() => parseOcspRequest(some(requestInPath(text)))),
  ],
  ['a flag', 'intermediate=true', (text) => booleanParameter(new URLSearchParams(text), 'intermediate')],
];

/** The same for parsers of JSON that was parsed already. */
const JSON_PARSERS: [name: string, example: JsonValue, parse: (value: JsonValue) => unknown][] = [
  ['claims of a configuration', CONFIGURATION, claimsParser],
  ["claims of a Trust Anchor's configuration", ANCHOR, claimsParser],
  ['claims of a Subordinate Statement', STATEMENT, claimsParser],
  ['critical claims', { crit: ['x'], x: 1 }, (value) => claimsParser({ ...asObject(STATEMENT), ...asObject(value) })],
  ['a JWK Set', JWKS, keysParser],
  ['metadata', asObject(CONFIGURATION)['metadata'] ?? null, metadataParser],
  ['a metadata policy', POLICY, policyParser],
  ['critical operators', ['regexp'], (value) => checkMetadataPolicyCrit(value)],
  [
    'constraints',
    CONSTRAINTS,
    (value) => enforceConstraints(checkConstraints(value), { statementIndex: 3, subjects: SUBJECTS }),
  ],
];

/** Refusals of parsers that know nothing of federations, in the words that those of others have. */
function refusing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RegistryError || error instanceof OcspError) {
      throw new FederationError('request_body_invalid', error.message);
    }
    throw error;
  }
}

function some<T>(parsed: T | undefined): T {
  if (parsed === undefined) throw new FederationError('request_body_invalid', 'is nothing of the kind');
  return parsed;
}

describe('parsers of text', () => {
  it.each(TEXT_PARSERS)('%s: accepts its example', (_, example, parse) => {
    expect(outcomeOf(() => parse(example))).toBe('accepted');
  });

  it.each(TEXT_PARSERS)('%s: survives any text', (_, example, parse) => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...example) }), dotted);
    fc.assert(
      fc.property(text, (given) => void outcomeOf(() => parse(given))),
      { numRuns: 300 },
    );
  });

  it.each(TEXT_PARSERS)('%s: survives its example with bytes changed, left out and put in', (_, example, parse) => {
    fc.assert(
      fc.property(edited(example), (text) => void outcomeOf(() => parse(text))),
      { numRuns: 500 },
    );
  });

  it.each(TEXT_PARSERS)('%s: ends soon on 256 KiB of anything repeated', (_, example, parse) => {
    const units = [
      '[',
      ']',
      '{',
      '{"a":',
      '[[',
      '"',
      '\\',
      '"\\',
      '\\"',
      '\\u0000',
      ',',
      '.',
      'A',
      'eyJ',
      '%',
      '%2',
      '/',
      '?',
      '&',
      'sub=',
      '@',
      ':',
      ' ',
      '\0',
      'é',
      '💥',
      '-',
      '0',
      '1e',
      example,
    ];
    for (const unit of units) {
      const flood = unit.repeat(Math.ceil((256 * 1024) / unit.length));
      for (const text of [
        flood,
        `"${flood}"`,
        `[${flood}`,
        `https://${flood}`,
        `https://a.example/${flood}`,
        `sub=${flood}`,
      ]) {
        expectSoon(() => parse(text));
      }
    }
  });
});

describe('parsers of JSON values', () => {
  it.each(JSON_PARSERS)('%s: accepts or refuses its example as it should', (name, example, parse) => {
    expect(outcomeOf(() => parse(example))).toBe(name.startsWith('critical') ? 'refused' : 'accepted');
  });

  it.each(JSON_PARSERS)('%s: survives any JSON', (_, _example, parse) => {
    fc.assert(
      fc.property(json, (value) => void outcomeOf(() => parse(value))),
      { numRuns: 300 },
    );
  });

  it.each(JSON_PARSERS)('%s: survives its example with any parts replaced', (_, example, parse) => {
    fc.assert(
      fc.property(disturbed(example), (value) => void outcomeOf(() => parse(value))),
      { numRuns: 1000 },
    );
  });

  it.each(JSON_PARSERS)('%s: changes nothing of what it reads', (_, example, parse) => {
    fc.assert(
      fc.property(disturbed(example), (value) => {
        const before = JSON.stringify(value);
        outcomeOf(() => parse(value));
        expect(JSON.stringify(value)).toBe(before);
      }),
      { numRuns: 200 },
    );
  });

  it.each(JSON_PARSERS)('%s: ends soon on 20,000 members', (_, example, parse) => {
    const many = Array.from({ length: 20_000 }, (__, index) => `n${index}`);
    const wide = [many, Object.fromEntries(many.map((name) => [name, example])), many.map(() => example)];
    for (const value of wide) {
      expectSoon(() => parse(value));
      for (const path of pathsOf(example)) expectSoon(() => parse(replaced(example, path, value)));
    }
  });
});

function asObject(value: JsonValue): JsonObject {
  return isJsonObject(value) ? value : {};
}

function claimsParser(value: JsonValue): unknown {
  if (!isJsonObject(value)) throw new FederationError('jwt_malformed', 'is refused before its claims are looked at');
  return checkStatementClaims(value);
}

function keysParser(value: JsonValue): unknown {
  const keys = checkJwkSet(value);
  return ALGORITHM_NAMES.map((alg) =>
    outcomeOf(() => selectKey({ typ: 't', alg, kid: keys.keys[0]?.kid ?? '' }, keys)),
  );
}

function metadataParser(value: JsonValue): Metadata {
  return checkMetadata(value, { isConfiguration: true, subject: 'https://op.example' });
}

/** Parses a policy, merges it with itself and a legal one, and applies it to metadata. */
function policyParser(value: JsonValue): Metadata {
  const policies = [parseMetadataPolicy(value), POLICY, parseMetadataPolicy(value)];
  return resolveMetadata({
    subject: 'https://op.example',
    metadata: { openid_relying_party: { scope: 'openid email', response_types: 'code', contacts: ['b'] } },
    subordinateStatements: policies.map((metadataPolicy, index) => ({ place: `ES[${index + 1}]`, metadataPolicy })),
  });
}

it('identifiers: what is accepted stays what it is when it becomes a URL', () => {
  const identifier = edited('https://op.example:8443/path').filter((text) => isEntityIdentifier(text));
  fc.assert(
    fc.property(identifier, (text) => {
      const url = new URL(entityConfigurationUrl(text as EntityIdentifier));
      expect([url.protocol, url.username, url.search, url.hash]).toEqual(['https:', '', '', '']);
      expect(url.pathname.endsWith('/.well-known/openid-federation')).toBe(true);
    }),
    { numRuns: 300 },
  );
});
