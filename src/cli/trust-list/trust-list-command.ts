/** `holdfast trust-list`: certification authorities that are believed. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addTrustListAddCommand } from './add.ts';
import { addTrustListListCommand } from './list.ts';
import { addTrustListRemoveCommand } from './remove.ts';
import { addTrustListShowCommand } from './show.ts';

export function addTrustListCommand(program: Command, surroundings: Surroundings): void {
  const trustList = program
    .command('trust-list')
    .summary('certification authorities whose certificates are believed')
    .description(
      'Certification authorities whose certificates our authorities believe, by what those are for. They matter once an\n' +
        'authority lists the purpose: from then on only certificates with a path to one of them count.',
    )
    .addHelpText(
      'after',
      example(
        'holdfast trust-list add ca.pem --purpose transport --name "Example CA"',
        'holdfast trust-list list          # after a minute: how many credentials have no path?',
        'holdfast authority update https://fed.example.org --listed-purposes transport',
      ),
    );
  addTrustListAddCommand(trustList, surroundings);
  addTrustListListCommand(trustList, surroundings);
  addTrustListShowCommand(trustList, surroundings);
  addTrustListRemoveCommand(trustList, surroundings);
}
