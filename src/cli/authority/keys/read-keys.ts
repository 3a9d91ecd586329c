/** Reads the keys of an authority, and finds the one that a person means. */
import { z } from 'zod';
import type { ApiClient } from '../../api-client.ts';
import { type AuthorityKeyRecord, type AuthorityRecord, authorityKeySchema } from '../../api-records.ts';
import { CommandError } from '../../command-error.ts';

export async function readKeys(client: ApiClient, authorityId: string): Promise<AuthorityKeyRecord[]> {
  const path = `authorities/${authorityId}/keys`;
  const { items } = await client.send({ method: 'GET', path }, z.object({ items: z.array(authorityKeySchema) }));
  return items;
}

/** Shorter beginnings of a kid are too easily those of another. */
const MIN_PREFIX_LENGTH = 8;

/** The key of that `kid`, or whose `kid` alone begins so. @throws CommandError refused, usage */
export function keyMeant(
  keys: readonly AuthorityKeyRecord[],
  given: string,
  { entityIdentifier }: Pick<AuthorityRecord, 'entityIdentifier'>,
): AuthorityKeyRecord {
  const exact = keys.filter(({ kid }) => kid === given);
  const alike = given.length < MIN_PREFIX_LENGTH ? [] : keys.filter(({ kid }) => kid.startsWith(given));
  const [key, another] = exact.length > 0 ? exact : alike;
  if (key !== undefined && another === undefined) return key;
  const hint = '`holdfast authority keys list` shows those that there are.';
  if (key === undefined) {
    throw new CommandError('refused', `${entityIdentifier} has no key ${given}`, { hint, code: 'not_found' });
  }
  throw new CommandError('usage', `several keys begin with ${given}`, { hint, code: 'name_ambiguous' });
}
