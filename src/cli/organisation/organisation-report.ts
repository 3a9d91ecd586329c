/** How an organisation and its contacts are shown. */
import type { ContactRecord, OrganisationRecord } from '../api-records.ts';
import { domainText } from '../domain-text.ts';
import type { Report } from '../report.ts';
import { momentText } from '../times.ts';

export const ORGANISATION_COLUMNS = ['ID', 'LEGAL NAME', 'STATE', 'REGISTRATION', 'CONTACTS', 'AUTHORITY'];

export function organisationRow(organisation: OrganisationRecord): string[] {
  const { id, legalName, state, contacts, authorityId } = organisation;
  const addresses = contacts.map(({ email }) => email).join(', ');
  return [id, legalName, state, registrationText(organisation) ?? '-', addresses, authorityId];
}

export function describeOrganisation(report: Report, organisation: OrganisationRecord): void {
  report.heading(organisation.legalName);
  report.facts([
    ['id', organisation.id],
    ['state', organisation.state],
    ['since', momentText(organisation.stateChangedAt)],
    ['reason', organisation.stateReason ?? undefined],
    ['possible', organisation.allowedTransitions.join(', ')],
    ['authority', organisation.authorityId],
    ['registration', registrationText(organisation)],
    ['belongs to', organisation.parentId ?? undefined],
    ['earlier record', organisation.previousId ?? undefined],
    ['tags', organisation.tags.join(', ') || undefined],
    ['version', String(organisation.version)],
    ...organisation.contacts.map((contact) => [`${contact.type} contact`, contactText(contact)] as const),
  ]);
}

function registrationText({ registration }: OrganisationRecord): string | undefined {
  return registration === null
    ? undefined
    : `${registration.number}, ${registration.register}, ${registration.country}`;
}

function contactText(contact: ContactRecord): string {
  return `${addressText(contact)}, ${confirmationText(contact)}`;
}

function addressText({ name, email, internationalDomain }: ContactRecord): string {
  const address = name === null ? email : `${name} <${email}>`;
  const reading = domainText(internationalDomain);
  return reading === undefined ? address : `${address}, reads as ${reading}`;
}

function confirmationText({ lastConfirmedAt }: ContactRecord): string {
  return lastConfirmedAt === null ? 'never confirmed' : `confirmed ${momentText(lastConfirmedAt)}`;
}

export const CONTACT_COLUMNS = ['ID', 'TYPE', 'NAME', 'ADDRESS', 'CONFIRMED'];

export function contactRow({ id, type, name, email, lastConfirmedAt }: ContactRecord): string[] {
  return [id, type, name ?? '-', email, lastConfirmedAt === null ? 'never' : momentText(lastConfirmedAt)];
}

export function describeContact(report: Report, contact: ContactRecord): void {
  report.heading(`${contact.type} contact ${contact.email}`);
  report.facts([
    ['id', contact.id],
    ['name', contact.name ?? undefined],
    ['reads as', domainText(contact.internationalDomain)],
    ['OpenPGP key', contact.pgpFingerprint ?? undefined],
    ['verified', contact.verifiedAt === null ? 'never' : momentText(contact.verifiedAt)],
    ['last confirmed', contact.lastConfirmedAt === null ? 'never' : momentText(contact.lastConfirmedAt)],
    ['version', String(contact.version)],
  ]);
}
