/** `holdfast entity challenge` */
import type { Command } from 'commander';
import { challengeSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { HOLDFAST } from '../invocation.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText } from '../times.ts';

export function addEntityChallengeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('challenge')
    .summary('make a challenge for keys that are handed over')
    .description(
      'Make a challenge for an entity that cannot publish its configuration. Its keys sign the challenge, which proves\n' +
        'that whoever hands them over holds them. Needs the role registrar.',
    )
    .argument('<entity-identifier>', 'the Entity Identifier of the entity to be enrolled')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .addHelpText('after', example('holdfast entity challenge https://rp.example.edu'));
  command.action(async (entityIdentifier: string, options: { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, options.authority);
    const body = { authorityId: authority.id, entityIdentifier };
    const answer = await session.client.send({ method: 'POST', path: 'enrolment-challenges', body }, challengeSchema);
    session.output.text(answer.challenge, answer);
    session.output.note(`Good until ${momentText(answer.expiresAt)}, once. The partner answers it with:`);
    session.output.note(
      `  ${HOLDFAST} configuration prove --dir DIR --challenge ${answer.challenge} --authority ${authority.entityIdentifier}`,
    );
  });
}
