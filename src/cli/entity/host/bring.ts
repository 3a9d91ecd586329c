/** `holdfast entity host bring` */
import type { Command } from 'commander';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { readHandedOver } from '../handed-over.ts';
import { describeHosting, hostingSchema } from './hosting-report.ts';

interface BringOptions {
  handedOver: string;
  outOfBandCheck: string;
}

export function addHostBringCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('bring')
    .summary('announce a key that the partner brings')
    .description(
      'Announce a key of the partner: it answers a challenge (`holdfast entity challenge`) with `holdfast configuration\n' +
        'prove`, and that answer goes into --handed-over. The key is listed beside the one that is kept here. When no\n' +
        'statement without it is in use, what it signs may be uploaded. Needs the role registrar.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .requiredOption('--handed-over <file>', "the partner's answer to the challenge: JSON of `configuration prove`")
    .requiredOption('--out-of-band-check <text>', "how you made sure that the key is the partner's")
    .addHelpText(
      'after',
      example(
        'holdfast entity host bring https://entities.example.org/clinic --handed-over proof.json --out-of-band-check "called them"',
      ),
    );
  command.action(async (given: string, { handedOver: file, outOfBandCheck }: BringOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id, entityIdentifier } = await findEntity(session.client, given);
    const { entityIdentifier: _, ...proof } = await readHandedOver(file, entityIdentifier, session);
    const body = { ...proof, outOfBandCheck };
    const hosting = await session.client.send(
      { method: 'POST', path: `entities/${id}/hosting/bring`, body },
      hostingSchema,
    );
    session.output.result(hosting, (report) => describeHosting(report, hosting));
  });
}
