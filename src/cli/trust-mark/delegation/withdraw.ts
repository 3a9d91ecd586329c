/** `holdfast trust-mark delegation withdraw` */
import type { Command } from 'commander';
import { confirm } from '../../confirm.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { findDelegation } from '../find-trust-mark.ts';
import { trustMarkDelegationSchema } from '../trust-mark-records.ts';

export function addDelegationWithdrawCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('withdraw')
    .description(
      'Withdraw a delegation: it is not renewed any more. Until it expires only the Trust Anchor can stop it, by listing\n' +
        'other owner keys or issuers.',
    )
    .argument('<delegation>', 'id')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText(
      'after',
      example('holdfast trust-mark delegation withdraw 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f --reason "contract ended"'),
    );
  command.action(async (given: string, { reason, yes }: { reason: string; yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, issuer, version } = await findDelegation(session.client, given);
    await confirm(`withdraw the delegation to ${issuer}?`, session, {
      yes,
      lookAt: `holdfast trust-mark delegation show ${id}`,
    });
    const path = `trust-mark-delegations/${id}/withdraw`;
    const request = { method: 'POST', path, body: { reason }, ifMatch: version } as const;
    const delegation = await session.client.send(request, trustMarkDelegationSchema);
    session.output.result(delegation, (report) => report.line(`The delegation to ${issuer} is withdrawn now.`));
  });
}
