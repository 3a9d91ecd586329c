/** `holdfast token`: who may use the API. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addTokenClaimCommand } from './claim.ts';
import { addTokenCreateCommand } from './create.ts';
import { addTokenListCommand } from './list.ts';
import { addTokenRevokeCommand } from './revoke.ts';
import { addTokenRotateCommand } from './rotate.ts';

export function addTokenCommand(program: Command, surroundings: Surroundings): void {
  const token = program
    .command('token')
    .summary('who may use the service; how to become the first admin')
    .description('Tokens let people and programs use the API. Commands take theirs from HOLDFAST_TOKEN.')
    .addHelpText(
      'after',
      example(
        '# on the machine of the service, once:',
        'export HOLDFAST_TOKEN=$(holdfast token claim --name me)',
        '# then, for everybody else:',
        'holdfast token create --name "enrolment desk" --role registrar',
      ),
    );
  addTokenClaimCommand(token, surroundings);
  addTokenCreateCommand(token, surroundings);
  addTokenListCommand(token, surroundings);
  addTokenRotateCommand(token, surroundings);
  addTokenRevokeCommand(token, surroundings);
}
