/** A certificate that we show to servers, with its key, from the operator's files. */
import { createPrivateKey, hash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface ClientCertificate {
  /** PEM, the certificate itself first, then those of its issuers if the file has them. */
  certificate: string;
  /** PEM. */
  key: string;
  /** `x5t#S256` of RFC 8705. */
  x5tS256: string;
}

/**
 * @param settings what the files are named by; complaints name it
 * @throws Error that says what is wrong with the files, never what is in them
 */
export async function readClientCertificate(
  certificateFile: string,
  keyFile: string,
  settings: string,
): Promise<ClientCertificate> {
  try {
    const [certificate, key] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')]);
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not that of the certificate');
    return { certificate, key, x5tS256: hash('sha256', parsed.raw, 'base64url') };
  } catch (cause) {
    throw new Error(`${settings}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
