/** The choice between several valid Trust Chains, always the same for the same chains. @see OIDFED §10.3 */
import type { TrustChain } from './trust-chain.ts';

/**
 * Puts the best chain first: the one whose Immediate Superior stands first in the subject's `authority_hints`; among those the
 * shortest; among equally long ones the one whose issuers come first in code point order; the JWTs themselves decide
 * between chains over the same entities.
 */
export function orderTrustChains<T extends Pick<TrustChain, 'statements'>>(chains: readonly T[]): T[] {
  return chains.toSorted(compareTrustChains);
}

/** The best of them, see `orderTrustChains`. */
export function chooseTrustChain<T extends Pick<TrustChain, 'statements'>>(chains: readonly T[]): T | undefined {
  return orderTrustChains(chains)[0];
}

function compareTrustChains(a: Pick<TrustChain, 'statements'>, b: Pick<TrustChain, 'statements'>): number {
  return (
    hintPosition(a) - hintPosition(b) ||
    a.statements.length - b.statements.length ||
    compareText(path(a), path(b)) ||
    compareText(jwts(a), jwts(b))
  );
}

function hintPosition({ statements }: Pick<TrustChain, 'statements'>): number {
  const superior = statements[1]?.claims.iss;
  return superior === undefined ? -1 : (statements[0]?.claims.authority_hints?.indexOf(superior) ?? -1);
}

function path({ statements }: Pick<TrustChain, 'statements'>): string {
  return statements.map((statement) => statement.claims.iss).join(' ');
}

function jwts({ statements }: Pick<TrustChain, 'statements'>): string {
  return statements.map((statement) => statement.jwt).join(' ');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
