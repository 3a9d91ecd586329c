/** `holdfast trust-mark delegation`: as the owner of a type, let others issue its marks. */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import type { Surroundings } from '../../surroundings.ts';
import { addDelegationListCommand } from './list.ts';
import { addDelegationMakeCommand } from './make.ts';
import { addDelegationRenewCommand } from './renew.ts';
import { addDelegationShowCommand } from './show.ts';
import { addDelegationWithdrawCommand } from './withdraw.ts';

export function addDelegationCommand(parent: Command, surroundings: Surroundings): void {
  const delegation = parent
    .command('delegation')
    .summary('as the owner of a type, let others issue its marks')
    .description(
      'As the owner of a Trust Mark type, let others issue its marks. It counts where the Trust Anchor lists the owner:\n' +
        'holdfast authority update ANCHOR --trust-mark-owners owners.json',
    )
    .addHelpText(
      'after',
      example(
        'holdfast trust-mark delegation make https://issuer.example --type https://fed.example.org/marks/audited',
      ),
    );
  addDelegationMakeCommand(delegation, surroundings);
  addDelegationListCommand(delegation, surroundings);
  addDelegationShowCommand(delegation, surroundings);
  addDelegationRenewCommand(delegation, surroundings);
  addDelegationWithdrawCommand(delegation, surroundings);
}
