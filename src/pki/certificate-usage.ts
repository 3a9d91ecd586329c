/** What a certificate or a key may be used for, by what it says of itself. @see RFC 5280 §4.2.1.3, §4.2.1.12, RFC 8705 §2 */
import type { Certificate } from './parse-certificate.ts';
import type { KeyUsage } from './path/extensions.ts';
import type { PublicJwk } from './public-key.ts';

/** At the ends of TLS connections, under what is signed, or to encrypt to. */
export type KeyPurpose = 'transport' | 'signing' | 'encryption';

/** Each alone is enough. */
const KEY_USAGES: Readonly<Record<KeyPurpose, readonly KeyUsage[]>> = {
  transport: ['digitalSignature'],
  signing: ['digitalSignature', 'nonRepudiation'],
  encryption: ['keyEncipherment', 'keyAgreement', 'dataEncipherment'],
};

const [CLIENT_AUTHENTICATION, SERVER_AUTHENTICATION] = ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'];
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';
const FOR_TRANSPORT: readonly string[] = [CLIENT_AUTHENTICATION, SERVER_AUTHENTICATION, ANY_EXTENDED_KEY_USAGE];

/** Why a certificate cannot be used so; undefined if it can. */
export function certificateComplaint(certificate: Certificate, purpose: KeyPurpose): string | undefined {
  const { isAuthority, isSelfIssued, keyUsage, extendedKeyUsage, jwk } = certificate;
  // Tools make those that sign themselves so, and nobody else's certificate is measured by them.
  if (isAuthority && !isSelfIssued)
    return 'is one of a certification authority, not of somebody who has its key at hand';
  if (keyUsage !== null && !KEY_USAGES[purpose].some((usage) => keyUsage.includes(usage))) {
    return `is not for ${purpose}: its key usage has none of ${KEY_USAGES[purpose].join(', ')}`;
  }
  if (purpose === 'transport' && extendedKeyUsage?.some((usage) => FOR_TRANSPORT.includes(usage)) === false) {
    return 'is not for TLS: its extended key usage has neither clientAuth nor serverAuth';
  }
  return keyComplaint(jwk, purpose);
}

/** Why a key cannot be used so, whatever anybody says about it. */
export function keyComplaint({ crv = '' }: PublicJwk, purpose: KeyPurpose): string | undefined {
  const isForAgreement = crv.startsWith('X');
  if (purpose === 'encryption') return crv.startsWith('Ed') ? `is on ${crv}, which only signs` : undefined;
  return isForAgreement ? `is on ${crv}, which signs nothing` : undefined;
}
