/** `holdfast trust-mark delegation renew` */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { type End, endTime } from '../end-option.ts';
import { findDelegation } from '../find-trust-mark.ts';
import { trustMarkDelegationSchema } from '../trust-mark-records.ts';
import { describeDelegation } from '../trust-mark-report.ts';

export function addDelegationRenewCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('renew')
    .description('Sign a delegation anew, with the present key; the issuer has to take over the new JWT.')
    .argument('<delegation>', 'id')
    .option('--until <day>', 'when it expires from now on, such as 2027-12-31; or never', endTime)
    .option('--ref <url>', 'where people read about the delegation')
    .addHelpText(
      'after',
      example('holdfast trust-mark delegation renew 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f --until 2028-12-31'),
    );
  command.action(async (given: string, options: { until?: End; ref?: string }) => {
    const session = openServiceSession(command, surroundings);
    const { id, version } = await findDelegation(session.client, given);
    const body = { expiresAt: options.until?.expiresAt, ref: options.ref };
    const request = { method: 'POST', path: `trust-mark-delegations/${id}/renew`, body, ifMatch: version } as const;
    const delegation = await session.client.send(request, trustMarkDelegationSchema);
    session.output.result(delegation, (report) => describeDelegation(report, delegation));
  });
}
