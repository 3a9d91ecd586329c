/** Certification authorities in tests, below a root of the test. */
import { randomBytes } from 'node:crypto';
import { createCertificateIssuer } from '../../src/issuance/certificates/certificate-issuer.ts';
import { certificationKeys } from '../../src/issuance/certificates/certification-keys.ts';
import { keyIdentifierOf } from '../../src/pki/profile/key-identifier.ts';
import { parseCertificateRequest } from '../../src/pki/request/parse-certificate-request.ts';
import type { Actor } from '../../src/registry/actor.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { activateCertificationAuthority } from '../../src/registry/certification/activate-certification-authority.ts';
import type { CertificationContext } from '../../src/registry/certification/certificate-request.ts';
import type {
  CertificationAuthority,
  GenerateCertificationKey,
} from '../../src/registry/certification/certification-authority.ts';
import {
  createCertificationAuthority,
  type NewCertificationAuthority,
} from '../../src/registry/certification/create-certification-authority.ts';
import type { IssueCertificate } from '../../src/registry/certification/issue-certificate.ts';
import type { ChangeContext } from '../../src/registry/change.ts';
import { AUTHORITY, certificate, der, distinguishedName, ecKey, type KeyPair, keyUsage, pem } from './certificates.ts';
import { type TestRegistry, testSigner } from './registry.ts';

export const issueCertificate: IssueCertificate = createCertificateIssuer({ signer: testSigner, random: randomBytes });

const generateSealedKey = certificationKeys({ signer: testSigner, keyAlgorithm: 'ES256' });

const SIGNS_CERTIFICATES = keyUsage(0x06, 1);

/** A root that signs itself, kept by nobody. */
export interface TestRoot {
  key: KeyPair;
  name: Buffer;
  der: Buffer;
}

export function testRoot(commonName = 'Test Root'): TestRoot {
  const key = ecKey();
  const name = distinguishedName({ CN: commonName });
  return { key, name, der: certificate({ key, subject: name, extensions: [AUTHORITY, SIGNS_CERTIFICATES] }) };
}

let made = 0;

interface CertificationAuthorityPlan extends Partial<NewCertificationAuthority> {
  root?: TestRoot;
  notAfter?: string;
  /** Sealed unless told otherwise. */
  generateKey?: GenerateCertificationKey;
}

/** One that issues for the authority: its key is the signer's, its certificate a root's of the test. */
export async function certificationAuthority(
  registry: TestRegistry,
  authority: Authority,
  { root = testRoot(), notAfter, generateKey = generateSealedKey, ...settings }: CertificationAuthorityPlan = {},
): Promise<CertificationAuthority> {
  const name = `Test Issuing CA ${++made}`;
  const defaults = { generateKey, publicUrl: 'https://fed.example' };
  const pending = await createCertificationAuthority(registry.context(), authority.id, { name, ...settings }, defaults);
  const chain = chainOfRequest(pending.request, { name, root, notAfter });
  return await activateCertificationAuthority(registry.context(), pending.id, chain);
}

/** PEM of what a root makes of the request of one, its own certificate first; valid from 2026 to 2036 unless told otherwise. */
export function chainOfRequest(
  request: Uint8Array | string,
  { name, root = testRoot(), notAfter }: { name: string; root?: TestRoot; notAfter?: string | undefined },
): string {
  const { spki } = parseCertificateRequest(request);
  const own = certificate({
    ...{ issuer: { key: root.key, name: root.name }, subject: distinguishedName({ CN: name }), spki },
    ...(notAfter !== undefined && { notAfter }),
    extensions: [AUTHORITY, SIGNS_CERTIFICATES, { type: '2.5.29.14', value: der(0x04, keyIdentifierOf(spki)) }],
  });
  return pem(own, root.der);
}

/** Someone makes a change that may end in a certificate. */
export function certificationContext(
  registry: TestRegistry,
  by?: Actor,
  changes: Partial<CertificationContext> & Partial<ChangeContext> = {},
): CertificationContext {
  return { ...registry.context(by, changes), issueCertificate, ...changes };
}
