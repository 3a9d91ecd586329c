/** What a root does on the machine that has it: it certifies itself, and the requests of certification authorities. */
import { randomBytes } from 'node:crypto';
import { parseDer } from '../../pki/der.ts';
import { COMMON_NAME, ORGANISATION } from '../../pki/names/attribute-types.ts';
import type { DistinguishedName } from '../../pki/names/distinguished-name.ts';
import { type NamePart, writeName } from '../../pki/names/write-name.ts';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import { encodePem } from '../../pki/pem.ts';
import { lintCertificate } from '../../pki/profile/lint-certificate.ts';
import { writeTbsCertificate } from '../../pki/profile/write-certificate.ts';
import { parseCertificateRequest } from '../../pki/request/parse-certificate-request.ts';
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
