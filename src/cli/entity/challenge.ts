/** `holdfast entity challenge` */
import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { challengeSchema, listedEntitySchema } from '../api-records.ts';
import { findAuthority, preferLive } from '../find-record.ts';
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
    .argument('<entity-identifier>', 'the Entity Identifier of the entity, enrolled or to be enrolled')
    .option(
      '--authority <authority>',
      'id, Entity Identifier or name (default: the one that has enrolled it, or the only one)',
    )
    .addHelpText('after', example('holdfast entity challenge https://rp.example.edu'));
  command.action(async (entityIdentifier: string, options: { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const given = options.authority ?? (await authorityOf(session.client, entityIdentifier));
    const authority = await findAuthority(session.client, given);
    const body = { authorityId: authority.id, entityIdentifier };
    const answer = await session.client.send({ method: 'POST', path: 'enrolment-challenges', body }, challengeSchema);
    session.output.text(answer.challenge, answer);
    session.output.note(`Good until ${momentText(answer.expiresAt)}, once. The partner answers it with:`);
    session.output.note(
      `  ${HOLDFAST} configuration prove --dir DIR --challenge ${answer.challenge} --authority ${authority.entityIdentifier}`,
    );
  });
}

/** The authority that has the entity on record, if one alone has. */
async function authorityOf(client: ApiClient, entityIdentifier: string): Promise<string | undefined> {
  const { items } = await client.list('entities', { entityIdentifier }, listedEntitySchema, { limit: 100 });
  const [authorityId, another] = new Set(preferLive(items).map((entity) => entity.authorityId));
  return another === undefined ? authorityId : undefined;
}
