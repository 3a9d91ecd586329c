/** Finds the credential that a person means. */
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { only } from '../find-record.ts';
import { type CredentialRecord, credentialSchema } from './credential-records.ts';

const EVERYTHING = { limit: Number.POSITIVE_INFINITY };
const FINAL = ['superseded', 'expired', 'revoked'];

/** @param given id, or the fingerprint of a certificate @throws CommandError refused, usage */
export async function findCredential(client: ApiClient, given: string): Promise<CredentialRecord> {
  const id = isRecordId(given) ? given : await idOfCertificate(client, fingerprint(given));
  return await client.send({ method: 'GET', path: `credentials/${id}` }, credentialSchema);
}

/** Of several records of a certificate the one that may count. */
async function idOfCertificate(client: ApiClient, x5tS256: string): Promise<string> {
  const { items } = await client.list('credentials', { x5tS256 }, credentialSchema, EVERYTHING);
  const open = items.filter(({ state }) => !FINAL.includes(state));
  const named = (open.length > 0 ? open : items).map((item) => ({
    ...item,
    name: `${item.usage} of ${item.entityId}`,
  }));
  return only(named, 'credential', x5tS256).id;
}

/**
 * `x5t#S256` as it is, or the SHA-256 fingerprint that `openssl x509 -fingerprint -sha256` shows.
 * @throws CommandError usage
 */
export function fingerprint(given: string): string {
  if (/^[A-Za-z0-9_-]{43}$/.test(given)) return given;
  const hex = given.replace(/^.*=/, '').replaceAll(':', '');
  if (/^[0-9A-Fa-f]{64}$/.test(hex)) return Buffer.from(hex, 'hex').toString('base64url');
  throw new CommandError('usage', `${given} is neither the id of a credential nor the SHA-256 of a certificate`, {
    hint: '`holdfast credential list` shows ids; `openssl x509 -noout -fingerprint -sha256 -in FILE` the other.',
  });
}
