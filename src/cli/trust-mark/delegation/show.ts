/** `holdfast trust-mark delegation show` */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { findDelegation } from '../find-trust-mark.ts';
import { describeDelegation } from '../trust-mark-report.ts';

export function addDelegationShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a delegation with its JWT for the issuer.')
    .argument('<delegation>', 'id')
    .addHelpText('after', example('holdfast trust-mark delegation show 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f'));
  command.action(async (id: string) => {
    const session = openServiceSession(command, surroundings);
    const delegation = await findDelegation(session.client, id);
    session.output.result(delegation, (report) => describeDelegation(report, delegation));
  });
}
