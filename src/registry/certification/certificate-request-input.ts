/** What somebody hands in as a request for a certificate: PKCS#10 whose signature shows that he has the private key. */
import { CertificateError } from '../../pki/certificate-error.ts';
import { type CertificateRequest, parseCertificateRequest } from '../../pki/request/parse-certificate-request.ts';
import { refusedField } from '../certificate-input.ts';
import { RegistryError } from '../registry-error.ts';

export type ParsedRequest = CertificateRequest;

const FIELD = '/request';

/**
 * @param given DER, or PEM
 * @throws RegistryError csr_signature_invalid, weak_key, validation_failed with the `reason` of a CertificateError
 */
export function inputCertificateRequest(given: Uint8Array | string): ParsedRequest {
  try {
    return parseCertificateRequest(given);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const { reason, message } = error;
    if (reason !== 'csr_signature_invalid' && reason !== 'weak_key') throw refusedField(FIELD, reason, message);
    const detail = message;
    throw new RegistryError(reason, `${FIELD} ${detail}`, { errors: [{ pointer: FIELD, detail }], reason });
  }
}
