/** `holdfast authority keys roll` */
import type { Command } from 'commander';
import { authorityKeySchema } from '../../api-records.ts';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { momentText } from '../../times.ts';

export function addKeysRollCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('roll')
    .summary('publish the next key; it signs by itself in time')
    .description(
      'Publish the key that signs next. It signs by itself once it was announced for long enough and every superior\n' +
        'lists it, so an Intermediate has to have it registered by them; nothing else needs to be done.',
    )
    .argument('[authority]', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--reason <text>', 'why, for the audit trail', 'rolled by hand')
    .addHelpText('after', example('holdfast authority keys roll --reason "yearly"'));
  command.action(async (given: string | undefined, { reason }: { reason: string }) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, given);
    const key = await session.client.send(
      { method: 'POST', path: `authorities/${authority.id}/keys`, body: { reason } },
      authorityKeySchema,
    );
    session.output.result(key, (report) => {
      if (key.state === 'active') return report.line(`${key.kid} signs from now on: no other key did.`);
      const when = key.activateAfter === null ? '' : `, and signs ${momentText(key.activateAfter)} at the earliest`;
      report.line(`${key.kid} is announced${when}.`);
      for (const superior of authority.authorityHints) report.line(`${superior} has to list it before.`);
    });
  });
}
