/** Who is behind the entity: an organisation that the authority knows and let in; and what the entity is for. */
import type { JsonObject } from '../../../federation/json.ts';
import { attributesWithDefaults, type EntityAttributes } from '../../../registry/entities/entity-attributes.ts';
import { registrationOf } from '../../../registry/organisations/registration.ts';
import type { EnrolmentFlowStep } from '../../../storage/schema/enrolment-flow.ts';
import type { StepResult } from '../enrolment.ts';
import { failed, passed, type StepSubject } from '../step-subject.ts';

type IdentitySettings = Extract<EnrolmentFlowStep, { step: 'identity' }>;

export function checkIdentity(
  { organisation, entity, enrolment: { request } }: StepSubject,
  { registration: isRegistrationNeeded = false }: IdentitySettings,
): StepResult {
  if (organisation === undefined) {
    return failed('identity', 'organisation_missing', 'a registrar says first which organisation it belongs to');
  }
  const { id: organisationId, legalName, state } = organisation;
  const registration = registrationOf(organisation);
  const { environment, ...asked } = request;
  const described = entity ?? attributesWithDefaults({ ...asked, ...(environment !== null && { environment }) });
  const evidence = {
    ...{ organisationId, legalName, state },
    registration: registration && { ...registration },
    entity: describedAs(described),
  };
  if (state !== 'active') {
    return failed('identity', 'organisation_not_active', `${legalName} is ${state}; it must be active first`, evidence);
  }
  if (isRegistrationNeeded && registration === null) {
    const detail = `${legalName} is in no register as far as is recorded; add its registration`;
    return failed('identity', 'registration_missing', detail, evidence);
  }
  return passed('identity', { detail: `${legalName}, an active organisation of this authority`, evidence });
}

/** What people decide on beside what the entity says itself. */
export function describedAs({ name, mode, environment, onBehalfOf }: EntityAttributes): JsonObject {
  return { name, mode, environment, onBehalfOf };
}
