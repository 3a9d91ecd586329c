/** What enrolments of an authority go through: steps in order, each with its settings. */
import type { EnrolmentFlowStep, EnrolmentStepName } from '../../storage/schema/enrolment-flow.ts';
import { invalidField } from '../registry-error.ts';

export const ENROLMENT_STEPS = [
  'identity',
  'domain',
  'keys',
  'configuration',
  'metadata_policy',
  'roles',
  'contacts',
  'terms',
  'hook',
  'approvals',
] as const satisfies readonly EnrolmentStepName[];

/** Without these nobody could be vouched for. */
export const REQUIRED_STEPS: readonly EnrolmentStepName[] = ['identity', 'keys', 'configuration', 'metadata_policy'];

/** Most people that an authority may ask to approve one enrolment. */
export const MAX_APPROVALS = 5;

/** Longest time that a hook may take to decide. */
export const MAX_HOOK_SECONDS = 30;
export const DEFAULT_HOOK_SECONDS = 10;

/** The flow of an authority that has none of its own: the checks of an enrolment, and one person who approves. */
export const USUAL_FLOW: readonly EnrolmentFlowStep[] = [
  { step: 'identity' },
  { step: 'keys' },
  { step: 'configuration' },
  { step: 'metadata_policy' },
  { step: 'roles' },
  { step: 'contacts' },
  { step: 'approvals' },
];

/** @throws RegistryError validation_failed */
export function inputEnrolmentFlow(flow: readonly EnrolmentFlowStep[], field: string): void {
  const names = flow.map(({ step }) => step);
  const repeated = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (repeated !== -1) throw invalidField(`${field}/${repeated}/step`, 'stands in the flow twice');
  const missing = REQUIRED_STEPS.filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw invalidField(field, `lacks the step ${missing.join(', ')}, which no enrolment does without`);
  if (names.at(-1) !== 'approvals') throw invalidField(field, 'ends with the step approvals');
  flow.forEach((step, index) => {
    if (step.step === 'hook') requireHttps(step.url, `${field}/${index}/url`);
    if (step.step === 'terms') requireHttps(step.uri, `${field}/${index}/uri`);
  });
}

/** A hook on the operator's own machine may do without TLS. */
function requireHttps(text: string, field: string): void {
  const url = URL.parse(text);
  const isPlainLoopback = url?.protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url === null || (url.protocol !== 'https:' && !isPlainLoopback) || url.username !== '' || url.password !== '') {
    throw invalidField(field, 'is an https URL without user name and password');
  }
}
