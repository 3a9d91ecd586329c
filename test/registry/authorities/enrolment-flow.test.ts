import { describe, expect, it } from 'vitest';
import { inputEnrolmentFlow, USUAL_FLOW } from '../../../src/registry/authorities/enrolment-flow.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';
import type { EnrolmentFlowStep } from '../../../src/storage/schema/enrolment-flow.ts';
import { flowWith } from '../../support/enrolment-flow.ts';

function complaint(flow: readonly EnrolmentFlowStep[]): string | undefined {
  try {
    inputEnrolmentFlow(flow, '/enrolmentFlow');
    return undefined;
  } catch (error) {
    if (error instanceof RegistryError) return error.details.errors?.[0]?.pointer;
    throw error;
  }
}

describe('a flow', () => {
  it('may be the usual one, and have more steps', () => {
    expect(complaint(USUAL_FLOW)).toBeUndefined();
    expect(complaint(flowWith([{ step: 'domain' }, { step: 'hook', url: 'https://hook.example' }]))).toBeUndefined();
    expect(complaint(flowWith([{ step: 'hook', url: 'http://127.0.0.1:8080/' }]))).toBeUndefined();
  });

  it.each<[string, EnrolmentFlowStep[], string]>([
    ['lacks a step that none does without', flowWith([]).filter(({ step }) => step !== 'keys'), '/enrolmentFlow'],
    ['has one twice', flowWith([{ step: 'roles' }, { step: 'roles' }]), '/enrolmentFlow/5/step'],
    ['does not end with approvals', [...flowWith([]), { step: 'domain' }], '/enrolmentFlow'],
    ['has a hook without TLS', flowWith([{ step: 'hook', url: 'http://hook.example' }]), '/enrolmentFlow/4/url'],
    ['has terms at no address', flowWith([{ step: 'terms', version: '1', uri: 'x' }]), '/enrolmentFlow/4/uri'],
  ])('is refused when it %s', (_what, flow, pointer) => {
    expect(complaint(flow)).toBe(pointer);
  });
});
