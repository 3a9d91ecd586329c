/** `holdfast authority keys activate` */
import type { Command } from 'commander';
import { authorityKeySchema } from '../../api-records.ts';
import { CommandError } from '../../command-error.ts';
import { confirm } from '../../confirm.ts';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { readKeys } from './read-keys.ts';

interface ActivateOptions {
  force?: boolean;
  reason: string;
  yes?: boolean;
}

export function addKeysActivateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('activate')
    .summary('let the announced key sign, earlier than by itself')
    .description(
      'Let the announced key sign now. That happens by itself in time; before its time only --force does it, and chains\n' +
        'may fail for everybody who does not know the key yet.',
    )
    .argument('[authority]', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--force', 'although others may not know the key yet')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--yes', 'do not ask; needed with --force where there is no terminal')
    .addHelpText('after', example('holdfast authority keys activate --reason "the superior confirmed it"'));
  command.action(async (given: string | undefined, { force = false, reason, yes }: ActivateOptions) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, given);
    const announced = (await readKeys(session.client, authority.id)).find(({ state }) => state === 'announced');
    if (announced === undefined) {
      throw new CommandError('refused', `${authority.entityIdentifier} has no announced key`, {
        hint: '`holdfast authority keys roll` announces one.',
        code: 'not_found',
      });
    }
    const lookAt = 'holdfast authority keys list';
    if (force) await confirm(`let ${announced.kid} sign before its time?`, session, { yes, lookAt });
    const path = `authorities/${authority.id}/keys/${announced.kid}/activate`;
    const key = await session.client.send({ method: 'POST', path, body: { force, reason } }, authorityKeySchema);
    session.output.result(key, (report) => report.line(`${key.kid} signs from now on.`));
  });
}
