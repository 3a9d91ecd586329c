/** `holdfast entity host show` */
import type { Command } from 'commander';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeHosting, hostingSchema } from './hosting-report.ts';

export function addHostShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show who signs the configuration of a hosted entity, what it says, and the keys that are kept.')
    .argument('<entity>', 'id, or Entity Identifier')
    .addHelpText('after', example('holdfast entity host show https://entities.example.org/clinic'));
  command.action(async (given: string) => {
    const { client, output } = openServiceSession(command, surroundings);
    const { id } = await findEntity(client, given);
    const hosting = await client.send({ method: 'GET', path: `entities/${id}/hosting` }, hostingSchema);
    output.result(hosting, (report) => describeHosting(report, hosting));
  });
}
