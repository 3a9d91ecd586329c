import { describe, expect, it } from 'vitest';
import { parseEntityStatement } from '../../../src/federation/statement/validate-statement.ts';
import { chooseTrustChain } from '../../../src/federation/trust-chain/choose-trust-chain.ts';
import type { TrustChain } from '../../../src/federation/trust-chain/trust-chain.ts';
import { buildFederation } from '../../support/federation.ts';

const federation = await buildFederation({
  anchor: {},
  zone: { superiors: ['anchor'] },
  upper: { superiors: ['anchor'] },
  first: { superiors: ['upper', 'zone'] },
  second: { superiors: ['anchor'] },
  op: { superiors: ['first', 'second', 'anchor'] },
});

type Candidate = Pick<TrustChain, 'statements'>;

async function candidate(...names: string[]): Promise<Candidate> {
  const chain = await federation.chain(...names);
  return { statements: chain.map((jwt) => parseEntityStatement(jwt)) };
}

const viaUpper = await candidate('op', 'first', 'upper', 'anchor');
const viaZone = await candidate('op', 'first', 'zone', 'anchor');
const viaSecond = await candidate('op', 'second', 'anchor');
const direct = await candidate('op', 'anchor');
/** The same entities once more, with statements signed anew. */
const viaSecondAgain = await candidate('op', 'second', 'anchor');

describe('chooseTrustChain', () => {
  it('chooses nothing from nothing, and the one that there is', () => {
    expect(chooseTrustChain([])).toBeUndefined();
    expect(chooseTrustChain([viaZone])).toBe(viaZone);
  });

  it('[OIDFED-10.3-2] prefers the superior that the subject names first, were the chain longer', () => {
    expect(chooseTrustChain([direct, viaSecond, viaUpper])).toBe(viaUpper);
    expect(chooseTrustChain([direct, viaSecond])).toBe(viaSecond);
  });

  it('[OIDFED-10.3-2] prefers the shorter of two by the same superior', () => {
    const shortened = { statements: viaZone.statements.slice(0, -1) };
    expect(chooseTrustChain([viaUpper, viaZone, shortened])).toBe(shortened);
  });

  it('[OIDFED-10.3-2] goes by the issuers in code point order between equally long ones', () => {
    expect(chooseTrustChain([viaZone, viaUpper])).toBe(viaUpper);
  });

  it('[OIDFED-10.3-2] tells even chains over the same entities apart', () => {
    expect(viaSecond.statements[1]?.jwt).not.toBe(viaSecondAgain.statements[1]?.jwt);
    const choice = chooseTrustChain([viaSecond, viaSecondAgain]);
    expect(chooseTrustChain([viaSecondAgain, viaSecond])).toBe(choice);
  });

  it('[OIDFED-10.3-2] chooses the same whatever the order of the candidates', () => {
    for (const order of permutations([viaUpper, viaZone, viaSecond, viaSecondAgain, direct])) {
      expect(chooseTrustChain(order)).toBe(viaUpper);
    }
  });

  it('[OIDFED-10.3-2] does not reorder what it was given', () => {
    const candidates = [direct, viaUpper];
    chooseTrustChain(candidates);
    expect(candidates).toEqual([direct, viaUpper]);
  });
});

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
