/** Organisations as records. */
import type { JsonObject } from '../../federation/json.ts';
import type { organisations } from '../../storage/schema/organisations.ts';
import type { Contact } from './contacts/contact.ts';
import { type Registration, registrationOf } from './registration.ts';

export type OrganisationRow = typeof organisations.$inferSelect;

export interface Organisation extends OrganisationRow {
  /** Those that were not removed, oldest first. */
  contacts: Contact[];
}

/** What a registrar says of an organisation. */
export interface OrganisationFields {
  legalName: string;
  /** null: none is known. */
  registration: Registration | null;
  parentId: string | null;
  tags: string[];
}

/** The record as the audit keeps it; contacts have rows of their own. */
export function organisationSnapshot(organisation: OrganisationRow): JsonObject {
  const { legalName, previousId, parentId, tags, state, stateReason, stateReasonCode, suspendedUntil } = organisation;
  const registration = registrationOf(organisation);
  return {
    legalName,
    registration: registration && { ...registration },
    previousId,
    parentId,
    tags,
    state,
    stateReason,
    stateReasonCode,
    suspendedUntil: suspendedUntil?.toISOString() ?? null,
  };
}
