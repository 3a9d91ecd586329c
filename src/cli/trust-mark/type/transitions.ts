/** `holdfast trust-mark type retire` and `reinstate` */
import type { Command } from 'commander';
import { confirm } from '../../confirm.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { findTrustMarkType } from '../find-trust-mark.ts';
import { trustMarkTypeSchema } from '../trust-mark-records.ts';

const TRANSITIONS = {
  retire: 'issue none of it any more: all its marks are revoked at once',
  reinstate: 'issue it again: its marks stand as they did',
} as const;

export function addTypeTransitionCommands(parent: Command, surroundings: Surroundings): void {
  for (const [transition, summary] of Object.entries(TRANSITIONS)) {
    const command = parent
      .command(transition)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .argument('<type>', 'id or name')
      .requiredOption('--reason <text>', 'why, for the audit trail')
      .option('--yes', 'do not ask; needed where there is no terminal')
      .addHelpText(
        'after',
        example(`holdfast trust-mark type ${transition} https://fed.example.org/marks/member --reason "ticket 4711"`),
      );
    command.action(async (given: string, { reason, yes }: { reason: string; yes?: boolean }) => {
      const session = openServiceSession(command, surroundings);
      const { id, trustMarkType, version } = await findTrustMarkType(session.client, given);
      await confirm(`${transition} ${trustMarkType}?`, session, { yes, lookAt: `holdfast trust-mark type show ${id}` });
      const path = `trust-mark-types/${id}/${transition}`;
      const request = { method: 'POST', path, body: { reason }, ifMatch: version } as const;
      const type = await session.client.send(request, trustMarkTypeSchema);
      session.output.result(type, (report) => report.line(`${trustMarkType} is ${type.state} now.`));
    });
  }
}
