/** Certificate authorities that the operator trusts besides those that Node trusts. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** The environment variable that names the file; complaints name it. */
export const EXTRA_CA_SETTING = 'HOLDFAST_EXTRA_CA_FILE';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the certificates of a PEM file; whatever stands around them is passed over.
 * @param file no file gives no certificates
 * @throws Error that names the setting and says what is wrong with the file
 */
export async function readExtraCas(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const certificates = (await textOf(file)).match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw complaint(`${file} holds no certificate in PEM form (BEGIN CERTIFICATE)`);
  certificates.forEach((certificate, index) => {
    checkCertificate(certificate, `certificate ${index + 1} in ${file}`);
  });
  return certificates;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw complaint(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function checkCertificate(certificate: string, name: string): void {
  try {
    new X509Certificate(certificate);
  } catch (cause) {
    throw complaint(`${name} cannot be read`, cause);
  }
}

function complaint(message: string, cause?: unknown): Error {
  return new Error(`${EXTRA_CA_SETTING}: ${message}`, { cause });
}
