/** Runs the steps of an enrolment, all of them or one, and says how each came out. Nothing is kept yet. */
import type { EnrolmentFlowStep, EnrolmentStepName } from '../../storage/schema/enrolment-flow.ts';
import type { CheckedConfiguration } from '../configuration-checks.ts';
import { approvalsNeeded, evidenceDigest, flowStep, type StepResult } from './enrolment.ts';
import { type EnrolmentTools, type StepSubject, skipped } from './step-subject.ts';
import { configurationStep, isConfigurationStep, lookAtConfiguration } from './steps/configuration.ts';
import { checkContacts } from './steps/contacts.ts';
import { checkDomain } from './steps/domain.ts';
import { askHook } from './steps/hook.ts';
import { checkIdentity } from './steps/identity.ts';
import { checkRoles } from './steps/roles.ts';
import { checkTerms } from './steps/terms.ts';

export interface StepsRun {
  /** In the order of the flow. */
  steps: StepResult[];
  /** Names of those that ran now; the others stand as they were. */
  ran: ReadonlySet<EnrolmentStepName>;
  /** What the configuration was found to be; undefined when nobody looked. */
  found: CheckedConfiguration | undefined;
}

export interface RunOptions {
  /** The only step to run; the others stand as they were. */
  only?: EnrolmentStepName | undefined;
  /** The same is looked at once more: the hook is not asked again unless something changed. */
  isConfirming?: boolean;
}

/** @param before how the steps came out the last time; none for a new enrolment */
export async function runSteps(
  subject: StepSubject,
  before: readonly StepResult[],
  tools: EnrolmentTools,
  { only, isConfirming = false }: RunOptions = {},
): Promise<StepsRun> {
  const { flow } = subject.enrolment;
  // Until there is a record it may be made after any step, from what the configuration says at that moment.
  const isLooking = subject.entity === undefined || only === undefined || isConfigurationStep(only);
  const isWanted = (name: EnrolmentStepName) =>
    only === undefined || only === name || (isLooking && isConfigurationStep(name));
  const found = isLooking ? await lookAtConfiguration(subject, tools.retrieve) : undefined;
  const ran = new Set<EnrolmentStepName>();
  const steps: StepResult[] = [];
  for (const setting of flow) {
    if (setting.step === 'hook' || setting.step === 'approvals') continue;
    const known = before.find(({ step }) => step === setting.step);
    if (known !== undefined && !isWanted(setting.step)) {
      steps.push(known);
      continue;
    }
    ran.add(setting.step);
    steps.push(await runStep(setting, subject, tools, found));
  }
  const hook = flowStep(flow, 'hook');
  if (hook !== undefined) {
    const known = before.find(({ step }) => step === 'hook');
    const isSame = evidenceDigest(steps) === evidenceDigest(before.filter(({ step }) => step !== 'hook'));
    const isAsked = only === 'hook' || (only === undefined && !isConfirming);
    const hasToRun = isAsked || known === undefined || known.outcome === 'skipped' || !isSame;
    const isReady = steps.every(({ outcome }) => outcome === 'passed');
    if (isReady && hasToRun) ran.add('hook');
    const present = isReady ? known : undefined;
    const result =
      isReady && hasToRun
        ? await askHook(subject, hook, steps, tools.callHook)
        : (present ?? skipped('hook', 'is asked when all other steps have passed'));
    steps.push(result);
  }
  return { steps: inOrder([...steps, approvals(flow, steps)], flow), ran, found };
}

async function runStep(
  setting: EnrolmentFlowStep,
  subject: StepSubject,
  tools: EnrolmentTools,
  found: CheckedConfiguration | undefined,
): Promise<StepResult> {
  switch (setting.step) {
    case 'identity':
      return checkIdentity(subject, setting);
    case 'domain':
      return await checkDomain(subject, setting, tools);
    case 'roles':
      return await checkRoles(subject);
    case 'contacts':
      return checkContacts(subject, setting);
    case 'terms':
      return await checkTerms(subject, setting);
    case 'keys':
    case 'configuration':
    case 'metadata_policy':
      if (found === undefined) throw new TypeError('the configuration was not looked at');
      return configurationStep(setting.step, subject, found);
    case 'hook':
    case 'approvals':
      throw new TypeError(`${setting.step} runs after the others`);
  }
}

function approvals(flow: readonly EnrolmentFlowStep[], steps: readonly StepResult[]): StepResult {
  const needed = approvalsNeeded(flow, steps);
  const detail = needed === 1 ? 'one approval is needed' : `${needed} people have to approve`;
  return {
    ...{ step: 'approvals', outcome: 'waiting', reason: null, detail },
    evidence: { needed },
    wouldChange: { state: 'active' },
  };
}

function inOrder(steps: readonly StepResult[], flow: readonly EnrolmentFlowStep[]): StepResult[] {
  return flow.flatMap(({ step }) => steps.find((result) => result.step === step) ?? []);
}
