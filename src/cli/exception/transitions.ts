/** `holdfast exception approve`, `reject` and `end` */
import type { Command } from 'commander';
import { addDecisionCommands } from '../decision-commands.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeException, exceptionSchema, titleOf } from './exception-report.ts';

export function addExceptionTransitionCommands(parent: Command, surroundings: Surroundings): void {
  addDecisionCommands(parent, surroundings, {
    summaries: {
      approve: 'let the entity off, as it was shown; not for whoever asked or answers for it',
      reject: 'turn down what is pending',
      end: 'end it before its time',
    },
    command: 'exception',
    argument: ['<exception>', 'id'],
    sample: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f',
    collection: 'exceptions',
    record: exceptionSchema,
    find: ({ client }, id) =>
      client.send({ method: 'GET', path: `exceptions/${encodeURIComponent(id)}` }, exceptionSchema),
    title: (exception) => `the exception ${titleOf(exception)}`,
    describe: describeException,
  });
}
