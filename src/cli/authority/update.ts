/** `holdfast authority update` */
import type { Command } from 'commander';
import { authoritySchema } from '../api-records.ts';
import { CommandError } from '../command-error.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeAuthority } from './authority-report.ts';
import { type AuthorityOptions, addAuthorityOptions, authoritySettings } from './authority-settings.ts';

interface UpdateOptions extends AuthorityOptions {
  /** False for `--no-superiors`. */
  superiors: boolean;
  ifMatch?: number;
}

export function addAuthorityUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change settings; all of its statements follow at once')
    .description('Change settings of an authority. All of its statements follow at once.')
    .argument('<authority>', 'id, Entity Identifier or name')
    .option('--name <name>', 'the name of its organisation');
  addAuthorityOptions(command)
    .option('--no-superiors', 'make it a Trust Anchor')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast authority update https://fed.example.org --metadata-policy policy.json'));
  command.action(async (given: string, options: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    if (!options.superiors && options.superior !== undefined) {
      throw new CommandError('usage', '--superior and --no-superiors exclude each other');
    }
    const superior = options.superiors ? options.superior : [];
    const body = await authoritySettings({ ...options, superior }, session);
    requireSomeChange(body);
    const { id, version } = await findAuthority(session.client, given);
    const authority = await session.client.send(
      { method: 'PATCH', path: `authorities/${id}`, body, ifMatch: options.ifMatch ?? version },
      authoritySchema,
    );
    session.output.result(authority, (report) => describeAuthority(report, authority));
  });
}
