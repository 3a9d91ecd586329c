/** `holdfast ca list` */
import { type Command, Option } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, pageOf } from '../list-options.ts';
import { withNames } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { certificationAuthoritySchema } from './ca-records.ts';
import { CA_COLUMNS, caRow } from './ca-report.ts';

interface CaListOptions extends ListOptions {
  authority?: string;
  state?: string;
}

export function addCaListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List certification authorities, oldest first.'))
    .option('--authority <authority>', 'only those of one authority')
    .addOption(new Option('--state <state>', 'only those in a state').choices(['pending', 'active', 'retired']))
    .addHelpText('after', example('holdfast ca list --state active'));
  command.action(async (options: CaListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client, output } = session;
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const query = { authorityId, state: options.state };
    const list = await client.list('certification-authorities', query, certificationAuthoritySchema, pageOf(options));
    const items = await withNames(session, list.items);
    output.result(list, (report) => report.table(CA_COLUMNS, items.map(caRow)));
    if (list.next !== undefined) output.note(`There are more: --all, or --cursor ${list.next}`);
  });
}
