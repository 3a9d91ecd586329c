import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inSteps } from '../../../src/http/admission/in-steps.ts';

it('does the first step of all that came in one turn before the second of any, each with its own outcome', async () => {
  const steps: string[] = [];
  const add = inSteps(
    (task: string) => {
      steps.push(`first ${task}`);
      return task.toUpperCase();
    },
    (task, outcome) => steps.push(`second ${task} ${outcome}`),
  );
  add('a');
  add('b');
  expect(steps).toEqual([]);
  await setImmediate();
  expect(steps).toEqual(['first a', 'first b', 'second a A', 'second b B']);
});

it('takes what comes meanwhile, and what comes later, in turns of their own', async () => {
  const steps: string[] = [];
  const add = inSteps(
    (task: string) => {
      steps.push(`first ${task}`);
      if (task === 'a') add('b');
    },
    (task) => steps.push(`second ${task}`),
  );
  add('a');
  await setImmediate();
  await setImmediate();
  expect(steps).toEqual(['first a', 'second a', 'first b', 'second b']);
  add('c');
  await setImmediate();
  expect(steps.slice(4)).toEqual(['first c', 'second c']);
});
