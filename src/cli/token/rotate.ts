/** `holdfast token rotate` */
import type { Command } from 'commander';
import { newTokenSchema } from '../api-records.ts';
import { findToken } from '../find-record.ts';
import { example } from '../help-text.ts';
import { wholeNumber } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText } from '../times.ts';

interface RotateOptions {
  overlapHours?: number;
}

const DESCRIPTION = `Give a token a new secret and print it, once, alone on standard output. The old one stays good for a while, so that
whoever uses it can change over. Name, roles, reach and end stay. Without a name it is your own token.`;

export function addTokenRotateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('rotate')
    .summary('give a token a new secret')
    .description(DESCRIPTION)
    .argument('[token]', 'id, or name if unique (default: the one in HOLDFAST_TOKEN)')
    .option('--overlap-hours <hours>', 'how long the old secret stays good; 0 if it leaked (default: 24)', wholeNumber)
    .addHelpText(
      'after',
      example(
        'export HOLDFAST_TOKEN=$(holdfast token rotate)',
        'holdfast token rotate "enrolment desk" --overlap-hours 0',
      ),
    );
  command.action(async (given: string | undefined, { overlapHours }: RotateOptions) => {
    const { client, output } = openServiceSession(command, surroundings);
    const path = given === undefined ? 'whoami/rotate' : `tokens/${(await findToken(client, given)).id}/rotate`;
    const token = await client.send({ method: 'POST', path, body: { overlapHours } }, newTokenSchema);
    output.text(token.secret, token);
    const end = token.previousExpiresAt === null ? 'now' : momentText(token.previousExpiresAt);
    output.note(`Token ${token.name} has a new secret, shown this once; the old one ends ${end}.`);
  });
}
