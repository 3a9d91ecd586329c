/** What the steps of an enrolment look at, and what they need to look. */
import type { Authority } from '../../registry/authorities/authority.ts';
import { readAuthority } from '../../registry/authorities/read-authority.ts';
import type { ChangeContext } from '../../registry/change.ts';
import type { Entity } from '../../registry/entities/entity.ts';
import { readEntity } from '../../registry/entities/read-entity.ts';
import type { Organisation } from '../../registry/organisations/organisation.ts';
import { readOrganisation } from '../../registry/organisations/read-organisation.ts';
import type { EnrolmentStepName } from '../../storage/schema/enrolment-flow.ts';
import type { RetrieveConfiguration } from '../configuration-checks.ts';
import { type EnrolmentRow, onBehalfOfFlow, type StepResult } from './enrolment.ts';
import type { DomainTools } from './steps/domain.ts';
import type { CallHook } from './steps/hook.ts';

export interface EnrolmentTools extends DomainTools {
  retrieve: RetrieveConfiguration;
  callHook: CallHook;
}

export interface StepSubject {
  /** Lets the steps read all that the flow is about. */
  context: ChangeContext;
  enrolment: EnrolmentRow;
  authority: Authority;
  /** undefined while nobody said whose the entity is. */
  organisation: Organisation | undefined;
  /** The pending record; undefined until all checks passed once. */
  entity: Entity | undefined;
  /** How often the step ran before. */
  attempts: (step: EnrolmentStepName) => number;
}

/**
 * Reads what the enrolment is about as it is now.
 * @param known what was read for it a moment ago
 */
export async function stepSubject(
  context: ChangeContext,
  enrolment: EnrolmentRow,
  attempts: StepSubject['attempts'],
  known: Partial<Pick<StepSubject, 'authority' | 'organisation'>> = {},
): Promise<StepSubject> {
  const inFlow = onBehalfOfFlow(context);
  const { db, actor } = inFlow;
  const { authorityId, organisationId, entityId } = enrolment;
  return {
    context: inFlow,
    enrolment,
    authority: known.authority ?? (await readAuthority(db, actor, authorityId)),
    organisation:
      organisationId === null ? undefined : (known.organisation ?? (await readOrganisation(db, actor, organisationId))),
    entity: entityId === null ? undefined : await readEntity(db, actor, entityId),
    attempts,
  };
}

type Passed = Pick<StepResult, 'detail'> & Partial<Pick<StepResult, 'evidence' | 'wouldChange'>>;

export function passed(step: EnrolmentStepName, { detail, evidence = {}, wouldChange = {} }: Passed): StepResult {
  return { step, outcome: 'passed', reason: null, detail, evidence, wouldChange };
}

/** @param detail says what to mend */
export function failed(
  step: EnrolmentStepName,
  reason: string,
  detail: string,
  evidence: StepResult['evidence'] = {},
): StepResult {
  return { step, outcome: 'failed', reason, detail, evidence, wouldChange: {} };
}

export function skipped(step: EnrolmentStepName, detail: string): StepResult {
  return { step, outcome: 'skipped', reason: null, detail, evidence: {}, wouldChange: {} };
}
