/** Whom to reach: the contacts that the authority asks for. */
import type { EnrolmentFlowStep } from '../../../storage/schema/enrolment-flow.ts';
import type { StepResult } from '../enrolment.ts';
import { failed, passed, type StepSubject } from '../step-subject.ts';

type ContactsSettings = Extract<EnrolmentFlowStep, { step: 'contacts' }>;

export function checkContacts(
  { organisation, authority }: StepSubject,
  { types = authority.requiredContactTypes, confirmed: isConfirmationNeeded = false }: ContactsSettings,
): StepResult {
  const contacts = organisation?.contacts ?? [];
  const ofType = (type: string) => contacts.filter((contact) => contact.type === type);
  const missing = types.filter((type) => ofType(type).length === 0);
  if (missing.length > 0) {
    return failed('contacts', 'contact_missing', `add a contact for ${missing.join(', ')} to the organisation`, {
      missing,
    });
  }
  const unconfirmed = types.filter((type) => ofType(type).every(({ lastConfirmedAt }) => lastConfirmedAt === null));
  if (isConfirmationNeeded && unconfirmed.length > 0) {
    const detail = `nobody confirmed a contact for ${unconfirmed.join(', ')} yet`;
    return failed('contacts', 'contact_unconfirmed', detail, { unconfirmed });
  }
  const evidence = {
    contacts: types.flatMap(ofType).map(({ type, email, lastConfirmedAt }) => ({
      ...{ type, email },
      isConfirmed: lastConfirmedAt !== null,
    })),
  };
  const detail = types.length === 0 ? 'none is asked for' : `there is one for ${types.join(', ')}`;
  return passed('contacts', { detail, evidence });
}
