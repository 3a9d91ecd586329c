/** Judges a path from a trust anchor down to a certificate. @see RFC 5280 §6.1, RFC 5937 for what the anchor says itself */
import { isSameName } from '../names/distinguished-name.ts';
import { type NameComparisons, requirePermittedNames } from './name-constraints.ts';
import { isSelfIssued, type PathCertificate } from './path-certificate.ts';
import { type PathPurpose, requirePurpose } from './path-purpose.ts';
import { PathError } from './path-refusal.ts';
import { type PolicyDemand, policiesOfPath } from './policies.ts';
import { requireSuitableKey, type SignatureChecks } from './signature.ts';

export interface PathDemands {
  /** null: any; only the purposes are then not looked at. */
  purpose: PathPurpose | null;
  /** Seconds since the epoch. */
  now: number;
  policies?: PolicyDemand;
}

/** What is done once for all ways of a search, and limited for all of them together. */
export interface PathWork {
  signatures: SignatureChecks;
  comparisons: NameComparisons;
}

/**
 * Stricter than the RFC in this: dates, basic constraints, key usage, purposes, name constraints, policies, their
 * constraints and critical extensions of the anchor count as those of the others do.
 * @param path the leaf first, the anchor last; two at least
 * @returns policies of the anchor's domain that apply
 * @throws PathError
 */
export function validatePath(
  path: readonly PathCertificate[],
  { purpose, now, policies }: PathDemands,
  { signatures, comparisons }: PathWork,
): string[] {
  const downwards = path.toReversed();
  const [anchor, ...below] = downwards;
  const leaf = below.at(-1);
  if (anchor === undefined || leaf === undefined) throw new TypeError('a path has two certificates at least');
  for (const [index, certificate] of below.entries()) {
    const issuer = below[index - 1] ?? anchor;
    if (!isSameName(certificate.issuer, issuer.subject)) {
      throw new PathError('chain_untrusted', certificate.place, 'is issued by another name than the one above it has');
    }
    signatures.requireSigned(certificate, issuer);
  }
  requireSuitableKey(leaf);
  for (const certificate of downwards) requireValidAt(certificate, now);
  requireAuthorities(downwards.slice(0, -1));
  requireSubject(leaf);
  for (const certificate of downwards) requireUnderstood(certificate);
  requirePermittedNames(downwards, comparisons);
  if (purpose !== null) requirePurpose(downwards, purpose);
  return policiesOfPath(anchor, below, policies);
}

function requireValidAt({ notBefore, notAfter, place }: PathCertificate, now: number): void {
  if (now > notAfter) throw new PathError('certificate_expired', place, 'has expired; have it renewed');
  if (now < notBefore)
    throw new PathError('certificate_not_yet_valid', place, 'is not valid yet; wait, or check clocks');
}

/** @param authorities the anchor first */
function requireAuthorities(authorities: readonly PathCertificate[]): void {
  let allowed = Number.POSITIVE_INFINITY;
  for (const [index, authority] of authorities.entries()) {
    const { isAuthority, keyUsage, maxPathLength, place } = authority;
    if (!isAuthority) throw noAuthority(authority, 'its basic constraints do not say that it is an authority');
    if (keyUsage?.includes('keyCertSign') === false) throw noAuthority(authority, 'its key usage lacks keyCertSign');
    if (index > 0 && !isSelfIssued(authority)) {
      if (allowed === 0) {
        throw new PathError('path_too_long', place, 'is one authority more than the path length above it allows');
      }
      allowed -= 1;
    }
    allowed = Math.min(allowed, maxPathLength ?? allowed);
  }
}

function noAuthority({ place }: PathCertificate, why: string): PathError {
  return new PathError('issuer_not_authority', place, `issued another and may not: ${why}`);
}

/** Who has no name has to have another one. */
function requireSubject({ subject, alternativeNames, place }: PathCertificate): void {
  if (subject.relativeNames.length > 0 || alternativeNames.length > 0) return;
  throw new PathError('name_not_permitted', place, 'has neither a subject nor an alternative name');
}

function requireUnderstood({ unknownCritical: [unknown], place }: PathCertificate): void {
  if (unknown === undefined) return;
  const message = `has the critical extension ${unknown}, which nobody here understands; have it issued without`;
  throw new PathError('extension_unknown', place, message);
}
