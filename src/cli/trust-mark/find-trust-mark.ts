/** Finds the Trust Mark record that a person means: by its id, or by its type and subject. */
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import {
  type TrustMarkDelegationRecord,
  type TrustMarkRecord,
  type TrustMarkTypeRecord,
  trustMarkDelegationSchema,
  trustMarkSchema,
  trustMarkTypeSchema,
} from './trust-mark-records.ts';

const EVERYTHING = { limit: Number.POSITIVE_INFINITY };

/** @param given id, or the name of the type where only one authority has it @throws CommandError refused, usage */
export async function findTrustMarkType(client: ApiClient, given: string): Promise<TrustMarkTypeRecord> {
  if (isRecordId(given)) {
    return await client.send({ method: 'GET', path: `trust-mark-types/${given}` }, trustMarkTypeSchema);
  }
  const { items } = await client.list('trust-mark-types', { trustMarkType: given }, trustMarkTypeSchema, EVERYTHING);
  return theOne(items, 'Trust Mark type', given, 'holdfast trust-mark type list');
}

/** The open mark of a type and subject, else the latest closed one. @throws CommandError refused, usage */
export async function findTrustMark(client: ApiClient, given: string, type?: string): Promise<TrustMarkRecord> {
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `trust-marks/${given}` }, trustMarkSchema);
  const typeId = type === undefined ? undefined : (await findTrustMarkType(client, type)).id;
  const { items } = await client.list('trust-marks', { subject: given, typeId }, trustMarkSchema, EVERYTHING);
  const open = items.filter(({ state }) => state === 'pending' || state === 'active');
  const meant = open.length > 0 ? open : items.slice(-1);
  return theOne(meant, 'Trust Mark of', given, 'holdfast trust-mark list');
}

/** @throws CommandError refused */
export async function findDelegation(client: ApiClient, id: string): Promise<TrustMarkDelegationRecord> {
  return await client.send({ method: 'GET', path: `trust-mark-delegations/${id}` }, trustMarkDelegationSchema);
}

function theOne<T extends { id: string; trustMarkType: string }>(
  records: readonly T[],
  kind: string,
  given: string,
  lister: string,
): T {
  const [record, another] = records;
  if (record !== undefined && another === undefined) return record;
  if (record === undefined) {
    const hint = `\`${lister}\` shows those that there are.`;
    throw new CommandError('refused', `there is no ${kind} ${given}`, { hint, code: 'not_found' });
  }
  const candidates = records.map(({ id, trustMarkType }) => `${id} (${trustMarkType})`).join(', ');
  throw new CommandError('usage', `several are meant by ${given}: ${candidates}`, {
    hint: 'Name the one you mean by its id, or the type with --type.',
    code: 'name_ambiguous',
  });
}
