/** `holdfast trust-mark approve`, `reject` and `withdraw` */
import type { Command } from 'commander';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findTrustMark } from './find-trust-mark.ts';
import { trustMarkSchema } from './trust-mark-records.ts';

const TRANSITIONS = {
  approve: 'let the bearer have the mark that it asked for',
  reject: 'turn down a request; final',
  withdraw: 'take the mark away: it is revoked at once; final',
} as const;

interface TransitionOptions {
  type?: string;
  reason: string;
  ifMatch?: number;
  yes?: boolean;
}

export function addTrustMarkTransitionCommands(parent: Command, surroundings: Surroundings): void {
  for (const [transition, summary] of Object.entries(TRANSITIONS)) {
    addTransitionCommand(parent, surroundings, transition, summary);
  }
}

function addTransitionCommand(parent: Command, surroundings: Surroundings, transition: string, summary: string): void {
  const command = parent
    .command(transition)
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .argument('<mark>', 'id, or Entity Identifier of the bearer')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--type <type>', 'the type, where the bearer has several marks')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example(`holdfast trust-mark ${transition} https://rp.example.edu --reason "ticket 4711"`));
  command.action(async (given: string, options: TransitionOptions) => {
    const session = openServiceSession(command, surroundings);
    const seen = await findTrustMark(session.client, given, options.type);
    const lookAt = `holdfast trust-mark show ${seen.id}`;
    const question = `${transition} the mark ${seen.trustMarkType} of ${seen.subject}, which is ${seen.state}?`;
    await confirm(question, session, { yes: options.yes, lookAt });
    const body = { reason: options.reason };
    const path = `trust-marks/${seen.id}/${transition}`;
    const request = { method: 'POST', path, body, ifMatch: options.ifMatch ?? seen.version } as const;
    const mark = await session.client.send(request, trustMarkSchema);
    session.output.result(mark, (report) =>
      report.line(`The mark ${mark.trustMarkType} of ${mark.subject} is ${mark.state} now.`),
    );
  });
}
