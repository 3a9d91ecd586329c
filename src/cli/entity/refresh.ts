/** `holdfast entity refresh` */
import type { Command } from 'commander';
import { entityRefreshSchema } from '../api-records.ts';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addEntityRefreshCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('refresh')
    .summary('fetch its configuration again and take in its keys')
    .description(
      'Fetch the Entity Configuration of an active entity now, instead of in its turn, and take in what it says about\n' +
        'keys: new ones are proposed, or registered if the authority has it so; none is removed.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .addHelpText('after', example('holdfast entity refresh https://rp.example.edu'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findEntity(session.client, given);
    const refreshed = await session.client.send(
      { method: 'POST', path: `entities/${id}/refresh` },
      entityRefreshSchema,
    );
    session.output.result(refreshed, (report) => {
      const { outcome, detail, proposed, added } = refreshed;
      report.line(detail === null ? outcome : `${outcome}: ${detail}`);
      for (const kid of proposed) report.line(`proposed: ${kid}`);
      for (const kid of added) report.line(`registered: ${kid}`);
    });
  });
}
