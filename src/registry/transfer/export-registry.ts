/** Exports the registry: every record of one moment, public keys only, nothing that is secret or worthless elsewhere. */

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGunzip, createGzip } from 'node:zlib';
import { canonicalJson, type JsonValue } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { registryCounter } from '../../storage/schema/registry-counter.ts';
import { ACCESS } from '../access.ts';
import { type Actor, authorise } from '../actor.ts';
import { membersOf } from './record-kind.ts';
import { RECORD_KINDS } from './record-kinds.ts';

/** What this version writes and reads. */
export const EXPORT_FORMAT = 'holdfast-export-2';

const RECORDS_AT_A_TIME = 500;

/**
 * The export as lines of JSON: `format` and `seq`, then `kind` and `record` each, at the end how many `records` there
 * were. All of it is of one snapshot, which is read as fast as the database gives it and kept compressed: a slow reader
 * holds no transaction.
 * @throws RegistryError role_missing
 */
export async function exportRegistry(db: Db, actor: Actor): Promise<AsyncIterable<Uint8Array>> {
  authorise(actor, ACCESS.exportRegistry.roles, null);
  const compressed = await db.transaction((tx) => buffer(Readable.from(linesOf(tx)).pipe(createGzip({ level: 1 }))), {
    isolationLevel: 'repeatable read',
    accessMode: 'read only',
  });
  return Readable.from([compressed]).pipe(createGunzip());
}

async function* linesOf(tx: Tx): AsyncGenerator<string> {
  const [counter] = await tx.select({ seq: registryCounter.seq }).from(registryCounter);
  if (counter === undefined) throw new Error('the registry counter is missing; restore the database');
  yield lineOf({ format: EXPORT_FORMAT, seq: counter.seq });
  let count = 0;
  for (const kind of RECORD_KINDS) {
    for (let after: string | null = null; ; ) {
      const records = await kind.read(tx, { after, limit: RECORDS_AT_A_TIME });
      count += records.length;
      yield records.map((record) => lineOf({ kind: kind.name, record: membersOf(record) })).join('');
      if (records.length < RECORDS_AT_A_TIME) break;
      after = records.at(-1)?.id ?? null;
    }
  }
  yield lineOf({ records: count });
}

/** What some readers take for the end of a line JSON leaves as it is within texts. */
function lineOf(value: JsonValue): string {
  const json = canonicalJson(value).replace(/[\u0085\u2028\u2029]/g, (end) => {
    return `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `${json}\n`;
}
