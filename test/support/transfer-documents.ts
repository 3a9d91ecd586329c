/** Exports read back, as documents that can be imported. */
import { text } from 'node:stream/consumers';
import type { ExportDocument, Records } from '../../scripts/bench/samples/federation-document.ts';
import type { JsonObject } from '../../src/federation/json.ts';
import type { Actor } from '../../src/registry/actor.ts';
import { exportRegistry } from '../../src/registry/transfer/export-registry.ts';
import type { KindName } from '../../src/registry/transfer/record-kind.ts';
import type { Db } from '../../src/storage/connect.ts';

/** The export as a document, and the change that it shows. */
export async function exportedDocument(db: Db, by: Actor): Promise<ExportDocument & { seq: number }> {
  const lines = (await text(await exportRegistry(db, by)))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [head, end] = [lines.shift(), lines.pop()];
  const records: Records = {};
  for (const { kind, record } of lines) {
    const known = records[kind as KindName];
    if (known === undefined) records[kind as KindName] = [record];
    else known.push(record);
  }
  if (end.records !== lines.length) throw new Error('the export broke off');
  return { format: head.format, seq: head.seq, records };
}

/** What two exports agree in: when a key of an authority stopped to verify is a time of their own. */
export function comparable({ records }: ExportDocument): Records {
  const authorities = (records.authorities ?? []).map((authority) => ({
    ...authority,
    keys: (authority['keys'] as JsonObject[]).map((key) => ({ ...key, expiresAt: null })),
  }));
  return JSON.parse(JSON.stringify({ ...records, authorities }));
}
