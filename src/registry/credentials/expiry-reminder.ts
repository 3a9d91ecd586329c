/** What is written to those whose certificate ends soon. */
import { dayOf, type MailText, NO_REPLY, oneLine, paragraphs } from '../life-cycle/attestation/reminder-mails.ts';

export interface ExpiryFacts {
  usage: string;
  /** Subject of the certificate, or the kid of its key. */
  name: string;
  entityIdentifier: string;
  legalName: string;
  authorityName: string;
  /** Before its end. */
  days: number;
  notAfter: Date;
  /** Whether we issued it. */
  isIssued: boolean;
}

export function expiryReminder(facts: ExpiryFacts): MailText {
  const { usage, name, entityIdentifier, legalName, authorityName, days, notAfter, isIssued } = facts;
  const wayOut = isIssued
    ? 'Renew it over EST (simplereenroll) with the certificate itself, or with `holdfast certificate request --replaces`.'
    : `Have it issued anew, and tell ${oneLine(authorityName)} with \`holdfast credential replace\`.`;
  return {
    subject: oneLine(`The ${usage} certificate of ${entityIdentifier} ends on ${dayOf(notAfter)}`),
    body: paragraphs(
      `The ${usage} certificate ${oneLine(name)} of ${entityIdentifier}, an application of ${oneLine(legalName)}, ends on ${dayOf(notAfter)}, in ${days === 1 ? 'a day' : `${days} days`} or less. Nothing takes its place yet.`,
      `From its end on the application is admitted nowhere with it. ${wayOut}`,
      NO_REPLY,
    ),
  };
}
