/** `holdfast organisation suspension` and `holdfast entity suspension`: when a suspension ends. */
import type { Command } from 'commander';
import { example } from './help-text.ts';
import { type Moment, moment } from './moment-option.ts';
import { recordVersion } from './option-values.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { momentText } from './times.ts';
import type { Transitionable, TransitionSubject } from './transition-commands.ts';

interface SuspensionOptions {
  until: Moment;
  reason: string;
  ifMatch?: number;
}

export function addSuspensionCommand<T extends Transitionable>(
  parent: Command,
  surroundings: Surroundings,
  subject: TransitionSubject<T>,
): void {
  const { noun, argument, collection, record, find, title, sample } = subject;
  const command = parent
    .command('suspension')
    .summary('change when its suspension ends')
    .description('Sooner, later, or only when somebody ends it; all else of the suspension stays.')
    .argument(`<${noun}>`, argument)
    .requiredOption('--until <moment>', 'when it ends by itself, such as 2027-12-31T12:00:00Z, or never', moment)
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example(`holdfast ${noun} suspension ${sample} --until 2027-12-31 --reason "ticket 4711"`));
  command.action(async (given: string, { until, reason, ifMatch }: SuspensionOptions) => {
    const session = openServiceSession(command, surroundings);
    const seen = await find(session, given);
    const path = `${collection}/${seen.id}/suspension`;
    const body = { until: until.at, reason };
    const changed = await session.client.send(
      { method: 'PATCH', path, body, ifMatch: ifMatch ?? seen.version },
      record,
    );
    session.output.result(changed, (report) => {
      const end = changed.suspendedUntil;
      report.line(`${title(changed)} is ${changed.state} until ${end ? momentText(end) : 'somebody reinstates it'}.`);
    });
  });
}
