/** Writes reminders to those whose confirmation is due: each once, with an audit row, for whichever node sends it. */
import { type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { authorise } from '../../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry } from '../../change.ts';
import type { Action } from '../../events/event-types.ts';
import { writeMail } from '../outgoing-mails.ts';
import {
  API_NAME,
  at,
  CONTACT_OCCASION,
  certifiedApis,
  days,
  dueContacts,
  milliseconds,
  OUTDATED_TERMS,
  TERMS_REMINDER,
  TERMS_VERSION,
} from './attested.ts';
import {
  certificationReminder,
  contactReminder,
  type MailText,
  type ReminderFacts,
  termsReminder,
} from './reminder-mails.ts';

/** Of each kind in one change; the others follow in the next. */
const BATCH = 100;

/**
 * One round.
 * @returns how many mails were written; there may be more to come
 * @throws RegistryError role_missing
 */
export async function remindMembers(context: ChangeContext): Promise<number> {
  authorise(context.actor, ['admin'], null);
  return await changeRegistry(context, async (tx, record) => {
    let written = 0;
    for (const { occasion, recipient, text, entry } of [
      ...(await contactReminders(tx, context.now)),
      ...(await certificationReminders(tx, context.now)),
      ...(await termsReminders(tx)),
    ]) {
      const mail = { id: context.newId(), authorityId: entry.authorityId, occasion, recipient, ...text };
      if (!(await writeMail(tx, mail, context.now))) continue;
      written++;
      record({ ...entry, after: { mail: mail.id }, reason: text.subject });
    }
    return written;
  });
}

interface Reminder {
  occasion: string;
  recipient: string;
  text: MailText;
  entry: Pick<AuditEntry, 'action' | 'subjectKind' | 'subjectId'> & { authorityId: string };
}

/** What all reminders need to know; the columns of the tables that the conditions join. */
const FACTS = sql`authorities.id AS "authorityId", authorities.name AS "authorityName",
  authorities.entity_identifier AS "authorityIdentifier", authorities.lapse_grace_days AS "graceDays",
  authorities.on_lapse AS "onLapse", authorities.metadata -> 'contacts' AS "authorityContacts", organisations.legal_name AS "legalName", contacts.email AS recipient`;

interface FactsRow extends Record<string, unknown> {
  occasion: string;
  subjectId: string;
  authorityId: string;
  authorityName: string;
  authorityIdentifier: string;
  /** As its Entity Configuration has them. */
  authorityContacts: unknown;
  graceDays: number;
  onLapse: ReminderFacts['onLapse'];
  legalName: string;
  recipient: string;
}

function unwritten(occasion: SQL): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM outgoing_mails WHERE outgoing_mails.occasion = ${occasion})`;
}

async function contactReminders(tx: Tx, now: Date): Promise<Reminder[]> {
  const { rows } = await tx.execute<FactsRow & { type: string; days: number }>(sql`
    SELECT ${FACTS}, ${CONTACT_OCCASION} AS occasion, contacts.id AS "subjectId", contacts.type,
      authorities.contact_confirmation_days AS days
    FROM ${dueContacts(now)} AND ${unwritten(CONTACT_OCCASION)}
    ORDER BY contacts.id LIMIT ${BATCH}`);
  return rows.map((row) => ({
    ...placeOf(row, 'contact.remind', 'contact'),
    text: contactReminder({ ...factsOf(row), type: row.type, email: row.recipient, days: row.days }),
  }));
}

/** To whoever sees to business and technology, as long before the end as is granted after it. */
async function certificationReminders(tx: Tx, now: Date): Promise<Reminder[]> {
  const end = sql`api_resources.certification_to`;
  const occasion = sql`'certification:' || api_resources.id || ':' || ${milliseconds(end)} || ':' || contacts.id`;
  const { rows } = await tx.execute<FactsRow & { api: string; endsAtMs: string | number }>(sql`
    SELECT ${FACTS}, ${occasion} AS occasion, api_resources.id AS "subjectId", ${API_NAME} AS api,
      ${milliseconds(end)} AS "endsAtMs"
    FROM contacts, ${certifiedApis(now)}
      AND contacts.organisation_id = organisations.id AND contacts.removed_at IS NULL
      AND contacts.type IN ('business', 'technical')
      AND authorities.contact_confirmation_days IS NOT NULL
      AND ${end} > ${at(now)} AND ${end} - ${days(sql`authorities.lapse_grace_days`)} <= ${at(now)}
      AND ${unwritten(occasion)}
    ORDER BY api_resources.id, contacts.id LIMIT ${BATCH}`);
  return rows.map((row) => ({
    ...placeOf(row, 'api_resource.remind', 'api_resource'),
    text: certificationReminder({ ...factsOf(row), api: row.api, endsAt: new Date(Number(row.endsAtMs)) }),
  }));
}

async function termsReminders(tx: Tx): Promise<Reminder[]> {
  const { rows } = await tx.execute<FactsRow & { version: string }>(sql`
    SELECT ${FACTS}, ${TERMS_REMINDER} AS occasion, organisations.id AS "subjectId", ${TERMS_VERSION} AS version
    FROM contacts, ${OUTDATED_TERMS}
      AND contacts.organisation_id = organisations.id AND contacts.removed_at IS NULL AND contacts.type = 'business'
      AND authorities.contact_confirmation_days IS NOT NULL
      AND ${unwritten(TERMS_REMINDER)}
    ORDER BY organisations.id, contacts.id LIMIT ${BATCH}`);
  return rows.map((row) => ({
    ...placeOf(row, 'organisation.remind', 'organisation'),
    text: termsReminder({ ...factsOf(row), version: row.version }),
  }));
}

function placeOf(
  { occasion, recipient, authorityId, subjectId }: FactsRow,
  action: Action,
  subjectKind: AuditEntry['subjectKind'],
): Omit<Reminder, 'text'> {
  return { occasion, recipient, entry: { action, authorityId, subjectKind, subjectId } };
}

function factsOf(row: FactsRow): ReminderFacts {
  const { authorityName: name, authorityIdentifier: entityIdentifier, legalName, graceDays, onLapse } = row;
  const given: unknown[] = Array.isArray(row.authorityContacts) ? row.authorityContacts : [];
  const contacts = given.filter((contact) => typeof contact === 'string');
  return { authority: { name, entityIdentifier, contacts }, legalName, graceDays, onLapse };
}
