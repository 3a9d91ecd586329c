/** Program of a worker thread: writes the entries of a list of revocations, very many of them, beside the event loop. */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { type RevokedEntry, writeEntries } from '../../pki/revocation-list/write-revocation-list.ts';

/** Entries as they are read, and null after the last. */
export type EntriesOrder = readonly RevokedEntry[] | null;

export interface WrittenEntries {
  /** See writeEntries. */
  entries: Uint8Array;
  count: number;
  /** SHA-256 of them, base64url. */
  digest: string;
}

export function writtenEntries(revoked: readonly RevokedEntry[]): WrittenEntries {
  const entries = writeEntries(revoked);
  return { entries, count: revoked.length, digest: createHash('sha256').update(entries).digest('base64url') };
}

const gathered: RevokedEntry[] = [];

parentPort?.on('message', (order: EntriesOrder) => {
  if (order !== null) {
    for (const entry of order) gathered.push(entry);
    return;
  }
  const { entries, ...written } = writtenEntries(gathered);
  // A copy of its own: what Buffer.concat gives may stand in memory that cannot be handed over.
  const own = Uint8Array.from(entries);
  parentPort?.postMessage({ ...written, entries: own } satisfies WrittenEntries, [own.buffer]);
  parentPort?.close();
});
