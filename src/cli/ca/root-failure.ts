/** What goes wrong with a root, as the outcome of a command. */
import { CertificateError } from '../../pki/certificate-error.ts';
import { OfflineRootError } from '../../signer/offline-root.ts';
import { CommandError } from '../command-error.ts';

/** @throws CommandError usage for what is wrong with the folder, the passphrase or what is to be certified */
export async function asOfRoot<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OfflineRootError) throw new CommandError('usage', error.message, { code: 'root_unusable' });
    if (!(error instanceof CertificateError)) throw error;
    throw new CommandError('usage', `cannot certify that: what was asked for ${error.message}`, { code: error.reason });
  }
}
