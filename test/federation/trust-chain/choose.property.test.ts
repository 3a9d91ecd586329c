import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import type { EntityStatement } from '../../../src/federation/statement/entity-statement.ts';
import { parseEntityStatement } from '../../../src/federation/statement/validate-statement.ts';
import { chooseTrustChain } from '../../../src/federation/trust-chain/choose-trust-chain.ts';
import { buildFederation } from '../../support/federation.ts';

const SUPERIORS = ['https://a.example', 'https://b.example', 'https://c.example'];
const federation = await buildFederation({ anchor: {}, op: { superiors: SUPERIORS } });
const configuration = parseEntityStatement(await federation.configuration('op'));
const statement = parseEntityStatement(await federation.subordinateStatement('anchor', 'op'));

/** A chain above the subject by the identifiers of its issuers; the choice looks at nothing that a signature covers. */
const issuers = fc.array(fc.constantFrom(...SUPERIORS, 'https://anchor.example'), { minLength: 1, maxLength: 4 });
const candidate = fc.tuple(issuers, fc.constantFrom('1', '2')).map(([path, edition]) => ({
  statements: [configuration, ...path.map((issuer) => issuedBy(issuer, edition))],
}));

function issuedBy(issuer: string, edition: string): EntityStatement {
  const claims = { ...statement.claims, iss: issuer as EntityIdentifier };
  return { ...statement, claims, jwt: `${statement.jwt}${edition}` };
}

describe('chooseTrustChain', () => {
  it('[OIDFED-10.3-2] chooses the same from any order of the candidates', () => {
    const orders = fc
      .array(candidate, { minLength: 1, maxLength: 6 })
      .chain((candidates) => fc.tuple(fc.constant(candidates), shuffled(candidates)));
    fc.assert(
      fc.property(orders, ([candidates, otherOrder]) => {
        expect(chooseTrustChain(otherOrder)).toEqual(chooseTrustChain(candidates));
      }),
    );
  });

  it('[OIDFED-10.3-2] keeps its choice when candidates that it did not choose disappear', () => {
    fc.assert(
      fc.property(fc.array(candidate, { minLength: 2, maxLength: 6 }), fc.nat(), (candidates, seed) => {
        const choice = chooseTrustChain(candidates);
        const others = candidates.filter((other) => other !== choice);
        const fewer = others.toSpliced(seed % others.length, 1);
        expect(chooseTrustChain([...fewer, choice!])).toEqual(choice);
      }),
    );
  });
});

function shuffled<T>(items: T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray(items, { minLength: items.length });
}
