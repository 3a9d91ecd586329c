/** `holdfast ca update` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { certificationAuthoritySchema } from './ca-records.ts';
import { describeCa } from './ca-report.ts';
import { addCaSettings, type CaSettingsOptions, caSettings } from './ca-settings.ts';
import { CA_ARGUMENT, findCa } from './find-ca.ts';

interface UpdateOptions extends CaSettingsOptions {
  name?: string;
  ifMatch?: number;
}

export function addCaUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change what it gives from now on')
    .description('Change what a certification authority gives from now on. What it issued stays as it is.')
    .argument('<ca>', CA_ARGUMENT)
    .option('--name <name>', 'what people call it; the name in its certificate stays');
  addCaSettings(command)
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast ca update "Example Issuing CA" --validity-days client=90'));
  command.action(async (given: string, { name, ifMatch, ...options }: UpdateOptions) => {
    const body = { name, ...caSettings(options) };
    requireSomeChange(body);
    const session = openServiceSession(command, surroundings);
    const { id, version } = await findCa(session.client, given);
    const changed = await session.client.send(
      { method: 'PATCH', path: `certification-authorities/${id}`, body, ifMatch: ifMatch ?? version },
      certificationAuthoritySchema,
    );
    await showRecord(session, changed, describeCa);
  });
}
