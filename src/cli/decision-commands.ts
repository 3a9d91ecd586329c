/** Commands that decide about a record for a reason, and have nothing else to say: of exceptions, Trust Marks and their types. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { confirm } from './confirm.ts';
import { example } from './help-text.ts';
import { recordVersion } from './option-values.ts';
import type { Report } from './report.ts';
import { openServiceSession, type ServiceSession } from './session.ts';
import { isInteractive, type Surroundings } from './surroundings.ts';

interface Decidable {
  id: string;
  state: string;
  version: number;
}

/** How the decisions about one kind of record differ from those about another. */
export interface DecisionSubject<T extends Decidable, Options> {
  /** What each decision does, by its verb. */
  summaries: Readonly<Record<string, string>>;
  /** The words before the verb, such as `trust-mark type`. */
  command: string;
  argument: readonly [name: string, description: string];
  sample: string;
  /** Path segment of the API. */
  collection: string;
  record: z.ZodType<T>;
  addOptions?: (command: Command) => Command;
  find: (session: ServiceSession, given: string, options: Options) => Promise<T>;
  title: (record: T) => string;
  /** Shown to whoever is asked. */
  describe?: (report: Report, record: T) => void;
}

interface DecisionOptions {
  reason: string;
  ifMatch?: number;
  yes?: boolean;
}

export function addDecisionCommands<T extends Decidable, Options>(
  parent: Command,
  surroundings: Surroundings,
  subject: DecisionSubject<T, Options>,
): void {
  for (const [decision, summary] of Object.entries(subject.summaries)) {
    addDecisionCommand(parent, surroundings, subject, decision, summary);
  }
}

function addDecisionCommand<T extends Decidable, Options>(
  parent: Command,
  surroundings: Surroundings,
  subject: DecisionSubject<T, Options>,
  decision: string,
  summary: string,
): void {
  const { argument, addOptions = (unchanged) => unchanged, collection, record, find, title, describe } = subject;
  const command = parent
    .command(decision)
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .argument(...argument)
    .requiredOption('--reason <text>', 'why, for the audit trail');
  addOptions(command)
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example(`holdfast ${subject.command} ${decision} ${subject.sample} --reason "ticket 4711"`));
  command.action(async (given: string, options: DecisionOptions & Options) => {
    const { reason, ifMatch, yes } = options;
    const session = openServiceSession(command, surroundings);
    const seen = await find(session, given, options);
    if (yes !== true && isInteractive(session)) session.output.explain((report) => describe?.(report, seen));
    const lookAt = `holdfast ${subject.command} show ${seen.id}`;
    await confirm(`${decision} ${title(seen)}, which is ${seen.state}?`, session, { yes, lookAt });
    const path = `${collection}/${seen.id}/${decision}`;
    const request = { method: 'POST', path, body: { reason }, ifMatch: ifMatch ?? seen.version } as const;
    const decided = await session.client.send(request, record);
    session.output.result(decided, (report) => {
      const name = title(decided);
      report.line(`${name.charAt(0).toUpperCase()}${name.slice(1)} is ${decided.state} now.`);
    });
  });
}
