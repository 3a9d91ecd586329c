/** What certificates of ours are for, and so what stands in them. @see RFC 5280 §4.2.1.3, §4.2.1.12 */
import type { KeyUsage } from '../path/extensions.ts';

export interface CertificateProfile {
  /** In the order of their bits. */
  keyUsage: readonly KeyUsage[];
  /** Object identifiers; null: there is no such extension. */
  extendedKeyUsage: readonly string[] | null;
  /** null: of no authority. Certificates that may stand between it and a leaf; `any`: no limit. */
  authority: { maxPathLength: number | 'any' } | null;
  /** Forms of alternative names that are there, each at least once. */
  alternativeNames: readonly ('uri' | 'dns')[];
  /** Whether it says where its revocation is published, and who issued it. */
  isRevocable: boolean;
  maxDays: number;
}

export type CertificateProfileName =
  | 'client'
  | 'server'
  | 'signing'
  | 'ocsp-responder'
  | 'issuing-authority'
  | 'root-authority';

const [SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
/** Keeps keys that sign apart from connections: a certificate without any purpose would be good for all. @see RFC 9336 */
const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';

/** As long as browsers believe one of a server; enough to renew once a year. */
const MAX_LEAF_DAYS = 397;

const LEAF = { authority: null, isRevocable: true, maxDays: MAX_LEAF_DAYS } as const;
const AUTHORITY = {
  keyUsage: ['keyCertSign', 'cRLSign'],
  ...{ extendedKeyUsage: null, alternativeNames: [], isRevocable: false },
} as const satisfies Partial<CertificateProfile>;

const PROFILES: Readonly<Record<CertificateProfileName, CertificateProfile>> = {
  client: {
    ...LEAF,
    ...{ keyUsage: ['digitalSignature'], extendedKeyUsage: [CLIENT_AUTHENTICATION], alternativeNames: ['uri'] },
  },
  server: {
    ...LEAF,
    ...{ keyUsage: ['digitalSignature'], extendedKeyUsage: [SERVER_AUTHENTICATION], alternativeNames: ['uri', 'dns'] },
  },
  signing: {
    ...LEAF,
    ...{ keyUsage: ['digitalSignature', 'nonRepudiation'], extendedKeyUsage: [DOCUMENT_SIGNING] },
    alternativeNames: ['uri'],
  },
  // So short that nobody needs to know of its revocation (RFC 6960 §4.2.2.2.1).
  'ocsp-responder': {
    ...{ keyUsage: ['digitalSignature'], extendedKeyUsage: [OCSP_SIGNING], authority: null, alternativeNames: [] },
    ...{ isRevocable: false, maxDays: 30 },
  },
  'issuing-authority': { ...AUTHORITY, authority: { maxPathLength: 0 }, maxDays: 3653 },
  'root-authority': { ...AUTHORITY, authority: { maxPathLength: 'any' }, maxDays: 7306 },
};

export function profileOf(name: CertificateProfileName): CertificateProfile {
  return PROFILES[name];
}
