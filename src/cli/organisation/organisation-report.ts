/** How an organisation and its contacts are shown. */
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import type { ContactRecord, OrganisationRecord } from '../api-records.ts';
import { domainText } from '../domain-text.ts';
import { reasonText } from '../reason-text.ts';
import type { Report } from '../report.ts';
import { momentText } from '../times.ts';

export const ORGANISATION_COLUMNS = ['ID', 'LEGAL NAME', 'STATE', 'REGISTRATION', 'CONTACTS', 'AUTHORITY'];

export function organisationRow(organisation: OrganisationRecord): string[] {
  const { id, legalName, state, contacts, authorityId } = organisation;
  const addresses = contacts.map(({ email }) => email).join(', ');
  return [id, legalName, state, registrationText(organisation) ?? '-', addresses, authorityId];
}

export function describeOrganisation(
  report: Report,
  organisation: OrganisationRecord,
  { domains, terms }: OrganisationProofs = { domains: [], terms: [] },
): void {
  report.heading(organisation.legalName);
  report.facts([
    ['id', organisation.id],
    ['state', organisation.state],
    ['since', momentText(organisation.stateChangedAt)],
    ['reason', reasonText(organisation)],
    ['suspended until', organisation.suspendedUntil ? momentText(organisation.suspendedUntil) : undefined],
    ['possible', organisation.allowedTransitions.join(', ')],
    ['authority', organisation.authorityId],
    ['registration', registrationText(organisation)],
    ['belongs to', organisation.parentId ?? undefined],
    ['earlier record', organisation.previousId ?? undefined],
    ['tags', organisation.tags.join(', ') || undefined],
    ['version', String(organisation.version)],
    ...organisation.contacts.map((contact) => [`${contact.type} contact`, contactText(contact)] as const),
    ...domains.map(
      (one) => ['proven domain', `${one.domain}, by ${one.method}, ${momentText(one.verifiedAt)}`] as const,
    ),
    ...terms.map((one) => ['accepted terms', `${one.version}, by ${one.acceptedBy}, ${acceptedText(one)}`] as const),
  ]);
}

const domainsSchema = z.looseObject({
  items: z.array(z.looseObject({ domain: z.string(), method: z.string(), verifiedAt: z.string() })),
});

const termsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      version: z.string(),
      acceptedBy: z.string(),
      acceptedAt: z.string(),
      withdrawnAt: z.string().nullable(),
    }),
  ),
});

function acceptedText({ acceptedAt, withdrawnAt }: OrganisationProofs['terms'][number]): string {
  const accepted = momentText(acceptedAt);
  return withdrawnAt === null ? accepted : `${accepted}, taken back ${momentText(withdrawnAt)}`;
}

/** What an organisation proved and accepted. */
export interface OrganisationProofs {
  domains: z.infer<typeof domainsSchema>['items'];
  terms: z.infer<typeof termsSchema>['items'];
}

export async function readProofs(client: ApiClient, { id }: OrganisationRecord): Promise<OrganisationProofs> {
  const { items: domains } = await client.send({ method: 'GET', path: `organisations/${id}/domains` }, domainsSchema);
  const { items: terms } = await client.send({ method: 'GET', path: `organisations/${id}/terms` }, termsSchema);
  return { domains, terms };
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
