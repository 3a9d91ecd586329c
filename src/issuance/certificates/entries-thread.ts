/** The worker thread that writes the entries of one list of revocations, from the service's side. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RevokedEntry } from '../../pki/revocation-list/write-revocation-list.ts';
import type { EntriesOrder, WrittenEntries } from './entries-worker.ts';

/** Sources run as they are, a built package by its JavaScript. */
const PROGRAM = path.join(import.meta.dirname, `entries-worker${path.extname(import.meta.filename)}`);

export interface EntriesThread extends AsyncDisposable {
  add(revoked: readonly RevokedEntry[]): void;
  /** All that were added. @throws what ended the thread */
  finish(): Promise<WrittenEntries>;
}

/** It gets nothing of ours but what is put on the list. Disposing of it ends it, whatever it does. */
export function startEntriesThread(): EntriesThread {
  const worker = new Worker(PROGRAM, { env: {}, execArgv: [] });
  const written = new Promise<WrittenEntries>((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the thread that writes a list of revocations ended (${code})`)));
  });
  // Whoever reads the entries may fail first; then nobody waits for this one.
  written.catch(() => {});
  const send = (order: EntriesOrder) => worker.postMessage(order);
  return {
    add: send,
    finish: async () => {
      send(null);
      return await written;
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}
