/** How an organisation is shown. */
import type { OrganisationRecord } from '../api-records.ts';
import type { Report } from '../report.ts';
import { momentText } from '../times.ts';

export const ORGANISATION_COLUMNS = ['ID', 'NAME', 'STATE', 'CONTACTS', 'AUTHORITY'];

export function organisationRow({ id, name, state, contacts, authorityId }: OrganisationRecord): string[] {
  return [id, name, state, contacts.map(({ email }) => email).join(', '), authorityId];
}

export function describeOrganisation(report: Report, organisation: OrganisationRecord): void {
  report.heading(organisation.name);
  report.facts([
    ['id', organisation.id],
    ['state', organisation.state],
    ['since', momentText(organisation.stateChangedAt)],
    ['reason', organisation.stateReason ?? undefined],
    ['possible', organisation.allowedTransitions.join(', ')],
    ['authority', organisation.authorityId],
    ['version', String(organisation.version)],
    ...organisation.contacts.map((contact) => [`${contact.type} contact`, addressText(contact)] as const),
  ]);
}

function addressText({ name, email }: OrganisationRecord['contacts'][number]): string {
  return name === undefined ? email : `${name} <${email}>`;
}
