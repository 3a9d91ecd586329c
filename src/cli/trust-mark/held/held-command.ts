/** `holdfast trust-mark held`: marks that our authorities show themselves. */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import type { Surroundings } from '../../surroundings.ts';
import { addHeldAddCommand } from './add.ts';
import { addHeldDropCommand } from './drop.ts';
import { addHeldListCommand } from './list.ts';

export function addHeldCommand(parent: Command, surroundings: Surroundings): void {
  const held = parent
    .command('held')
    .summary('marks that our authorities show themselves')
    .description('Trust Marks that our authorities show in their Entity Configurations; refreshed from their issuers.')
    .addHelpText(
      'after',
      example(
        'holdfast trust-mark held add --issuer https://issuer.example --type https://issuer.example/marks/audited',
      ),
    );
  addHeldAddCommand(held, surroundings);
  addHeldListCommand(held, surroundings);
  addHeldDropCommand(held, surroundings);
}
