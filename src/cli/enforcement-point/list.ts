/** `holdfast enforcement-point list` */
import type { Command } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { enforcementPointSchema, POINT_COLUMNS, pointRow } from './enforcement-point-records.ts';

interface PointListOptions extends ListOptions {
  authority?: string;
  state?: string;
}

export function addPointListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(
    parent.command('list').description('List enforcement points, and when they last asked.'),
  )
    .option('--authority <authority>', 'only those of one authority')
    .option('--state <state>', 'only those that are active, suspended or removed (default: not the removed ones)')
    .addHelpText('after', example('holdfast enforcement-point list'));
  command.action(async (options: PointListOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const query = { authorityId, state: options.state };
    const listing = { record: enforcementPointSchema, columns: POINT_COLUMNS, row: pointRow };
    await showList(session, { path: 'enforcement-points', query, ...listing }, options);
  });
}
