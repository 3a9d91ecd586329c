/** `holdfast exception approve`, `reject` and `end` */
import type { Command } from 'commander';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import { isInteractive, type Surroundings } from '../surroundings.ts';
import { describeException, exceptionSchema, titleOf } from './exception-report.ts';

const TRANSITIONS = {
  approve: 'let the entity off, as it was shown; not for whoever asked or answers for it',
  reject: 'turn down what is pending',
  end: 'end it before its time',
} as const;

interface TransitionOptions {
  reason: string;
  ifMatch?: number;
  yes?: boolean;
}

export function addExceptionTransitionCommands(parent: Command, surroundings: Surroundings): void {
  for (const [transition, summary] of Object.entries(TRANSITIONS)) {
    addTransitionCommand(parent, surroundings, transition, summary);
  }
}

function addTransitionCommand(parent: Command, surroundings: Surroundings, transition: string, summary: string): void {
  const command = parent
    .command(transition)
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .argument('<exception>', 'id')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText(
      'after',
      example(`holdfast exception ${transition} 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f --reason "ticket 4711"`),
    );
  command.action(async (id: string, { reason, ifMatch, yes }: TransitionOptions) => {
    const session = openServiceSession(command, surroundings);
    const path = `exceptions/${encodeURIComponent(id)}`;
    const seen = await session.client.send({ method: 'GET', path }, exceptionSchema);
    if (yes !== true && isInteractive(session)) session.output.explain((report) => describeException(report, seen));
    const lookAt = `holdfast exception show ${seen.id}`;
    await confirm(`${transition} the exception ${titleOf(seen)}, which is ${seen.state}?`, session, { yes, lookAt });
    const exception = await session.client.send(
      { method: 'POST', path: `${path}/${transition}`, body: { reason }, ifMatch: ifMatch ?? seen.version },
      exceptionSchema,
    );
    session.output.result(exception, (report) =>
      report.line(`The exception ${titleOf(exception)} is ${exception.state} now.`),
    );
  });
}
