/** Four eyes: who had a hand in what is to be approved, by what the audit says. */
import { and, eq, inArray, or, sql } from 'drizzle-orm';
import type { Db } from '../storage/connect.ts';
import { audit } from '../storage/schema/audit.ts';
import type { Actor } from './actor.ts';

/** Whatever settles what is approved; to add a record is told by the record itself. */
const CHANGES = {
  enrolment: ['enrolment.draft', 'enrolment.submit', 'enrolment.update'],
  entity: [
    ...['entity.update', 'entity.give_role', 'entity.take_role', 'entity.push_keys', 'entity.remove_key'],
    ...['entity.update_hosting', 'entity.upload_configuration', 'entity.bring_key', 'entity.roll_hosted_key'],
    ...['entity.take_hosted_key', 'entity.stop_hosting'],
  ],
};

/** Whether the actor changed an enrolment or the record of its entity at any time, also if others did so later. */
export async function hadAHandIn(
  db: Db,
  actor: Pick<Actor, 'id'>,
  { enrolmentId, entityId }: { enrolmentId?: string; entityId: string | null },
): Promise<boolean> {
  const changed = (kind: keyof typeof CHANGES, id: string | null | undefined) =>
    id == null
      ? undefined
      : and(eq(audit.subjectKind, kind), eq(audit.subjectId, id), inArray(audit.action, CHANGES[kind]));
  const [change] = await db
    .select({ seq: audit.seq })
    .from(audit)
    .where(
      and(
        or(changed('enrolment', enrolmentId), changed('entity', entityId)),
        sql`${audit.actor} ->> 'id' = ${actor.id}`,
      ),
    )
    .limit(1);
  return change !== undefined;
}
