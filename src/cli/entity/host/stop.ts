/** `holdfast entity host stop` */
import type { Command } from 'commander';
import { entitySchema } from '../../api-records.ts';
import { confirm } from '../../confirm.ts';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { showRecord } from '../../record-names.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeEntity } from '../entity-report.ts';

export function addHostStopCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('stop')
    .summary('let a partner go elsewhere with its host name')
    .description(
      'Serve nothing any more for an entity on a host name of its own that uploads its configurations: from now on they\n' +
        'are fetched from where the name points. The partner should serve there what it uploaded last before you do.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast entity host stop https://rp.example.edu --reason "has a server now"'));
  command.action(async (given: string, { reason, yes }: { reason: string; yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, entityIdentifier } = await findEntity(session.client, given);
    await confirm(`serve nothing any more for ${entityIdentifier}?`, session, { yes });
    const request = { method: 'POST', path: `entities/${id}/hosting/stop`, body: { reason } } as const;
    const entity = await session.client.send(request, entitySchema);
    await showRecord(session, entity, describeEntity);
  });
}
