/** Finds the certification authority that a person means. */
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { only } from '../find-record.ts';
import { type CertificationAuthorityRecord, certificationAuthoritySchema } from './ca-records.ts';

export const CA_ARGUMENT = 'id, or name';

const EVERYTHING = { limit: Number.POSITIVE_INFINITY };

/** @throws CommandError refused, usage */
export async function findCa(client: ApiClient, given: string): Promise<CertificationAuthorityRecord> {
  if (isRecordId(given)) {
    return await client.send(
      { method: 'GET', path: `certification-authorities/${given}` },
      certificationAuthoritySchema,
    );
  }
  return only(await casNamed(client, given), 'ca', given);
}

/** Names differ by more than their capitals within one authority. */
export async function casNamed(
  client: ApiClient,
  name: string,
  authorityId?: string,
): Promise<CertificationAuthorityRecord[]> {
  const query = { authorityId };
  const { items } = await client.list('certification-authorities', query, certificationAuthoritySchema, EVERYTHING);
  return items.filter((record) => record.name.toLowerCase() === name.toLowerCase());
}
