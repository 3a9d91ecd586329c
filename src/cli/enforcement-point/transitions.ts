/** `holdfast enforcement-point suspend`, `reinstate` and `remove` */
import type { Command } from 'commander';
import { nothingSchema } from '../api-records.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { enforcementPointSchema, findEnforcementPoint, POINT_ARGUMENT } from './enforcement-point-records.ts';

const TRANSITIONS = {
  suspend: 'Answer it no more, so that it lets nobody in; can be undone.',
  reinstate: 'Answer it again, by the token and certificate that it had.',
} as const;

export function addPointTransitionCommands(parent: Command, surroundings: Surroundings): void {
  for (const transition of ['suspend', 'reinstate'] as const) {
    const command = parent
      .command(transition)
      .description(TRANSITIONS[transition])
      .argument('<point>', POINT_ARGUMENT)
      .requiredOption('--reason <text>', 'why, for the audit trail')
      .option('--yes', 'do not ask; needed where there is no terminal')
      .addHelpText('after', example(`holdfast enforcement-point ${transition} gw-1 --reason "ticket 4711"`));
    command.action(async (given: string, { reason, yes }: { reason: string; yes?: boolean }) => {
      const session = openServiceSession(command, surroundings);
      const { id, name, version } = await findEnforcementPoint(session.client, given);
      const lookAt = `holdfast enforcement-point show ${id}`;
      await confirm(`${transition} ${name}?`, session, { yes, lookAt });
      const point = await session.client.send(
        { method: 'POST', path: `enforcement-points/${id}/${transition}`, body: { reason }, ifMatch: version },
        enforcementPointSchema,
      );
      session.output.result(point, (report) => report.line(`${name} is ${point.state} now.`));
    });
  }
}

export function addPointRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .description('Remove an enforcement point for good: it lets nobody in any more. Its record can still be looked at.')
    .argument('<point>', POINT_ARGUMENT)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast enforcement-point remove gw-1'));
  command.action(async (given: string, { yes }: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, name, version } = await findEnforcementPoint(session.client, given);
    const lookAt = `holdfast enforcement-point show ${id}`;
    await confirm(`remove ${name}? It lets nobody in from then on.`, session, { yes, lookAt });
    const path = `enforcement-points/${id}`;
    await session.client.send({ method: 'DELETE', path, ifMatch: version }, nothingSchema);
    session.output.result({ removed: id }, (report) => report.line(`${name} is removed.`));
  });
}
