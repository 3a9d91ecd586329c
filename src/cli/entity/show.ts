/** `holdfast entity show` */
import type { Command } from 'commander';
import { describeExceptions, exceptionsOf } from '../exception/exception-report.ts';
import { findAuthority, findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeEntity } from './entity-report.ts';

export function addEntityShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description(
      'Show an entity: its state, what others may do with it, what the checks found, what is said about it,\nand from what it is let off.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .option('--authority <authority>', 'the authority meant, if several have enrolled it')
    .addHelpText('after', example('holdfast entity show https://rp.example.edu'));
  command.action(async (given: string, options: { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const entity = await findEntity(session.client, given, authorityId);
    const exceptions = session.output.isJson ? [] : await exceptionsOf(session.client, entity.id);
    await showRecord(session, entity, (report, readable) => {
      describeEntity(report, readable);
      describeExceptions(report, exceptions);
    });
  });
}
