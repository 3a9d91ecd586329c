/** Tells of certificates that end soon and have no successor: an event and mails at 30, 14, 7 and 1 days, once each. */
import { type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { certificateReminders } from '../../storage/schema/certificate-requests.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { at } from '../life-cycle/attestation/attested.ts';
import { writeMail } from '../life-cycle/outgoing-mails.ts';
import { expiryReminder } from './expiry-reminder.ts';

/** Before the end of a certificate. */
export const REMINDER_DAYS = [30, 14, 7, 1] as const;

/** Certificates in one change; the others follow in the next. */
const BATCH = 100;

interface ExpiringRow extends Record<string, unknown> {
  credentialId: string;
  authorityId: string;
  days: number;
  notAfterMs: string | number;
  usage: string;
  name: string;
  entityIdentifier: string;
  organisationId: string;
  legalName: string;
  authorityName: string;
  isIssued: boolean;
}

/**
 * One round. Whoever comes late tells the nearest number of days alone, and of a certificate whose whole life is shorter
 * than a number of days nobody is told that it has so many left.
 * @returns how many certificates were told of; there may be more
 * @throws RegistryError role_missing
 */
export async function remindOfExpiry(context: ChangeContext): Promise<number> {
  authorise(context.actor, ['admin'], null);
  return await changeRegistry(context, async (tx, record) => {
    let told = 0;
    for (const row of await dueCertificates(tx, context.now)) {
      if (!(await claim(tx, row, context.now))) continue;
      told++;
      const notAfter = new Date(Number(row.notAfterMs));
      for (const contact of await contactsOf(tx, row.organisationId)) {
        const occasion = `credential:${row.credentialId}:${row.days}:${contact.id}`;
        const mail = { id: context.newId(), authorityId: row.authorityId, occasion, recipient: contact.email };
        await writeMail(tx, { ...mail, ...expiryReminder({ ...row, notAfter }) }, context.now);
      }
      record({
        action: 'credential.remind',
        authorityId: row.authorityId,
        subjectKind: 'credential',
        subjectId: row.credentialId,
        after: { days: row.days, notAfter: notAfter.toISOString() },
      });
    }
    return told;
  });
}

/** Of nodes that do so at once one tells. */
async function claim(tx: Tx, { credentialId, days }: ExpiringRow, now: Date): Promise<boolean> {
  const claimed = await tx
    .insert(certificateReminders)
    .values({ credentialId, days, toldAt: now })
    .onConflictDoNothing()
    .returning({ days: certificateReminders.days });
  return claimed.length > 0;
}

async function dueCertificates(tx: Tx, now: Date): Promise<ExpiringRow[]> {
  const ahead = (days: SQL) => sql`credentials.not_after - make_interval(days => ${days})`;
  const due = sql`(SELECT min(days) FROM unnest(ARRAY[${sql.raw(REMINDER_DAYS.join(', '))}]) AS days
    WHERE ${ahead(sql`days`)} <= ${at(now)} AND ${ahead(sql`days`)} > credentials.not_before)`;
  const { rows } = await tx.execute<ExpiringRow>(sql`
    SELECT credentials.id AS "credentialId", credentials.authority_id AS "authorityId", due.days,
      (extract(epoch FROM credentials.not_after) * 1000)::bigint AS "notAfterMs", credentials.usage,
      coalesce(nullif(credentials.subject, ''), credentials.kid) AS name, credentials.source = 'issued' AS "isIssued",
      entities.entity_identifier AS "entityIdentifier", organisations.id AS "organisationId",
      organisations.legal_name AS "legalName", authorities.name AS "authorityName"
    FROM credentials
    JOIN entities ON entities.id = credentials.entity_id
    JOIN organisations ON organisations.id = entities.organisation_id
    JOIN authorities ON authorities.id = credentials.authority_id
    CROSS JOIN LATERAL (SELECT ${due} AS days) AS due
    WHERE credentials.state <> 'revoked' AND credentials.kind = 'x509' AND credentials.superseded_at IS NULL
      AND credentials.not_after > ${at(now)}
      AND credentials.not_after <= ${at(now)} + make_interval(days => ${REMINDER_DAYS[0]})
      AND entities.state IN ('active', 'suspended') AND organisations.state IN ('active', 'suspended')
      AND due.days IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM certificate_reminders AS told
        WHERE told.credential_id = credentials.id AND told.days <= due.days)
    ORDER BY credentials.not_after, credentials.id LIMIT ${BATCH}`);
  return rows;
}

/** Those who see to machines; where there are none, whoever is there. */
async function contactsOf(tx: Tx, organisationId: string): Promise<{ id: string; email: string }[]> {
  const { rows } = await tx.execute<{ id: string; email: string; type: string }>(sql`
    SELECT id, email, type FROM contacts WHERE organisation_id = ${organisationId} AND removed_at IS NULL ORDER BY id`);
  const technical = rows.filter(({ type }) => type === 'technical');
  return technical.length > 0 ? technical : rows.filter(({ type }) => type !== 'billing');
}
