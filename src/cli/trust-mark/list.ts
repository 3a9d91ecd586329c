/** `holdfast trust-mark list` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findTrustMarkType } from './find-trust-mark.ts';
import { trustMarkSchema } from './trust-mark-records.ts';
import { MARK_COLUMNS, markRow } from './trust-mark-report.ts';

interface MarkListOptions extends ListOptions {
  type?: string;
  subject?: string;
  state?: string;
}

export function addTrustMarkListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List Trust Marks.'))
    .option('--type <type>', 'only those of one type, by id or name')
    .option('--subject <entity-identifier>', 'only those of one bearer')
    .option('--state <state>', 'only those that are pending, active, rejected or withdrawn')
    .addHelpText('after', example('holdfast trust-mark list --state pending'));
  command.action(async (options: MarkListOptions) => {
    const session = openServiceSession(command, surroundings);
    const typeId = options.type && (await findTrustMarkType(session.client, options.type)).id;
    const { subject, state } = options;
    const listing = { record: trustMarkSchema, columns: MARK_COLUMNS, row: markRow };
    await showList(session, { path: 'trust-marks', query: { typeId, subject, state }, ...listing }, options);
  });
}
