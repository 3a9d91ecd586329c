/** `holdfast role retire` and `holdfast role reinstate` */
import type { Command } from 'commander';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findRole } from './find-role.ts';
import { changedRoleSchema } from './role-records.ts';
import { describeAffected } from './role-report.ts';
import { ROLE_ARGUMENT } from './show.ts';

const TRANSITIONS = {
  retire: { summary: 'let nobody hold it any more; can be undone', outcome: 'is retired' },
  reinstate: { summary: 'let those hold it again who did', outcome: 'is active again' },
} as const;

interface TransitionOptions {
  reason: string;
  dryRun?: boolean;
  yes?: boolean;
}

export function addRoleTransitionCommands(parent: Command, surroundings: Surroundings): void {
  for (const transition of ['retire', 'reinstate'] as const) {
    const { summary, outcome } = TRANSITIONS[transition];
    const command = parent
      .command(transition)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .argument('<role>', ROLE_ARGUMENT)
      .requiredOption('--reason <text>', 'why, for the audit trail')
      .option('--dry-run', 'say whom it would concern, and change nothing')
      .option('--yes', 'do not ask; needed where there is no terminal')
      .addHelpText('after', example(`holdfast role ${transition} PISP --reason "ticket 4711" --dry-run`));
    command.action(async (given: string, { reason, dryRun = false, yes }: TransitionOptions) => {
      const session = openServiceSession(command, surroundings);
      const { id, name, version } = await findRole(session.client, given);
      if (!dryRun) await confirm(`${transition} ${name}?`, session, { yes, lookAt: `holdfast role show ${id}` });
      const body = { reason, ...(dryRun && { dryRun }) };
      const role = await session.client.send(
        { method: 'POST', path: `roles/${id}/${transition}`, body, ifMatch: version },
        changedRoleSchema,
      );
      session.output.result(role, (report) => {
        report.line(dryRun ? `Nothing was changed: ${name} would be ${role.state}.` : `${name} ${outcome}.`);
        describeAffected(report, role, dryRun ? 'Would concern' : 'Concerns');
      });
    });
  }
}
