/** What the steps of an enrolment ask outside, for tests that run them without a service. */
import type { EnrolmentTools } from '../../src/enrolment/flow/step-subject.ts';
import type { NewEnrolment } from '../../src/enrolment/flow/submit-enrolment.ts';
import { FederationError } from '../../src/federation/errors.ts';
import type { PublishedEntity } from './enrolment.ts';

/** Nobody answers outside but for what a test names. */
export function enrolmentTools(entity: PublishedEntity, tools: Partial<EnrolmentTools> = {}): EnrolmentTools {
  const silent = () => Promise.reject(new FederationError('connection_failed', 'nobody is there'));
  return {
    retrieve: entity.retrieve,
    outbound: { get: silent },
    lookUpText: async () => [],
    callHook: silent,
    ...tools,
  };
}

export function newEnrolment(
  organisation: { id: string },
  entity: { identifier: string },
  members: Partial<NewEnrolment> = {},
): NewEnrolment {
  return { organisationId: organisation.id, entityIdentifier: entity.identifier, ...members };
}
