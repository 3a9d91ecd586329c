/** `holdfast exception list` and `show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { addOwnerOptions, type OwnerOptions, ownerQuery } from '../owner-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeException, EXCEPTION_COLUMNS, exceptionRow, exceptionSchema } from './exception-report.ts';

interface ExceptionListOptions extends ListOptions, OwnerOptions {
  state?: string;
}

export function addExceptionListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addOwnerOptions(addListOptions(parent.command('list').description('List exceptions.')))
    .option('--entity <entity>', 'only those of one entity')
    .option('--state <state>', 'only those that are pending, approved, rejected, ended or expired')
    .addHelpText('after', example('holdfast exception list --state pending'));
  command.action(async (options: ExceptionListOptions) => {
    const session = openServiceSession(command, surroundings);
    const query = { ...(await ownerQuery(session.client, options)), state: options.state };
    const listing = { record: exceptionSchema, columns: EXCEPTION_COLUMNS, row: exceptionRow };
    await showList(session, { path: 'exceptions', query, ...listing }, options);
  });
}

export function addExceptionShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show an exception.')
    .argument('<exception>', 'id')
    .addHelpText('after', example('holdfast exception show 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f'));
  command.action(async (id: string) => {
    const session = openServiceSession(command, surroundings);
    const path = `exceptions/${encodeURIComponent(id)}`;
    const exception = await session.client.send({ method: 'GET', path }, exceptionSchema);
    session.output.result(exception, (report) => describeException(report, exception));
  });
}
