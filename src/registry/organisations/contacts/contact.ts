/** Contacts as records of their own: each is confirmed, and changed, by itself. */
import type { JsonObject } from '../../../federation/json.ts';
import type { ContactType, contacts } from '../../../storage/schema/contacts.ts';

export type Contact = typeof contacts.$inferSelect;

export const CONTACT_TYPES = [
  'business',
  'technical',
  'security',
  'incident',
  'billing',
] as const satisfies readonly ContactType[];

/** Most contacts of an organisation. */
export const MAX_CONTACTS = 50;

export interface ContactFields {
  type: ContactType;
  email: string;
  name: string | null;
  pgpFingerprint: string | null;
}

/** What a contact begins with: type and address are enough. */
export type NewContact = Pick<ContactFields, 'type' | 'email'> & Partial<ContactFields>;

export function contactSnapshot(contact: Contact): JsonObject {
  const { organisationId, type, name, email, pgpFingerprint, verifiedAt, lastConfirmedAt, removedAt } = contact;
  return {
    organisationId,
    type,
    name,
    email,
    pgpFingerprint,
    verifiedAt: verifiedAt?.toISOString() ?? null,
    lastConfirmedAt: lastConfirmedAt?.toISOString() ?? null,
    removedAt: removedAt?.toISOString() ?? null,
  };
}
