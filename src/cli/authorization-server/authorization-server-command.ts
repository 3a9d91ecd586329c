/** `holdfast authorization-server`: where tokens for APIs come from. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addServerAddCommand } from './add.ts';
import { addServerListCommand } from './list.ts';
import { addServerRemoveCommand } from './remove.ts';
import { addServerShowCommand } from './show.ts';
import { addServerUpdateCommand } from './update.ts';

export function addAuthorizationServerCommand(program: Command, surroundings: Surroundings): void {
  const server = program
    .command('authorization-server')
    .summary('where tokens for APIs come from')
    .description(
      'Authorization servers that entities run, and for how long. Their APIs: `holdfast api-resource`. Dates act by\n' +
        'themselves: what is past its retirement counts as retired, and stays on record.',
    )
    .addHelpText('after', example('holdfast authorization-server list'));
  addServerAddCommand(server, surroundings);
  addServerListCommand(server, surroundings);
  addServerShowCommand(server, surroundings);
  addServerUpdateCommand(server, surroundings);
  addServerRemoveCommand(server, surroundings);
}
