/** `holdfast entity`: who is vouched for. */
import type { Command } from 'commander';
import { type EntityRecord, entitySchema } from '../api-records.ts';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addTransitionCommands } from '../transition-commands.ts';
import { addEntityAddCommand } from './add.ts';
import { addEntityAssertionCommand } from './assertion.ts';
import { addEntityChallengeCommand } from './challenge.ts';
import { addEntityCheckCommand } from './check.ts';
import { checkDoubts, describeEntity } from './entity-report.ts';
import { addEntityHostCommand } from './host/host-command.ts';
import { addEntityKeysCommand } from './keys.ts';
import { addEntityListCommand } from './list.ts';
import { addEntityRefreshCommand } from './refresh.ts';
import { addEntityShowCommand } from './show.ts';
import { addEntityUpdateCommand } from './update.ts';

export function addEntityCommand(program: Command, surroundings: Surroundings): void {
  const entity = program
    .command('entity')
    .summary('who is vouched for: enrol, approve, suspend, …')
    .description(
      'Entities are the applications and Intermediates of organisations. None is vouched for before it is approved,\n' +
        'and none any more from the moment that it is suspended.',
    )
    .addHelpText('after', example('holdfast entity list --state pending'));
  addEntityAddCommand(entity, surroundings);
  addEntityListCommand(entity, surroundings);
  addEntityShowCommand(entity, surroundings);
  addEntityUpdateCommand(entity, surroundings);
  addEntityCheckCommand(entity, surroundings);
  addEntityRefreshCommand(entity, surroundings);
  addEntityAssertionCommand(entity, surroundings);
  addEntityKeysCommand(entity, surroundings);
  addEntityHostCommand(entity, surroundings);
  addTransitionCommands<EntityRecord>(entity, surroundings, {
    noun: 'entity',
    collection: 'entities',
    record: entitySchema,
    argument: 'id, or Entity Identifier',
    sample: 'https://rp.example.edu',
    find: ({ client }, given) => findEntity(client, given),
    describe: describeEntity,
    title: ({ entityIdentifier }) => entityIdentifier,
    doubts: checkDoubts,
  });
  addEntityChallengeCommand(entity, surroundings);
}
