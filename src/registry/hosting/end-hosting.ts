/** Ends the hosting of entities: nothing is served for them any more, and no key is kept. */
import { and, asc, eq, isNull } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { hostedEntities, hostedKeys } from '../../storage/schema/hosted-entities.ts';

/** Works in the transaction of the verb that closes the records or lets them go elsewhere. */
export async function endHosting(tx: Tx, entityIds: readonly string[], now: Date): Promise<void> {
  const ended = await tx
    .update(hostedEntities)
    .set({ endedAt: now })
    .where(and(isAnyOf(hostedEntities.entityId, entityIds), isNull(hostedEntities.endedAt)))
    .returning({ entityId: hostedEntities.entityId });
  const endedIds = ended.map(({ entityId }) => entityId);
  await tx
    .update(hostedKeys)
    .set({ state: 'removed', sealedPrivateKey: null, handedOverJwe: null, handedOverTo: null, retiredAt: now })
    .where(isAnyOf(hostedKeys.entityId, endedIds));
}

/** Hosted entities of an organisation. Whoever holds the organisation sees also what was enrolled a moment before. */
export async function hostedOf(tx: Tx, organisationId: string): Promise<string[]> {
  const rows = await tx
    .select({ id: entities.id })
    .from(entities)
    .where(and(eq(entities.organisationId, organisationId), eq(entities.enrolment, 'hosted')));
  return rows.map(({ id }) => id);
}

/** Holds the records of an organisation's hosted entities until the transaction ends, each before the organisation. */
export async function lockHostedOf(tx: Tx, organisationId: string): Promise<void> {
  await tx
    .select({ id: entities.id })
    .from(entities)
    .where(and(eq(entities.organisationId, organisationId), eq(entities.enrolment, 'hosted')))
    .orderBy(asc(entities.id))
    .for('update');
}
