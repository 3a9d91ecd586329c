/** What reminders say, and what all mails are written with. Names that others chose stand in the text, and in the subject on one line. */

export interface ReminderFacts {
  authority: { name: string; entityIdentifier: string; contacts: readonly string[] };
  legalName: string;
  graceDays: number;
  onLapse: 'none' | 'suspend';
}

export interface MailText {
  subject: string;
  body: string;
}

export function contactReminder(facts: ReminderFacts & { type: string; email: string; days: number }): MailText {
  const { authority, legalName, type, email, days } = facts;
  return {
    subject: oneLine(`Please confirm: ${type} contact of ${legalName}`),
    body: paragraphs(
      `${oneLine(email)} is on record as the ${type} contact of ${oneLine(legalName)} in ${placeOf(authority)}.`,
      `Nobody confirmed that for ${days} days. Please tell the registrar of ${oneLine(authority.name)} that it is still right, or who takes your place; an administrator of ${oneLine(legalName)} can confirm it, too.`,
      ...consequences(facts, 'the contact counts as lapsed', `if ${oneLine(legalName)} has no other`),
      ...reachOf(authority),
      NO_REPLY,
    ),
  };
}

export function certificationReminder(facts: ReminderFacts & { api: string; endsAt: Date }): MailText {
  const { authority, legalName, api, endsAt } = facts;
  return {
    subject: oneLine(`Certification of ${api} ends on ${dayOf(endsAt)}`),
    body: paragraphs(
      `The certification of ${oneLine(api)}, an API of ${oneLine(legalName)} in ${placeOf(authority)}, ends on ${dayOf(endsAt)}.`,
      `Please have it certified anew and tell the registrar of ${oneLine(authority.name)}. From its end on the API is shown as not certified.`,
      ...consequences(facts, undefined, 'with the entity that runs it'),
      ...reachOf(authority),
      NO_REPLY,
    ),
  };
}

export function termsReminder(facts: ReminderFacts & { version: string }): MailText {
  const { authority, legalName, version } = facts;
  return {
    subject: oneLine(`Please accept the terms of ${authority.name}, version ${version}`),
    body: paragraphs(
      `${oneLine(legalName)} takes part in ${placeOf(authority)} and has accepted an earlier version of its terms.`,
      `Version ${oneLine(version)} counts now. Please accept it, and tell the registrar of ${oneLine(authority.name)}.`,
      ...consequences(facts, 'the acceptance counts as lapsed'),
      ...reachOf(authority),
      NO_REPLY,
    ),
  };
}

export const NO_REPLY = 'This mail was made by Holdfast, the directory of the federation; answers to it reach nobody.';

function consequences({ graceDays, onLapse }: ReminderFacts, lapse?: string, condition?: string): string[] {
  const texts = lapse === undefined ? [] : [`After ${graceDays} days ${lapse}.`];
  if (onLapse === 'suspend') {
    const suffix = condition === undefined ? '' : `, ${condition}`;
    texts.push(`${graceDays} days after that the membership is suspended${suffix}.`);
  }
  return texts.length === 0 ? [] : [texts.join(' ')];
}

function reachOf({ name, contacts }: ReminderFacts['authority']): string[] {
  return contacts.length === 0 ? [] : [`${oneLine(name)} is reached at ${contacts.map(oneLine).join(', ')}.`];
}

function placeOf({ name, entityIdentifier }: ReminderFacts['authority']): string {
  return `${oneLine(name)} (${entityIdentifier})`;
}

export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 'YYYY-MM-DD'.length);
}

export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

export function paragraphs(...texts: string[]): string {
  return `${texts.join('\n\n')}\n`;
}
