/** What a root does on the machine that has it: it certifies itself and certification authorities, and takes that back. */
import { randomBytes } from 'node:crypto';
import type { Jwk } from '../../federation/jwk-set.ts';
import { keyThumbprint } from '../../federation/key-thumbprint.ts';
import { parseDer } from '../../pki/der.ts';
import { COMMON_NAME, ORGANISATION } from '../../pki/names/attribute-types.ts';
import type { DistinguishedName } from '../../pki/names/distinguished-name.ts';
import { displayName } from '../../pki/names/name-string.ts';
import { type NamePart, writeName } from '../../pki/names/write-name.ts';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import { decodePem, decodePemBlock, encodePem, encodePemBlock } from '../../pki/pem.ts';
import { lintCertificate } from '../../pki/profile/lint-certificate.ts';
import { writeTbsCertificate } from '../../pki/profile/write-certificate.ts';
import { parseCertificateRequest } from '../../pki/request/parse-certificate-request.ts';
import { lintRevocationList } from '../../pki/revocation-list/lint-revocation-list.ts';
import { parseRevocationList } from '../../pki/revocation-list/parse-revocation-list.ts';
import type { CrlReason } from '../../pki/revocation-list/revocation-reason.ts';
import { writeEntries, writeTbsRevocationList } from '../../pki/revocation-list/write-revocation-list.ts';
import type { X509Algorithm } from '../../pki/signed/linted-der.ts';
import { hasOfflineRoot, makeOfflineRoot, type OfflineRoot, openOfflineRoot } from '../../signer/offline-root.ts';
import { CommandError } from '../command-error.ts';

export interface RootOrder {
  folder: string;
  passphrase: string;
  /** Of a root that is made: its common name, organisation, algorithm and validity. */
  name: string;
  organisation: string | undefined;
  alg: X509Algorithm;
  years: number;
}

export interface Ceremony {
  root: OfflineRoot;
  /** Whether the root was made now. */
  isNew: boolean;
}

/** Days of a year on the average, so that ten years are ten years. */
const YEAR_SECONDS = 365.25 * 86_400;

/** Clocks of those who check are not all right. */
const BACKDATED_SECONDS = 300;

/**
 * The root of a folder, made if there is none.
 * @param now seconds since the epoch
 * @throws OfflineRootError, CertificateError
 */
export async function openOrMakeRoot(order: RootOrder, now: number): Promise<Ceremony> {
  const { folder, passphrase, alg } = order;
  if (await hasOfflineRoot(folder)) return { root: await openOfflineRoot(folder, passphrase), isNew: false };
  const subject = rootSubject(order);
  const root = await makeOfflineRoot(folder, passphrase, alg, (spki) => {
    const tbs = writeTbsCertificate({
      ...{ profile: 'root-authority', alg, serial: newSerial(), issuer: writeName(subject), subject, spki },
      authorityKeyIdentifier: null,
      ...{ notBefore: now - BACKDATED_SECONDS, notAfter: endOf(order.years, now) },
    });
    return lintCertificate(tbs, { profile: 'root-authority', alg, issuer: 'self', spki });
  });
  return { root, isNew: true };
}

/**
 * Certifies what a certification authority asks for, for as long as the root lasts at most.
 * @param request PKCS#10 as PEM
 * @returns PEM: its certificate, then that of the root
 * @throws CertificateError; CommandError usage when the root has expired
 */
export function certifyRequest(
  { alg, certificate, sign }: OfflineRoot,
  request: string,
  years: number,
  now: number,
): string {
  const { subject, spki } = parseCertificateRequest(request);
  const issuer = parsePathCertificate(certificate);
  if (issuer.notAfter <= now) throw new CommandError('refused', 'the root has expired; make another one');
  const tbs = writeTbsCertificate({
    ...{ profile: 'issuing-authority', alg, serial: newSerial(), spki },
    ...{ issuer: nameOf(certificate), subject: partsOf(subject) },
    authorityKeyIdentifier: Buffer.from(issuer.subjectKeyId ?? '', 'hex'),
    notBefore: Math.max(now - BACKDATED_SECONDS, issuer.notBefore),
    notAfter: Math.min(endOf(years, now), issuer.notAfter),
  });
  const linted = lintCertificate(tbs, { profile: 'issuing-authority', alg, issuer: { certificate }, spki });
  return encodePem(sign(linted)) + encodePem(certificate);
}

/** What a person compares: whom a request is for, and the thumbprint of its key (RFC 7638). @throws CertificateError */
export async function requestFacts(request: string): Promise<{ subject: string; kid: string }> {
  const { subject, jwk } = parseCertificateRequest(request);
  return { subject: displayName(subject), kid: await keyThumbprint({ ...jwk, kid: '' } as Jwk) };
}

export interface RootListOrder {
  /** The list before it, as PEM; undefined: there is none. */
  before: string | undefined;
  /** PEM of a certificate that the root gave and that counts no more. */
  revoke: string | undefined;
  reason: CrlReason;
  days: number;
}

/**
 * The list of what a root takes back: all that was on the list before, and one more.
 * @returns PEM
 * @throws CertificateError; CommandError usage for a list or a certificate that is not of this root
 */
export function listRevoked(root: OfflineRoot, { before, revoke, reason, days }: RootListOrder, now: number): string {
  const { alg, certificate } = root;
  const known = before === undefined ? undefined : parseRevocationList(decodePemBlock('X509 CRL', before));
  if (known !== undefined && !root.hasSigned(known.toBeSigned, known.signature)) {
    throw new CommandError('usage', 'the list of revocations in the folder is not of this root');
  }
  const entries = [...(known?.entries() ?? [])];
  const serial = revoke === undefined ? undefined : serialBelow(root, revoke);
  if (serial !== undefined && !entries.some((entry) => entry.serial === serial)) {
    entries.push({ serial, reason, revokedAt: now });
  }
  const numberBefore = Number(known?.number ?? 0);
  const lifetimeSeconds = days * 86_400;
  const tbs = writeTbsRevocationList({
    ...{ alg, issuer: nameOf(certificate), number: numberBefore + 1, entries: writeEntries(entries) },
    authorityKeyIdentifier: Buffer.from(parsePathCertificate(certificate).subjectKeyId ?? '', 'hex'),
    ...{ thisUpdate: now, nextUpdate: now + lifetimeSeconds },
  });
  const expected = { alg, issuer: certificate, numberBefore, lifetimeSeconds, entries: entries.length };
  return encodePemBlock('X509 CRL', root.sign(lintRevocationList(tbs, expected)));
}

/** @param pem the certificate, and maybe those above it */
function serialBelow({ certificate, hasSigned }: OfflineRoot, pem: string): string {
  const [der = new Uint8Array()] = decodePem(pem);
  const { serial, x5tS256 } = parsePathCertificate(der);
  const [signed, , signature] = parseDer(der).children;
  const isOwn =
    signed !== undefined && signature !== undefined && hasSigned(signed.bytes, signature.contents.subarray(1));
  if (isOwn && x5tS256 !== parsePathCertificate(certificate).x5tS256) return serial;
  throw new CommandError(
    'usage',
    'that certificate is not of this root, or its own: only what it certified is revoked',
  );
}

function rootSubject({ name, organisation }: RootOrder): NamePart[] {
  const common = { type: COMMON_NAME, text: name };
  return organisation === undefined ? [common] : [{ type: ORGANISATION, text: organisation }, common];
}

/** DER of the subject, byte by byte as the certificate has it. */
function nameOf(certificate: Uint8Array): Uint8Array {
  return parseDer(certificate).children[0]?.children[5]?.bytes ?? new Uint8Array();
}

/** @throws CommandError usage for a name that we do not write */
function partsOf({ relativeNames }: DistinguishedName): NamePart[] {
  return relativeNames.map((attributes) => {
    const [{ type, text } = { type: '', text: undefined }, ...others] = attributes;
    if (text !== undefined && others.length === 0) return { type, text };
    throw new CommandError(
      'usage',
      'the request has a name with other values than one text each; have another one made',
    );
  });
}

function endOf(years: number, now: number): number {
  return now + Math.floor(years * YEAR_SECONDS);
}

/** A positive number that nobody can guess. @see RFC 5280 §4.1.2.2 */
function newSerial(): Uint8Array {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
