/** `holdfast trust-list list` */
import { type Command, Option } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, pageOf } from '../list-options.ts';
import { withNames } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { coverageAnswerSchema, trustListEntrySchema } from './trust-list-records.ts';
import { describeCoverage, TRUST_LIST_COLUMNS, trustListRow } from './trust-list-report.ts';

interface TrustListOptions extends ListOptions {
  authority?: string;
  purpose?: string;
}

export function addTrustListListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(
    parent
      .command('list')
      .summary('list them, and how many credentials have no path to one')
      .description(
        'List the certification authorities, and how many credentials that count have no path to one of them: these count\n' +
          'no more once the purpose is listed (`holdfast authority update --listed-purposes`).',
      ),
  )
    .option('--authority <authority>', 'only those of one authority')
    .addOption(new Option('--purpose <purpose>', 'only those for one purpose').choices(['transport', 'signing']))
    .addHelpText('after', example('holdfast trust-list list --purpose transport'));
  command.action(async (options: TrustListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client, output } = session;
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const query = { authorityId, purpose: options.purpose };
    const list = await client.list('trust-list', query, trustListEntrySchema, pageOf(options));
    const first = { method: 'GET', path: 'trust-list', query: { ...query, limit: '1' } } as const;
    const { coverage } = await client.send(first, coverageAnswerSchema);
    const [items, counts] = [await withNames(session, list.items), await withNames(session, coverage)];
    output.result({ ...list, coverage }, (report) => {
      report.table(TRUST_LIST_COLUMNS, items.map(trustListRow));
      describeCoverage(report, counts);
    });
    if (list.next !== undefined) output.note(`There are more: --all, or --cursor ${list.next}`);
  });
}
