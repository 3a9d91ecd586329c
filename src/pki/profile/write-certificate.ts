/** Writes what is signed of a certificate. @see RFC 5280 §4.1.2, §4.2 */
import {
  boolean,
  type Der,
  explicit,
  implicit,
  integer,
  NULL,
  namedBits,
  octetString,
  oid,
  sequence,
  tagged,
  time,
  unsignedInteger,
} from '../der-writer.ts';
import { type NamePart, writeName } from '../names/write-name.ts';
import { KEY_USAGES } from '../path/extensions.ts';
import type { X509Algorithm } from '../signed/linted-der.ts';
import { ALGORITHM_IDENTIFIERS } from '../signed/signed-der.ts';
import { type CertificateProfile, type CertificateProfileName, profileOf } from './certificate-profile.ts';
import { EXTENSION } from './extension-types.ts';
import { keyIdentifierOf } from './key-identifier.ts';

/** ASCII, as it stands in the certificate. */
export interface AlternativeName {
  form: 'dns' | 'uri';
  text: string;
}

/** Where others find what they need to rely on a certificate. */
export interface CertificateUrls {
  revocationList: string;
  ocsp: string;
  /** The certificate of who issued it, in DER. */
  issuer: string;
}

export interface CertificatePlan {
  profile: CertificateProfileName;
  /** Of the key that signs it. */
  alg: X509Algorithm;
  /** Bytes of a number above 0, the highest first. */
  serial: Uint8Array;
  /** DER of the issuer's name, as its own certificate has it. */
  issuer: Der;
  /** From the root down. */
  subject: readonly NamePart[];
  alternativeNames?: readonly AlternativeName[];
  /** Seconds since the epoch, both inclusive. */
  notBefore: number;
  notAfter: number;
  /** SubjectPublicKeyInfo in DER. */
  spki: Der;
  /** The identifier of the issuer's key, as its certificate has it; null: it signs itself. */
  authorityKeyIdentifier: Uint8Array | null;
  /** Left out of profiles that are not revocable. */
  urls?: CertificateUrls;
}

const VERSION_3 = explicit(0, integer(2));
const NAME_TAG = { dns: 2, uri: 6 } as const;

/** @returns DER of a TBSCertificate; to be linted before it is signed */
export function writeTbsCertificate(plan: CertificatePlan): Der {
  return sequence(
    VERSION_3,
    unsignedInteger(plan.serial),
    ALGORITHM_IDENTIFIERS[plan.alg],
    plan.issuer,
    sequence(time(plan.notBefore), time(plan.notAfter)),
    writeName(plan.subject),
    plan.spki,
    explicit(3, sequence(...extensionsOf(plan, profileOf(plan.profile)))),
  );
}

function extensionsOf(plan: CertificatePlan, profile: CertificateProfile): Der[] {
  const { spki, authorityKeyIdentifier, alternativeNames = [], urls } = plan;
  const keyIdentifier = keyIdentifierOf(spki);
  const extensions = [
    extension(EXTENSION.authorityKeyIdentifier, sequence(implicit(0, authorityKeyIdentifier ?? keyIdentifier))),
    extension(EXTENSION.subjectKeyIdentifier, octetString(keyIdentifier)),
    critical(EXTENSION.keyUsage, namedBits(profile.keyUsage.map((usage) => KEY_USAGES.indexOf(usage)))),
  ];
  if (profile.authority !== null) {
    const { maxPathLength } = profile.authority;
    const limit = maxPathLength === 'any' ? [] : [integer(maxPathLength)];
    extensions.push(critical(EXTENSION.basicConstraints, sequence(boolean(true), ...limit)));
  }
  if (profile.extendedKeyUsage !== null) {
    extensions.push(extension(EXTENSION.extendedKeyUsage, sequence(...profile.extendedKeyUsage.map(oid))));
  }
  if (alternativeNames.length > 0) {
    const names = alternativeNames.map(({ form, text }) => implicit(NAME_TAG[form], Buffer.from(text, 'latin1')));
    extensions.push(extension(EXTENSION.subjectAlternativeName, sequence(...names)));
  }
  if (urls !== undefined) extensions.push(...urlExtensions(urls));
  if (plan.profile === 'ocsp-responder') extensions.push(extension(EXTENSION.ocspNoCheck, NULL));
  return extensions;
}

/** @see RFC 5280 §4.2.1.13, §4.2.2.1 */
function urlExtensions({ revocationList, ocsp, issuer }: CertificateUrls): Der[] {
  const fullName = tagged(0xa0, uri(revocationList));
  return [
    extension(EXTENSION.revocationListDistributionPoints, sequence(sequence(tagged(0xa0, fullName)))),
    extension(
      EXTENSION.authorityInformationAccess,
      sequence(sequence(oid(ACCESS_METHOD.ocsp), uri(ocsp)), sequence(oid(ACCESS_METHOD.issuer), uri(issuer))),
    ),
  ];
}

const ACCESS_METHOD = { ocsp: '1.3.6.1.5.5.7.48.1', issuer: '1.3.6.1.5.5.7.48.2' } as const;

function uri(url: string): Der {
  return implicit(NAME_TAG.uri, Buffer.from(url, 'latin1'));
}

function extension(type: string, value: Der): Der {
  return sequence(oid(type), octetString(value));
}

function critical(type: string, value: Der): Der {
  return sequence(oid(type), boolean(true), octetString(value));
}
