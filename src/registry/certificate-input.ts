/** What is wrong with a certificate or key that somebody hands in, at its field of the request. */
import { CertificateError } from '../pki/certificate-error.ts';
import { RegistryError } from './registry-error.ts';

/** @throws RegistryError validation_failed, with the `reason` of a CertificateError */
export function asField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw refusedField(field, error.reason, error.message);
  }
}

export function refusedField(pointer: string, reason: string, detail: string): RegistryError {
  return new RegistryError('validation_failed', `${pointer} ${detail}`, { errors: [{ pointer, detail }], reason });
}
