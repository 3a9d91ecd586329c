/** Organisations as records. */
import type { JsonObject } from '../../federation/json.ts';
import type { Contact, organisations } from '../../storage/schema/organisations.ts';

export type Organisation = typeof organisations.$inferSelect;

export interface OrganisationFields {
  name: string;
  contacts: Contact[];
}

export function organisationSnapshot({ name, contacts, state, stateReason }: Organisation): JsonObject {
  return { name, contacts: contacts.map((contact) => ({ ...contact })), state, stateReason };
}
