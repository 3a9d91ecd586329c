/** Finds the entry of a trust list that a person means. */
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { only } from '../find-record.ts';
import { type TrustListEntryRecord, trustListEntrySchema } from './trust-list-records.ts';

export const ENTRY_ARGUMENT = 'id, name, or the SHA-256 fingerprint of its certificate';

/** @throws CommandError refused, usage */
export async function findTrustListEntry(client: ApiClient, given: string): Promise<TrustListEntryRecord> {
  if (isRecordId(given)) {
    return await client.send({ method: 'GET', path: `trust-list/${given}` }, trustListEntrySchema);
  }
  const { items } = await client.list('trust-list', {}, trustListEntrySchema, { limit: Number.POSITIVE_INFINITY });
  const hex = given.replaceAll(':', '').toLowerCase();
  const fingerprint = /^[0-9a-f]{64}$/.test(hex) ? Buffer.from(hex, 'hex').toString('base64url') : given;
  const meant = items.filter(({ name, x5tS256 }) => name === given || x5tS256 === fingerprint);
  const named = meant.map((entry) => ({ entry, id: entry.id, name: `${entry.name} for ${entry.purpose}` }));
  return only(named, 'trust-list', given).entry;
}
