/** What an enrolment goes through: steps with their settings, as an authority keeps them. */
import type { ContactType } from './contacts.ts';

/** In the order in which they are usual. */
export type EnrolmentStepName =
  | 'identity'
  | 'domain'
  | 'keys'
  | 'configuration'
  | 'metadata_policy'
  | 'roles'
  | 'contacts'
  | 'terms'
  | 'hook'
  | 'approvals';

/** A step of an authority's flow with its settings. */
export type EnrolmentFlowStep =
  | { step: 'identity'; registration?: boolean | undefined }
  | { step: 'domain'; methods?: ('https' | 'dns')[] | undefined }
  | { step: 'keys' | 'configuration' | 'metadata_policy' | 'roles' }
  | { step: 'contacts'; types?: ContactType[] | undefined; confirmed?: boolean | undefined }
  | { step: 'terms'; version: string; uri: string }
  | { step: 'hook'; url: string; timeoutSeconds?: number | undefined }
  | { step: 'approvals'; count?: number | undefined; intermediates?: number | undefined };
