/** Makes the keys of certification authorities, each with the request for its certificate. */
import { createPublicKey } from 'node:crypto';
import { lintCertificateRequest } from '../../pki/request/lint-certificate-request.ts';
import { writeCertificationRequestInfo } from '../../pki/request/write-certificate-request.ts';
import { isX509Algorithm } from '../../pki/signed/signed-der.ts';
import type {
  CertificationAlgorithm,
  GenerateCertificationKey,
} from '../../registry/certification/certification-authority.ts';
import type { Signer } from '../../signer/signer.ts';

export interface CertificationKeysOptions {
  signer: Signer;
  /** Of other keys of the deployment. */
  keyAlgorithm: string;
}

/** The proof of possession in the request (RFC 2986 §3) is the first thing that the key signs. */
export function certificationKeys({ signer, keyAlgorithm }: CertificationKeysOptions): GenerateCertificationKey {
  return async ({ certificationAuthorityId, alg = certificationAlgorithm(keyAlgorithm), subject }) => {
    const key = await signer.generateKey(certificationAuthorityId, alg, 'certification-authority');
    const spki = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' }).export({ format: 'der', type: 'spki' });
    const linted = lintCertificateRequest(writeCertificationRequestInfo({ subject, spki }), { alg, spki });
    const request = await signer.signDer(key, linted);
    const { kid, publicJwk, sealedPrivateKey, custody = 'sealed', tokenObject = null } = key;
    return { kid, alg, publicJwk, sealedPrivateKey, custody, tokenObject, request };
  };
}

/** RSASSA-PSS is left out: many TLS libraries do not take it in certificates. */
export function certificationAlgorithm(keyAlgorithm: string): CertificationAlgorithm {
  return isX509Algorithm(keyAlgorithm) ? keyAlgorithm : 'RS256';
}
