/** An entity that a registrar adds: where its authority has a flow, its enrolment begins with the record and runs its steps. */
import { eq } from 'drizzle-orm';
import type { Authority } from '../../registry/authorities/authority.ts';
import type { ChangeContext } from '../../registry/change.ts';
import type { NewEntity } from '../../registry/entities/add-entity.ts';
import type { Entity } from '../../registry/entities/entity.ts';
import { readEntity } from '../../registry/entities/read-entity.ts';
import { enrolments } from '../../storage/schema/enrolments.ts';
import type { Enrolment as AskedByRegistrar } from '../enrol-entity.ts';
import { runEnrolmentSteps } from './change-enrolment.ts';
import { enrolmentSnapshot, onBehalfOfFlow } from './enrolment.ts';
import { readEnrolment } from './read-enrolment.ts';
import type { EnrolmentTools } from './step-subject.ts';
import { newEnrolmentRow, requestOf } from './submit-enrolment.ts';

/** Writes the enrolment down in the transaction that makes the record; undefined where the short way is enough. */
export function beginningOfEnrolment(
  context: ChangeContext,
  authority: Authority,
  { organisationId, entityIdentifier, entityTypes, ...asked }: AskedByRegistrar,
): NewEntity['alongside'] {
  if (authority.enrolmentFlow === null) return undefined;
  const { name, mode, environment, onBehalfOf } = asked;
  const { metadata, metadataPolicy, constraints, additionalClaims, crit, statementLifetimeSeconds } = asked;
  const settings = { metadata, metadataPolicy, constraints, additionalClaims, crit, statementLifetimeSeconds };
  const request = requestOf({ entityTypes, name, mode, environment, onBehalfOf, settings });
  const row = newEnrolmentRow(context, authority, { entityIdentifier, request, organisationId, via: 'token' });
  return async (tx, record, entityId) => {
    const begun = { ...row, entityId };
    await tx.insert(enrolments).values(begun);
    record({
      action: 'enrolment.submit',
      authorityId: authority.id,
      subjectKind: 'enrolment',
      subjectId: begun.id,
      after: enrolmentSnapshot(begun, []),
    });
  };
}

export interface AddedEntity {
  entity: Entity;
  /** The enrolment whose steps let it in; null where the authority has no flow. */
  enrolmentId: string | null;
}

/** Runs the steps of an enrolment that began with the record, unless they have. */
export async function runBegunEnrolment(
  context: ChangeContext,
  added: Entity,
  tools: EnrolmentTools,
): Promise<AddedEntity> {
  const [begun] = await context.db
    .select({ id: enrolments.id })
    .from(enrolments)
    .where(eq(enrolments.entityId, added.id));
  if (begun === undefined) return { entity: added, enrolmentId: null };
  const { state } = await readEnrolment(context.db, onBehalfOfFlow(context).actor, begun.id);
  if (state === 'submitted') await runEnrolmentSteps(context, begun.id, undefined, tools);
  return { entity: await readEntity(context.db, context.actor, added.id), enrolmentId: begun.id };
}
