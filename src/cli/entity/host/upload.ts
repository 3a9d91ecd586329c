/** `holdfast entity host upload` */
import type { Command } from 'commander';
import { entitySchema } from '../../api-records.ts';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { readTextInput } from '../../input-file.ts';
import { showRecord } from '../../record-names.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { describeEntity } from '../entity-report.ts';

export function addHostUploadCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('upload')
    .summary('serve a configuration that the partner signed')
    .description(
      'Serve a configuration that the partner signed with the key that it took or brought (`holdfast configuration\n' +
        'sign`): from now on until it expires. The first one lets the key retire that is kept here.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .argument('<file>', 'the signed Entity Configuration, a JWT; - for standard input')
    .addHelpText('after', example('holdfast entity host upload https://entities.example.org/clinic configuration.jwt'));
  command.action(async (given: string, file: string) => {
    const session = openServiceSession(command, surroundings);
    const body = { configuration: (await readTextInput(file, session)).trim() };
    const { id } = await findEntity(session.client, given);
    const request = { method: 'PUT', path: `entities/${id}/configuration`, body } as const;
    const entity = await session.client.send(request, entitySchema);
    await showRecord(session, entity, describeEntity);
  });
}
