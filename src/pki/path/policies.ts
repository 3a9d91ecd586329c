/**
 * Under which policies a path is valid: the algorithm of RFC 5280 as RFC 9618 has it. Of the graph of policies, only
 * its lowest row is kept, each policy with those of the anchor's domain that it comes from: all that is asked of it.
 * @see RFC 5280 §6.1.2-§6.1.5, RFC 9618 §5
 */
import type { PolicyMapping } from './extensions.ts';
import { isSelfIssued, type PathCertificate } from './path-certificate.ts';
import { PathError } from './path-refusal.ts';

export const ANY_POLICY = '2.5.29.32.0';

export interface PolicyDemand {
  /** Of these, one must apply to the path (`user-initial-policy-set`); null: any. */
  accepted?: readonly string[] | null;
  /** Whether there has to be one at all (`initial-explicit-policy`); so it is, unless told, where some are accepted. */
  requirePolicies?: boolean;
  /** Whether policies of one domain may not stand for those of another (`initial-policy-mapping-inhibit`). */
  inhibitMapping?: boolean;
  /** Whether anyPolicy does not count (`initial-any-policy-inhibit`). */
  inhibitAnyPolicy?: boolean;
}

/** Policies at the end of a path, each with those of the anchor's domain that it stands for. */
type PolicyRow = Map<string, Set<string>>;

interface PolicyState {
  row: PolicyRow;
  /** Whether anyPolicy is in the row as well. */
  hasAny: boolean;
  /** How many more certificates may do without. */
  explicitPolicy: number;
  policyMapping: number;
  inhibitAnyPolicy: number;
}

/**
 * @param anchor what it says of policies limits all below it, which the algorithm itself leaves to whoever sets it up
 *   (RFC 5937 §3.2); without any of its own, it allows all
 * @param path from below the anchor down to the leaf
 * @returns policies of the anchor's domain that apply and are accepted; `2.5.29.32.0` stands for all
 * @throws PathError policy_missing, policy_invalid
 */
export function policiesOfPath(
  anchor: PathCertificate,
  path: readonly PathCertificate[],
  demand: PolicyDemand = {},
): string[] {
  const { accepted = null } = demand;
  const untilForbidden = path.length + 2;
  const state: PolicyState = {
    row: new Map(),
    hasAny: true,
    explicitPolicy: (demand.requirePolicies ?? accepted !== null) ? 0 : untilForbidden,
    policyMapping: demand.inhibitMapping === true ? 0 : untilForbidden,
    inhibitAnyPolicy: demand.inhibitAnyPolicy === true ? 0 : untilForbidden,
  };
  if (anchor.policies?.has(ANY_POLICY) === false) takePolicies(state, anchor, false);
  prepareForNext(state, anchor);
  for (const [index, certificate] of path.entries()) {
    const isLast = index === path.length - 1;
    takePolicies(state, certificate, isLast);
    if (state.explicitPolicy === 0 && isEmpty(state)) {
      throw missing(certificate, 'asserts no policy that those above it allow');
    }
    if (isLast) finishCounts(state, certificate);
    else prepareForNext(state, certificate);
  }
  const policies = acceptedOf(state, accepted);
  const leaf = path.at(-1);
  if (state.explicitPolicy === 0 && policies.length === 0 && leaf !== undefined) {
    throw missing(leaf, 'is issued under none of the policies that are accepted here');
  }
  return policies;
}

/** §6.1.3 (d), (e). */
function takePolicies(state: PolicyState, certificate: PathCertificate, isLast: boolean): void {
  const { row, hasAny } = state;
  const mayBeAny = state.inhibitAnyPolicy > 0 || (!isLast && isSelfIssued(certificate));
  const next: PolicyRow = new Map();
  for (const policy of certificate.policies ?? []) {
    if (policy === ANY_POLICY) continue;
    const sources = row.get(policy) ?? (hasAny ? new Set([policy]) : undefined);
    if (sources !== undefined) next.set(policy, sources);
  }
  const isAny = mayBeAny && certificate.policies?.has(ANY_POLICY) === true;
  if (isAny) for (const [policy, sources] of row) if (!next.has(policy)) next.set(policy, sources);
  state.row = next;
  state.hasAny = hasAny && isAny;
}

/** §6.1.4 (a), (b), (h)-(j). */
function prepareForNext(state: PolicyState, certificate: PathCertificate): void {
  const { policyMappings, requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy } = certificate;
  if (policyMappings.some((mapping) => mapping.issuerPolicy === ANY_POLICY || mapping.subjectPolicy === ANY_POLICY)) {
    throw new PathError('policy_invalid', certificate.place, 'maps anyPolicy, which nobody may');
  }
  state.row = mapped(state, policyMappings);
  if (!isSelfIssued(certificate)) {
    state.explicitPolicy = Math.max(0, state.explicitPolicy - 1);
    state.policyMapping = Math.max(0, state.policyMapping - 1);
    state.inhibitAnyPolicy = Math.max(0, state.inhibitAnyPolicy - 1);
  }
  state.explicitPolicy = Math.min(state.explicitPolicy, requireExplicitPolicy ?? Number.POSITIVE_INFINITY);
  state.policyMapping = Math.min(state.policyMapping, inhibitPolicyMapping ?? Number.POSITIVE_INFINITY);
  state.inhibitAnyPolicy = Math.min(state.inhibitAnyPolicy, inhibitAnyPolicy ?? Number.POSITIVE_INFINITY);
}

/** What certificates below have to assert, for what; where mapping is not allowed, what is mapped is lost. */
function mapped({ row, hasAny, policyMapping }: PolicyState, mappings: readonly PolicyMapping[]): PolicyRow {
  if (mappings.length === 0) return row;
  const targets = Map.groupBy(mappings, ({ issuerPolicy }) => issuerPolicy);
  const next: PolicyRow = new Map();
  const add = (policy: string, sources: ReadonlySet<string>): void => {
    next.set(policy, new Set([...(next.get(policy) ?? []), ...sources]));
  };
  for (const [policy, sources] of row) if (!targets.has(policy)) add(policy, sources);
  if (policyMapping === 0) return next;
  for (const [issuerPolicy, pairs] of targets) {
    const sources = row.get(issuerPolicy) ?? (hasAny ? new Set([issuerPolicy]) : undefined);
    if (sources !== undefined) for (const { subjectPolicy } of pairs) add(subjectPolicy, sources);
  }
  return next;
}

/** §6.1.5 (a), (b). */
function finishCounts(state: PolicyState, { requireExplicitPolicy }: PathCertificate): void {
  state.explicitPolicy = requireExplicitPolicy === 0 ? 0 : Math.max(0, state.explicitPolicy - 1);
}

/** §6.1.5 (g). */
function acceptedOf({ row, hasAny }: PolicyState, accepted: readonly string[] | null): string[] {
  const found = [...new Set([...row.values()].flatMap((sources) => [...sources]))].toSorted();
  if (accepted === null || accepted.includes(ANY_POLICY)) return hasAny ? [...found, ANY_POLICY] : found;
  return accepted.filter((policy) => hasAny || found.includes(policy));
}

function isEmpty({ row, hasAny }: PolicyState): boolean {
  return row.size === 0 && !hasAny;
}

function missing({ place }: PathCertificate, what: string): PathError {
  const message = `${what}; use a certificate that is issued under such a policy, or have the demand changed`;
  return new PathError('policy_missing', place, message);
}
