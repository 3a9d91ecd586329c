/** `holdfast chain`: Trust Chains that somebody hands over. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addChainVerifyCommand } from './verify.ts';

export function addChainCommand(program: Command, surroundings: Surroundings): void {
  const chain = program
    .command('chain')
    .summary('Trust Chains that were handed over')
    .description('Trust Chains that somebody hands over, in a file: judged from here, now or as of a time.')
    .addHelpText(
      'after',
      example(
        'holdfast chain verify chain.json --anchor https://fed.example.org --anchor-jwks fed-keys.json',
        '# was it trusted when it signed?',
        'holdfast chain verify chain.json --at 2027-01-15T08:00:00Z --anchor https://fed.example.org \\',
        '    --anchor-jwks fed-keys.json --historical-keys fed-historical-keys.jwt',
      ),
    );
  addChainVerifyCommand(chain, surroundings);
}
