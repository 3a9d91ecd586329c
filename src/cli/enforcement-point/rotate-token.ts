/** `holdfast enforcement-point rotate-token` */
import type { Command } from 'commander';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { enforcementPointWithTokenSchema, findEnforcementPoint, POINT_ARGUMENT } from './enforcement-point-records.ts';
import { keepToken, TOKEN_FILE_OPTION } from './token-file.ts';

const DESCRIPTION = `Give an enforcement point a new token and print it, once, alone on standard output. The old one ends at once, and the
gateway lets nobody in until it has the new one. Where that may not be: add a second enforcement point, move over to
its token, and remove the first.`;

export function addPointRotateTokenCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('rotate-token')
    .summary('give it a new token; the old one ends at once')
    .description(DESCRIPTION)
    .argument('<point>', POINT_ARGUMENT)
    .option(...TOKEN_FILE_OPTION)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast enforcement-point rotate-token gw-1 --token-file ./holdfast.token'));
  command.action(async (given: string, { tokenFile, yes }: { tokenFile?: string; yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, name } = await findEnforcementPoint(session.client, given);
    const lookAt = `holdfast enforcement-point show ${id}`;
    await confirm(`end the token of ${name} and make a new one?`, session, { yes, lookAt });
    await keepToken(tokenFile, session, () =>
      session.client.send({ method: 'POST', path: `enforcement-points/${id}/token` }, enforcementPointWithTokenSchema),
    );
  });
}
