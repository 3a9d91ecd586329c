/** `holdfast entity check` */
import type { Command } from 'commander';
import { entitySchema } from '../api-records.ts';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { requirePassedChecks } from './add.ts';
import { describeChecks } from './entity-report.ts';

export function addEntityCheckCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('check')
    .summary('fetch its configuration and check it again')
    .description(
      'Fetch the Entity Configuration of an entity and check it again. The Entity Types that it declares become those of\n' +
        'the record. Exits with 1 if a check failed.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .addHelpText('after', example('holdfast entity check https://rp.example.edu'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findEntity(session.client, given);
    const entity = await session.client.send({ method: 'POST', path: `entities/${id}/checks` }, entitySchema);
    session.output.result(entity, (report) => describeChecks(report, entity));
    requirePassedChecks(entity);
  });
}
