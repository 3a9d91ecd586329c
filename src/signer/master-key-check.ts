/** Tells, before any key is touched, whether a master key is the one that sealed the keys of a database. */
import { type MasterKey, UnsealError } from './sealing.ts';

const CONTEXT = { owner: 'deployment', kid: 'master-key-check', purpose: 'check' } as const;
const TEXT = new TextEncoder().encode('holdfast');

export function makeMasterKeyCheck(masterKey: MasterKey): string {
  return Buffer.from(masterKey.seal(TEXT, CONTEXT)).toString('base64url');
}

export function masterKeyMatches(masterKey: MasterKey, check: string): boolean {
  try {
    masterKey.unseal(Buffer.from(check, 'base64url'), CONTEXT);
    return true;
  } catch (error) {
    if (error instanceof UnsealError) return false;
    throw error;
  }
}
