import { describe, expect, it } from 'vitest';
import { MAX_CHAIN_LENGTH } from '../../../src/federation/trust-chain/trust-chain.ts';
import { validateTrustChain } from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import { buildFederation, type Claims, type EntitySettings, NOW } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';
import { federation, judged, OPTIONS, wholeChain, withStatement } from '../../support/sample-chain.ts';

const stranger = await testKey('ES256', 99);

describe('a valid chain', () => {
  it('[OIDFED-4-1] is the configuration of the subject, then statements upward to the Trust Anchor', async () => {
    const chain = await wholeChain();
    const result = await validateTrustChain(chain, OPTIONS);
    expect(result.subject).toBe('https://op.example');
    expect(result.trustAnchor).toBe('https://anchor.example');
    expect(result.statements.map((statement) => statement.jwt)).toEqual(chain);
    expect(result.statements.map(({ claims }) => [claims.iss, claims.sub])).toEqual([
      ['https://op.example', 'https://op.example'],
      ['https://intermediate.example', 'https://op.example'],
      ['https://anchor.example', 'https://intermediate.example'],
      ['https://anchor.example', 'https://anchor.example'],
    ]);
    expect(result.metadata['openid_provider']).toEqual({
      issuer: 'https://op.example',
      client_registration_types_supported: ['automatic'],
    });
  });

  it('[OIDFED-10.2-5] may lack the configuration of the Trust Anchor', async () => {
    const chain = (await wholeChain()).slice(0, -1);
    const result = await validateTrustChain(chain, OPTIONS);
    expect(result.trustAnchor).toBe('https://anchor.example');
    expect(result.statements).toHaveLength(3);
    expect(await judged((await federation.chain('intermediate', 'anchor')).slice(0, -1))).toBe('accepted');
  });

  it('[OIDFED-3-5] may use a different alg in each statement', async () => {
    const { statements } = await validateTrustChain(await wholeChain(), OPTIONS);
    expect(statements.map((statement) => statement.header.alg)).toEqual(['ES256', 'RS256', 'ES256', 'ES256']);
  });

  it('[OIDFED-4.1-1] may end at a Trust Anchor that has superiors itself', async () => {
    expect(federation.configurationClaims('anchor')['authority_hints']).toEqual(['https://summit.example']);
    expect(await judged(await wholeChain())).toBe('accepted');
  });

  it('[OIDFED-4.1-1] may pass through one configured Trust Anchor to another', async () => {
    const chain = await federation.chain('op', 'intermediate', 'anchor', 'summit');
    const result = await validateTrustChain(chain, federation.validation('anchor', 'summit'));
    expect(result.trustAnchor).toBe('https://summit.example');
  });

  it('[OIDFED-10.3-1] holds or fails by itself, whatever the other chains of the subject do', async () => {
    const toOther = await federation.chain('op', 'intermediate', 'other');
    const broken = await withStatement(2, federation.subordinateStatement('anchor', 'intermediate', { key: stranger }));
    const options = federation.validation('anchor', 'other');
    expect(await judged(broken, options)).toBe('key_not_found at ES[2] header/kid');
    expect(await judged(toOther, options)).toBe('accepted');
  });
});

describe('a chain of one statement', () => {
  it('is valid when it is the configuration of a Trust Anchor, with its own metadata', async () => {
    const result = await validateTrustChain(await federation.chain('anchor'), OPTIONS);
    expect(result.subject).toBe('https://anchor.example');
    expect(result.trustAnchor).toBe('https://anchor.example');
    expect(result.metadata).toEqual(federation.configurationClaims('anchor')['metadata']);
  });

  it('[OIDFED-8.3-13] is invalid when it is the configuration of anyone else', async () => {
    expect(await judged(await federation.chain('op'))).toBe('trust_anchor_unknown at ES[0] /iss');
    expect(await judged(await federation.chain('other'))).toBe('trust_anchor_unknown at ES[0] /iss');
  });

  it('[OIDFED-8.3-13] is invalid when the configured keys did not sign it', async () => {
    const self = await buildFederation({ anchor: { keys: [stranger] } });
    expect(await judged(await self.chain('anchor'))).toBe('trust_anchor_key_unknown at ES[0] header/kid');
  });

  it('[OIDFED-4-1] does not grow by naming the Trust Anchor twice', async () => {
    const [configuration] = await federation.chain('anchor');
    expect(await judged([configuration, configuration])).toBe('not_subordinate_statement at ES[1] /iss');
  });

  it('[OIDFED-10.2-2] is invalid when it is a Subordinate Statement, even of the Trust Anchor', async () => {
    const statement = await federation.subordinateStatement('anchor', 'intermediate');
    expect(await judged([statement])).toBe('not_entity_configuration at ES[0] /iss');
  });
});

describe('shape', () => {
  it('refuses the empty chain', async () => {
    expect(await judged([])).toBe('trust_chain_malformed');
  });

  it('refuses a chain longer than the limit before it reads it', async () => {
    const names = Array.from({ length: MAX_CHAIN_LENGTH }, (_, index) => `e${index}`);
    const settings = names.map((name, index): [string, EntitySettings] => {
      return [name, { superiors: index + 1 < names.length ? [`e${index + 1}`] : [], keys: [stranger] }];
    });
    const tall = await buildFederation(Object.fromEntries(settings));
    const [top = ''] = names.slice(-1);
    const options = tall.validation(top, names.at(-2) ?? '');
    expect(await judged(await tall.chain(...names.slice(0, -1)), options)).toBe('accepted');
    expect(await judged(await tall.chain(...names), options)).toBe('trust_chain_malformed');
    expect(await judged((await tall.chain(...names)).slice(0, -1), options)).toBe('accepted');
    expect(await judged(new Array(1_000_000).fill('a.b.c'))).toBe('trust_chain_malformed');
  });

  it.each([
    ['null', null],
    ['an object', { jwt: 'a.b.c' }],
    ['a nested chain', ['a.b.c']],
    ['the empty string', ''],
  ])('[OIDFED-10.2-1] refuses %s among the statements', async (_what, value) => {
    expect(await judged([...(await wholeChain()), value])).toBe('jwt_malformed at ES[4]');
  });

  it('[OIDFED-4-1] refuses a configuration of an Intermediate between the statements', async () => {
    const [es0, es1, es2, es3] = await wholeChain();
    const configuration = await federation.configuration('intermediate');
    expect(await judged([es0, es1, configuration, es2, es3])).toBe('not_subordinate_statement at ES[2] /iss');
  });

  it('[OIDFED-10.2-2] refuses a chain that starts with a Subordinate Statement', async () => {
    expect(await judged((await wholeChain()).slice(1))).toBe('not_entity_configuration at ES[0] /iss');
  });

  it.each([
    ['upside down', [3, 2, 1, 0], 'issuer_not_next_subject at ES[0] /iss'],
    ['with two statements exchanged', [0, 2, 1, 3], 'issuer_not_next_subject at ES[0] /iss'],
    ['with a statement missing', [0, 2, 3], 'issuer_not_next_subject at ES[0] /iss'],
    ['with the topmost statement missing', [0, 1, 3], 'issuer_not_next_subject at ES[1] /iss'],
    ['with nothing between subject and Trust Anchor', [0, 3], 'issuer_not_next_subject at ES[0] /iss'],
    ['with a statement twice', [0, 1, 1, 2, 3], 'issuer_not_next_subject at ES[1] /iss'],
    ['with the first configuration twice', [0, 0, 1, 2, 3], 'not_subordinate_statement at ES[1] /iss'],
    ['with the last configuration twice', [0, 1, 2, 3, 3], 'not_subordinate_statement at ES[3] /iss'],
    ['without its upper half', [0, 1], 'trust_anchor_unknown at ES[1] /iss'],
  ])('[OIDFED-4-1] refuses a chain %s', async (_what, order, expected) => {
    const chain = await wholeChain();
    expect(await judged(order.map((index) => chain[index]))).toBe(expected);
  });

  it('[OIDFED-4-1] compares issuer and next subject code point by code point', async () => {
    const claims = { sub: 'https://intermediate.example/' };
    const chain = await withStatement(2, federation.subordinateStatement('anchor', 'intermediate', { claims }));
    expect(await judged(chain)).toBe('issuer_not_next_subject at ES[1] /iss');
  });

  it('[OIDFED-10.1-4] refuses a chain that comes back to an entity', async () => {
    const loop = await buildFederation({
      anchor: {},
      a: { superiors: ['b'] },
      b: { superiors: ['c', 'anchor'] },
      c: { superiors: ['b'] },
    });
    const round = await loop.chain('a', 'b', 'c', 'b', 'anchor');
    expect(await judged(round, loop.validation('anchor'))).toBe('trust_chain_loop at ES[3] /iss');
    expect(await judged(await loop.chain('a', 'b', 'anchor'), loop.validation('anchor'))).toBe('accepted');
  });

  it('[OIDFED-10.1-4] refuses a chain whose topmost issuer stands below already', async () => {
    const loop = await buildFederation({ a: { superiors: ['b'] }, b: { superiors: ['a'] } });
    const chain = (await loop.chain('a', 'b', 'a')).slice(0, -1);
    expect(await judged(chain, loop.validation('a', 'b'))).toBe('trust_chain_loop at ES[2] /iss');
  });
});

describe('each statement', () => {
  const STATEMENTS: [number, (claims: Claims) => Promise<string>][] = [
    [0, (claims) => federation.configuration('op', { claims })],
    [1, (claims) => federation.subordinateStatement('intermediate', 'op', { claims })],
    [2, (claims) => federation.subordinateStatement('anchor', 'intermediate', { claims })],
    [3, (claims) => federation.configuration('anchor', { claims })],
  ];

  it.each(STATEMENTS)('[OIDFED-10.2-1] ES[%d] must not be expired', async (index, build) => {
    expect(await judged(await withStatement(index, build({ exp: NOW - 29 })))).toBe('accepted');
    const chain = await withStatement(index, build({ exp: NOW - 30 }));
    expect(await judged(chain)).toBe(`statement_expired at ES[${index}] /exp`);
    expect(await judged(chain, { ...OPTIONS, leewaySeconds: 31 })).toBe('accepted');
  });

  it.each(STATEMENTS)('[OIDFED-10.2-1] ES[%d] must not be issued in the future', async (index, build) => {
    expect(await judged(await withStatement(index, build({ iat: NOW + 30 })))).toBe('accepted');
    const chain = await withStatement(index, build({ iat: NOW + 31 }));
    expect(await judged(chain)).toBe(`statement_not_yet_valid at ES[${index}] /iat`);
  });

  it.each(STATEMENTS)('[OIDFED-10.2-1] ES[%d] must pass the claim checks', async (index, build) => {
    expect(await judged(await withStatement(index, build({ exp: '1' })))).toBe(`claim_invalid at ES[${index}] /exp`);
    expect(await judged(await withStatement(index, build({ crit: ['color'], color: 1 })))).toBe(
      `crit_not_understood at ES[${index}] /crit/0`,
    );
    expect(await judged(await withStatement(index, build({ trust_anchor: 'https://anchor.example' })))).toBe(
      `claim_forbidden at ES[${index}] /trust_anchor`,
    );
  });

  it('[OIDFED-10.2-1] passes on what the caller understands', async () => {
    const chain = await withStatement(2, STATEMENTS[2]![1]({ crit: ['color'], color: 1 }));
    expect(await judged(chain, { ...OPTIONS, understoodClaims: new Set(['color']) })).toBe('accepted');
  });

  it('[OIDFED-3-1] [OIDFED-3-3] must be an Entity Statement with an accepted alg', async () => {
    const typ = await withStatement(
      1,
      federation.subordinateStatement('intermediate', 'op', { header: { typ: 'JWT' } }),
    );
    expect(await judged(typ)).toBe('typ_invalid at ES[1] header/typ');
    const alg = await withStatement(3, federation.configuration('anchor', { header: { alg: 'none' } }));
    expect(await judged(alg)).toBe('alg_not_allowed at ES[3] header/alg');
  });
});
