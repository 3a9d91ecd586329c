/** Parsers of signed JWTs on any header and any claims, correctly encoded, so that no check of encodings hides those behind. @see OIDFED §3.2, §7, §10.2 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseClientAssertion } from '../../src/federation/client-assertion.ts';
import { isJsonObject, type JsonValue } from '../../src/federation/json.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { ALGORITHM_NAMES, type JoseHeader } from '../../src/federation/signature.ts';
import { parseEntityStatement } from '../../src/federation/statement/validate-statement.ts';
import { trustChainsIn, validateTrustChainsIn } from '../../src/federation/trust-chain/handed-over.ts';
import { validateTrustChain } from '../../src/federation/trust-chain/validate-trust-chain.ts';
import { parseTrustMarkDelegation } from '../../src/federation/trust-mark/delegation.ts';
import { parseTrustMarkStatus } from '../../src/federation/trust-mark/status-response.ts';
import { parseTrustMark } from '../../src/federation/trust-mark/trust-mark.ts';
import { buildFederation, NOW } from '../support/federation.ts';
import {
  disturbed,
  dotted,
  encoded,
  expectSoon,
  json,
  outcomeOf,
  outcomeOfAsync,
  pathsOf,
  replaced,
} from '../support/fuzzing.ts';

const federation = await buildFederation({ anchor: {}, op: { superiors: ['anchor'] } });
const CHAIN = await federation.chain('op', 'anchor');
const CONFIGURATION = federation.configurationClaims('op') as JsonValue;
const STATEMENT = federation.subordinateStatementClaims('anchor', 'op') as JsonValue;
/** Whole, without the Trust Anchor's configuration, and the Trust Anchor alone. */
const LEGAL = new Set([CHAIN, CHAIN.slice(0, 2), CHAIN.slice(2)].map((chain) => JSON.stringify(chain)));
const [ISSUER, BEARER] = [federation.id('anchor'), federation.id('op')];
const TYPE = 'https://marks.example/type';
const MARK = { iss: ISSUER, sub: BEARER, trust_mark_type: TYPE, iat: NOW, exp: NOW + 60, logo_uri: TYPE, ref: TYPE };

/** A kind of JWT: its `typ`, claims that are accepted, and what reads it. */
const PARSERS: [name: string, typ: string, claims: JsonValue, parse: (jwt: string) => unknown][] = [
  ['an Entity Configuration', TYP.entityStatement, CONFIGURATION, parseEntityStatement],
  ['a Subordinate Statement', TYP.entityStatement, STATEMENT, parseEntityStatement],
  ['a Trust Mark', TYP.trustMark, { ...MARK, delegation: 'x.y.z' }, parseTrustMark],
  ['a delegation', TYP.trustMarkDelegation, MARK, parseTrustMarkDelegation],
  [
    'a status answer',
    TYP.trustMarkStatusResponse,
    { iss: ISSUER, iat: NOW, trust_mark: 'x.y.z', status: 'active' },
    parseTrustMarkStatus,
  ],
  [
    'a client assertion',
    'JWT',
    { iss: BEARER, sub: BEARER, aud: ISSUER, jti: 'once', iat: NOW, exp: NOW + 60 },
    (jwt) => parseClientAssertion(jwt, { audience: ISSUER, now: NOW }),
  ],
];

/** A signature of the right length for the algorithm of these headers. */
const SIGNATURE = 'A'.repeat(86);

/** Pieces of what the claims consist of. */
const FLOODS = ['x', 'https://', 'a.', '@', '%', 'e30.', '\u0000'];

function headerOf(typ: string): JsonValue {
  return { typ, alg: 'ES256', kid: federation.entity('op').keys[0]?.kid ?? '' };
}

/** Any JWT of the kind: its header, its claims or both disturbed. */
function jwtOf(typ: string, claims: JsonValue): fc.Arbitrary<string> {
  const header = fc.oneof(fc.constant(headerOf(typ)), disturbed(headerOf(typ)));
  const algorithm = fc.constantFrom(undefined, ...ALGORITHM_NAMES, 'none', 'HS256');
  return fc.tuple(header, disturbed(claims), algorithm).map(([parameters, changed, alg]) => {
    const written = isJsonObject(parameters) && alg !== undefined ? { ...parameters, alg } : parameters;
    return `${encoded(written)}.${encoded(changed)}.${SIGNATURE}`;
  });
}

describe.each(PARSERS)('%s', (_, typ, claims, parse) => {
  it('is accepted as it should be', () => {
    const jwt = `${encoded(headerOf(typ))}.${encoded(claims)}.${SIGNATURE}`;
    expect(outcomeOf(() => parse(jwt))).toBe('accepted');
  });

  it('is accepted or refused with any parts replaced, and never anything else', () => {
    fc.assert(
      fc.property(jwtOf(typ, claims), (jwt) => void outcomeOf(() => parse(jwt))),
      { numRuns: 700 },
    );
  });

  it('ends soon, however large a part of it is', () => {
    const header = headerOf(typ);
    for (const unit of FLOODS) {
      const flood = unit.repeat(Math.ceil((128 * 1024) / unit.length));
      const wide = Array.from({ length: 20_000 }, () => unit);
      for (const part of [flood, wide, Object.fromEntries(wide.map((value, index) => [`n${index}`, value]))]) {
        for (const path of pathsOf(claims)) {
          expectSoon(() => parse(`${encoded(header)}.${encoded(replaced(claims, path, part))}.${SIGNATURE}`));
        }
        for (const path of pathsOf(header)) {
          expectSoon(() => parse(`${encoded(replaced(header, path, part))}.${encoded(claims)}.${SIGNATURE}`));
        }
      }
    }
    for (const unit of ['.', 'e30.', 'A', ...FLOODS]) expectSoon(() => parse(unit.repeat(256 * 1024)));
  });
});

describe('a Trust Chain', () => {
  it('[OIDFED-10.2-1] is refused with any one statement replaced by one of anybody', async () => {
    const forged = fc.oneof(jwtOf(TYP.entityStatement, CONFIGURATION), jwtOf(TYP.entityStatement, STATEMENT));
    await fc.assert(
      fc.asyncProperty(forged, fc.nat(CHAIN.length - 1), async (jwt, index) => {
        const chain = CHAIN.with(index, jwt);
        expect(await outcomeOfAsync(validateTrustChain(chain, federation.validation('anchor')))).toBe('refused');
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when it is anything else than a chain', async () => {
    const part = fc.oneof(fc.constantFrom<unknown>(...CHAIN), fc.string(), dotted, json);
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 40 }), async (chain) => {
        fc.pre(!LEGAL.has(JSON.stringify(chain)));
        expect(await outcomeOfAsync(validateTrustChain(chain, federation.validation('anchor')))).toBe('refused');
      }),
      { numRuns: 300 },
    );
  });

  it('is read from headers, or refused, whatever stands there', () => {
    const header = disturbed({ typ: 'x', alg: 'ES256', kid: 'k', trust_chain: CHAIN, peer_trust_chain: CHAIN });
    fc.assert(
      fc.property(header, (parameters) => {
        fc.pre(isJsonObject(parameters));
        const trustAnchors = new Set([ISSUER]);
        outcomeOf(() => trustChainsIn(parameters as JoseHeader, { issuer: BEARER, peer: BEARER, trustAnchors }));
      }),
      { numRuns: 500 },
    );
  });

  it('[OIDFED-12.1.1.1.2-1] is refused in a header with any one statement replaced by one of anybody', async () => {
    const forged = fc.oneof(jwtOf(TYP.entityStatement, CONFIGURATION), jwtOf(TYP.entityStatement, STATEMENT), dotted);
    const context = { issuer: BEARER, peer: BEARER, ...federation.validation('anchor') };
    const headerWith = (own: string[], peer: string[]): JoseHeader => ({
      ...{ typ: 'x', alg: 'ES256', kid: 'k' },
      ...{ trust_chain: own, peer_trust_chain: peer },
    });
    expect(await outcomeOfAsync(validateTrustChainsIn(headerWith(CHAIN, CHAIN), context))).toBe('accepted');
    await fc.assert(
      fc.asyncProperty(forged, fc.nat(CHAIN.length - 1), fc.boolean(), async (jwt, index, isOwn) => {
        const chain = CHAIN.with(index, jwt);
        const header = isOwn ? headerWith(chain, CHAIN) : headerWith(CHAIN, chain);
        expect(await outcomeOfAsync(validateTrustChainsIn(header, context))).toBe('refused');
      }),
      { numRuns: 300 },
    );
  });
});
