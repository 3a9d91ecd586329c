/** The certificate that somebody brings for a certification authority, with those above it: whether it can issue below it. */
import { CertificateError } from '../../pki/certificate-error.ts';
import { type Certificate, parseCertificates } from '../../pki/parse-certificate.ts';
import { type PathCertificate, parsePathCertificate } from '../../pki/path/path-certificate.ts';
import { decodePem, MAX_CHAIN_LENGTH } from '../../pki/pem.ts';
import { asField, refusedField } from '../certificate-input.ts';

export interface IssuingChain {
  /** Base64 of DER, its own first. */
  x5c: string[];
  x5tS256: string;
  notBefore: Date;
  /** When the first of the chain ends: nothing below it counts for longer. */
  notAfter: Date;
}

const FIELD = '/certificate';

/** Whatever issues for clients says so, if it says anything (RFC 5280 §4.2.1.12 read down the path, as everybody does). */
const [ANY_USAGE, CLIENT_AUTH, SERVER_AUTH] = ['2.5.29.37.0', '1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'];

/**
 * @param pem its own certificate first, each signed by the next, up to the root or whom clients know
 * @throws RegistryError validation_failed, with the `reason` of a CertificateError, key_mismatch, or certificate_expired
 */
export function readIssuingChain(pem: string, spkiSha256: string, now: Date): IssuingChain {
  const certificates = asField(FIELD, () => decodePem(pem).map((der) => parsePathCertificate(der)));
  requireOwnKeyFirst(certificates, spkiSha256);
  const chain = asField(FIELD, () => parseCertificates(pem));
  if (chain.length >= MAX_CHAIN_LENGTH) {
    throw refusedField(FIELD, 'certificate_too_large', `is a chain of more than ${MAX_CHAIN_LENGTH - 1} certificates`);
  }
  const [own, issuer] = chain;
  if (certificates[0]?.subjectKeyId == null) {
    const detail = 'has no subject key identifier, which what it issues has to name; have the request certified anew';
    throw refusedField(FIELD, 'extension_invalid', detail);
  }
  if (issuer === undefined) {
    throw refusedField(FIELD, 'chain_broken', 'comes alone; send the certificates above it along, up to the root');
  }
  for (const [index, certificate] of chain.entries()) {
    asField(FIELD, () => requireIssuer(certificate, certificates[index]?.maxPathLength ?? null, index));
    requireCurrent(certificate, index, now);
  }
  return {
    x5c: chain.map(({ der }) => Buffer.from(der).toString('base64')),
    x5tS256: own.x5tS256,
    notBefore: new Date(Math.max(...chain.map(({ notBefore }) => notBefore)) * 1000),
    notAfter: new Date(Math.min(...chain.map(({ notAfter }) => notAfter)) * 1000),
  };
}

function requireOwnKeyFirst(certificates: readonly PathCertificate[], spkiSha256: string): void {
  const own = certificates.findIndex((certificate) => certificate.spkiSha256 === spkiSha256);
  if (own === 0) return;
  const detail =
    own === -1
      ? 'is not of the key of this certification authority; have the request certified that `holdfast ca show` writes'
      : `is upside down: certificate ${own + 1} is the one of this certification authority; it comes first, the root last`;
  throw refusedField(FIELD, own === -1 ? 'key_mismatch' : 'chain_broken', detail);
}

/** @param below how many authorities are below it in the chain, its own certificates not counted */
function requireIssuer(certificate: Certificate, maxPathLength: number | null, below: number): void {
  const which = below === 0 ? 'it' : `certificate ${below + 1}`;
  const unsuitable = (why: string): CertificateError =>
    new CertificateError(
      'usage_unsuitable',
      `${why}; have ${below === 0 ? 'the request' : 'another one'} certified anew`,
    );
  if (!certificate.isAuthority) {
    throw unsuitable(`issues no certificates: the basic constraints of ${which} do not say CA:TRUE`);
  }
  if (maxPathLength !== null && maxPathLength < below) {
    const allowed = maxPathLength === 0 ? 'no authority' : `at most ${maxPathLength} below each other`;
    throw unsuitable(`is deeper than allowed: the path length of ${which} is ${maxPathLength}, ${allowed} below it`);
  }
  const { keyUsage, extendedKeyUsage } = certificate;
  if (keyUsage !== null && !keyUsage.includes('keyCertSign')) {
    throw unsuitable(`issues no certificates: the key usage of ${which} lacks keyCertSign`);
  }
  if (below === 0 && keyUsage !== null && !keyUsage.includes('cRLSign')) {
    throw unsuitable('signs no lists of revocations: its key usage lacks cRLSign');
  }
  const isLimited = extendedKeyUsage !== null && !extendedKeyUsage.includes(ANY_USAGE);
  if (isLimited && !extendedKeyUsage.includes(CLIENT_AUTH) && !extendedKeyUsage.includes(SERVER_AUTH)) {
    throw unsuitable(
      `issues nothing for TLS: the extended key usage of ${which} has neither clientAuth nor serverAuth`,
    );
  }
}

function requireCurrent({ notBefore, notAfter }: Certificate, index: number, now: Date): void {
  const which = index === 0 ? '' : `: certificate ${index + 1}`;
  const seconds = now.getTime() / 1000;
  if (notAfter < seconds) {
    const at = new Date(notAfter * 1000).toISOString();
    throw refusedField(FIELD, 'certificate_expired', `has expired${which} at ${at}; bring one that is valid`);
  }
  if (notBefore <= seconds) return;
  const from = new Date(notBefore * 1000).toISOString();
  throw refusedField(FIELD, 'certificate_not_yet_valid', `is not valid yet${which}, before ${from}; bring it then`);
}
