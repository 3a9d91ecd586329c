/** `holdfast trust-mark delegation list` */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../../list-options.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { trustMarkDelegationSchema } from '../trust-mark-records.ts';
import { DELEGATION_COLUMNS, delegationRow } from '../trust-mark-report.ts';

export function addDelegationListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List the delegations that we gave.'))
    .option('--issuer <entity-identifier>', 'only those of one issuer')
    .addHelpText('after', example('holdfast trust-mark delegation list'));
  command.action(async (options: ListOptions & { issuer?: string }) => {
    const session = openServiceSession(command, surroundings);
    const listing = { record: trustMarkDelegationSchema, columns: DELEGATION_COLUMNS, row: delegationRow };
    const query = { issuer: options.issuer };
    await showList(session, { path: 'trust-mark-delegations', query, ...listing }, options);
  });
}
