/** What a certificate at the end of a path shall be used for, and what it has to say for that. @see RFC 5280 §4.2.1.3, §4.2.1.12 */
import type { KeyUsage } from './extensions.ts';
import type { PathCertificate } from './path-certificate.ts';
import { PathError } from './path-refusal.ts';

/** The names that RFC 5280 gives to purposes; it has none for what is signed in general. */
export type PathPurpose = 'clientAuth' | 'serverAuth' | 'emailProtection' | 'signing';

interface Demand {
  /** null: none says it. */
  extendedKeyUsage: string | null;
  /** Each alone is enough. */
  keyUsages: readonly KeyUsage[];
}

const DEMANDS: Readonly<Record<PathPurpose, Demand>> = {
  // A client signs the handshake; fixed Diffie-Hellman keys are gone from TLS.
  clientAuth: { extendedKeyUsage: '1.3.6.1.5.5.7.3.2', keyUsages: ['digitalSignature'] },
  serverAuth: {
    extendedKeyUsage: '1.3.6.1.5.5.7.3.1',
    keyUsages: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  },
  emailProtection: {
    extendedKeyUsage: '1.3.6.1.5.5.7.3.4',
    keyUsages: ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'keyAgreement'],
  },
  signing: { extendedKeyUsage: null, keyUsages: ['digitalSignature', 'nonRepudiation'] },
};
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

/**
 * The leaf must be for the purpose, and be no authority's; no authority above may be limited to others. What does not
 * say what it is for, is for all.
 * @param path from the anchor down to the leaf
 * @throws PathError usage_unsuitable
 */
export function requirePurpose(path: readonly PathCertificate[], purpose: PathPurpose): void {
  const { extendedKeyUsage, keyUsages } = DEMANDS[purpose];
  for (const { extendedKeyUsage: stated, place } of path) {
    if (extendedKeyUsage === null || stated === null) continue;
    if (stated.includes(extendedKeyUsage) || stated.includes(ANY_EXTENDED_KEY_USAGE)) continue;
    const message = `is not for ${purpose}: its extended key usage has only other purposes; have it issued for this one`;
    throw new PathError('usage_unsuitable', place, message);
  }
  const leaf = path.at(-1);
  if (leaf?.isAuthority === true) {
    throw new PathError('usage_unsuitable', leaf.place, 'is one of a certification authority; use one issued by it');
  }
  if (leaf?.keyUsage?.some((usage) => keyUsages.includes(usage)) === false) {
    const message = `is not for ${purpose}: its key usage has none of ${keyUsages.join(', ')}`;
    throw new PathError('usage_unsuitable', leaf.place, message);
  }
}
