/** Finds a path from a certificate to a trust anchor and validates it. @see RFC 5280 §6, RFC 4158 */
import { sha256 } from '../public-key.ts';
import { type PathCertificate, parsePathCertificate, unreadPlace } from './path-certificate.ts';
import { PathError, type PathRefusal, type PlaceInPath, refusalOf } from './path-refusal.ts';
import { createSignatureChecks } from './signature.ts';
import type { TrustAnchors } from './trust-anchors.ts';
import { type PathDemands, type PathWork, validatePath } from './validate-path.ts';

export interface PathQuestion extends PathDemands {
  /** DER. */
  leaf: Uint8Array;
  /** DER, at most ten, in any order; what does not help is passed over. */
  intermediates: readonly Uint8Array[];
  anchors: TrustAnchors;
}

export interface ValidPath {
  /** The leaf first, the anchor last. */
  path: readonly [leaf: PathCertificate, ...above: PathCertificate[]];
  /** When all of them are valid, in seconds since the epoch, both inclusive. */
  notBefore: number;
  notAfter: number;
  /** Policies of the anchor's domain that apply; `2.5.29.32.0` stands for all. */
  policies: readonly string[];
}

export interface NoPath {
  /** Of the attempt that came furthest. */
  refusal: PathRefusal;
  /** One for each way that was tried, in their order. */
  attempts: readonly PathRefusal[];
}

export const MAX_INTERMEDIATES = 10;
/** Ways that are tried before a search is given up: ten intermediates have about forty at most. */
const MAX_ATTEMPTS = 64;

/** How far a way went. */
interface Attempt {
  refusal: PathRefusal;
  length: number;
  reachedAnchor: boolean;
}

interface Search extends PathQuestion, PathWork {
  pool: readonly PathCertificate[];
  attempts: Attempt[];
}

/**
 * Tries all ways up from the leaf, none twice through the same name and key, until one is valid. Nothing that is handed
 * in makes it throw, run long, or take what is not signed by an anchor.
 */
export function findPath(question: PathQuestion): ValidPath | NoPath {
  const read = readQuestion(question);
  if ('reason' in read) return { refusal: read, attempts: [read] };
  const search: Search = { ...question, pool: read.pool, ...newWork(), attempts: [] };
  const found = extend([read.leaf], search);
  if (found !== undefined) return found;
  const attempts = search.attempts.map((attempt) => attempt.refusal);
  if (attempts.length >= MAX_ATTEMPTS) return { refusal: tooComplex(read.leaf), attempts };
  const [furthest] = search.attempts.toSorted(
    (a, b) => Number(b.reachedAnchor) - Number(a.reachedAnchor) || b.length - a.length,
  );
  const refusal = furthest?.refusal ?? untrusted(read.leaf, search);
  return { refusal, attempts };
}

function newWork(): PathWork {
  return { signatures: createSignatureChecks(), comparisons: { count: 0 } };
}

function readQuestion(question: PathQuestion): { leaf: PathCertificate; pool: PathCertificate[] } | PathRefusal {
  const { intermediates, anchors } = question;
  let place: PlaceInPath = unreadPlace('leaf', 0);
  try {
    if (intermediates.length > MAX_INTERMEDIATES) {
      throw new PathError('chain_too_complex', place, `comes with more than ${MAX_INTERMEDIATES} other certificates`);
    }
    const leaf = parsePathCertificate(question.leaf);
    const pool = new Map<string, PathCertificate>();
    for (const [index, der] of intermediates.entries()) {
      place = unreadPlace('intermediates', index);
      const x5tS256 = sha256(der);
      // What is on the list was read with it.
      if (!pool.has(x5tS256) && !anchors.has(x5tS256)) {
        pool.set(x5tS256, parsePathCertificate(der, 'intermediates', index));
      }
    }
    return { leaf, pool: [...pool.values()] };
  } catch (error) {
    return refusalOf(error, place);
  }
}

function extend(path: readonly [PathCertificate, ...PathCertificate[]], search: Search): ValidPath | undefined {
  const last = path.at(-1) ?? path[0];
  const { anchors, pool, attempts } = search;
  const candidates = [...preferred(anchors.named(last.issuer), last, search), ...preferred(pool, last, search)].filter(
    (candidate) => candidate.subject.key === last.issuer.key && !path.some((one) => isSameEntity(one, candidate)),
  );
  if (candidates.length === 0) {
    attempts.push({ refusal: untrusted(last, search), length: path.length, reachedAnchor: false });
  }
  for (const candidate of candidates) {
    if (attempts.length >= MAX_ATTEMPTS) return undefined;
    const found = tryIssuer(path, candidate, search);
    if (found !== undefined) return found;
  }
  return undefined;
}

function tryIssuer(
  path: readonly [PathCertificate, ...PathCertificate[]],
  candidate: PathCertificate,
  search: Search,
): ValidPath | undefined {
  const last = path.at(-1) ?? path[0];
  const reachedAnchor = candidate.place.from === 'anchors';
  let isSigned = false;
  try {
    search.signatures.requireSigned(last, candidate);
    isSigned = true;
    const longer = [...path, candidate] as const;
    return reachedAnchor ? accept(longer, search) : extend(longer, search);
  } catch (error) {
    const refusal = refusalOf(error, last.place);
    search.attempts.push({ refusal, length: path.length, reachedAnchor: reachedAnchor && isSigned });
    return undefined;
  }
}

function accept(path: ValidPath['path'], search: Search): ValidPath {
  const policies = validatePath(path, search, search);
  const notBefore = Math.max(...path.map((certificate) => certificate.notBefore));
  const notAfter = Math.min(...path.map((certificate) => certificate.notAfter));
  return { path, notBefore, notAfter, policies };
}

/** Those that look right first: the key that is hinted at, then valid now, then valid for longest. */
function preferred(
  candidates: readonly PathCertificate[],
  { authorityKeyId }: PathCertificate,
  { now }: Search,
): PathCertificate[] {
  const isHinted = ({ subjectKeyId }: PathCertificate): number =>
    Number(authorityKeyId !== null && subjectKeyId === authorityKeyId);
  const isValid = ({ notBefore, notAfter }: PathCertificate): number => Number(notBefore <= now && now <= notAfter);
  return candidates.toSorted((a, b) => isHinted(b) - isHinted(a) || isValid(b) - isValid(a) || b.notAfter - a.notAfter);
}

/** The same name with the same key: to pass it twice is a loop, whatever else the certificates say. */
function isSameEntity(one: PathCertificate, other: PathCertificate): boolean {
  return one.subject.key === other.subject.key && one.spkiSha256 === other.spkiSha256;
}

function tooComplex({ place }: PathCertificate): PathRefusal {
  const message = `has more than ${MAX_ATTEMPTS} ways up, none valid; send only the certificates between it and its root`;
  return refusalOf(new PathError('chain_too_complex', place, message), place);
}

function untrusted({ place, subject, issuer, x5tS256 }: PathCertificate, { anchors }: Search): PathRefusal {
  const message = anchors.has(x5tS256)
    ? 'is on the trust list itself, whose certificates issue others; use one that it has issued'
    : subject.key === issuer.key
      ? 'names itself as its issuer and is not on the trust list; use a certificate of an authority that is'
      : 'is issued by an authority that is neither on the trust list nor among the certificates sent along; send that one too, or have it put on the list';
  return refusalOf(new PathError('chain_untrusted', place, message), place);
}
