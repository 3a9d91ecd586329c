/** Writes contacts inside the transaction of the verb that adds them. */
import type { Tx } from '../../../storage/connect.ts';
import { contacts } from '../../../storage/schema/contacts.ts';
import { RegistryError } from '../../registry-error.ts';
import { type Contact, MAX_CONTACTS, type NewContact } from './contact.ts';

export async function insertContact(
  tx: Tx,
  { id, organisationId, now }: { id: string; organisationId: string; now: Date },
  { type, email, name = null, pgpFingerprint = null }: NewContact,
): Promise<Contact> {
  const unconfirmed = { verifiedAt: null, lastConfirmedAt: null };
  const fields = { type, email, name, pgpFingerprint };
  const contact = { id, organisationId, ...fields, ...unconfirmed, version: 1, createdAt: now, removedAt: null };
  await tx.insert(contacts).values(contact);
  return contact;
}

/** @throws RegistryError limit_reached */
export function requireRoomForContacts(count: number): void {
  if (count <= MAX_CONTACTS) return;
  throw new RegistryError('limit_reached', `an organisation has at most ${MAX_CONTACTS} contacts; remove one first`);
}
