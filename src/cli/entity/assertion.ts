/** `holdfast entity assertion` */
import type { Command } from 'commander';
import { z } from 'zod';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

const assertionSchema = z.object({ assertion: z.string(), expiresAt: z.string() });

export function addEntityAssertionCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('assertion')
    .summary('a software statement, to register it with')
    .description(
      'Get a software statement: what the authority says of an active entity to a server where it registers itself\n' +
        '(`software_statement` of RFC 7591). It is good for ten minutes.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .addHelpText('after', example('SSA=$(holdfast entity assertion https://rp.example.edu)'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findEntity(session.client, given);
    const stated = await session.client.send({ method: 'GET', path: `entities/${id}/assertion` }, assertionSchema);
    session.output.text(stated.assertion, stated);
  });
}
