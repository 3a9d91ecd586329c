/** `holdfast entity host roll` */
import type { Command } from 'commander';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeHosting, hostingSchema } from './hosting-report.ts';

export function addHostRollCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('roll')
    .summary('list the next key; it signs by itself in time')
    .description(
      'List the next key of a hosted entity in its configuration and in its Subordinate Statement. It signs by itself\n' +
        'when no statement without it is in use. If the present key was marked compromised (`holdfast entity keys\n' +
        'compromised`), the next one signs at once.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .option('--reason <text>', 'why, for the audit trail', 'rolled by hand')
    .addHelpText('after', example('holdfast entity host roll https://entities.example.org/clinic --reason yearly'));
  command.action(async (given: string, { reason }: { reason: string }) => {
    const { client, output } = openServiceSession(command, surroundings);
    const { id } = await findEntity(client, given);
    const request = { method: 'POST', path: `entities/${id}/hosting/keys`, body: { reason } } as const;
    const hosting = await client.send(request, hostingSchema);
    output.result(hosting, (report) => describeHosting(report, hosting));
  });
}
