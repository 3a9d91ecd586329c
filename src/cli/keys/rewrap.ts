/** `holdfast keys rewrap`: changes the master key, while no service runs. */
import path from 'node:path';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface RewrapOptions {
  newMasterKeyFile: string;
  offline?: boolean;
  yes?: boolean;
}

const DESCRIPTION = `Seal all private keys under a new master key, all or none. The file of the new one is made, mode 0600, if there is
none. The keys themselves do not change, so nobody else notices. Stop the service first; afterwards start it with
HOLDFAST_MASTER_KEY_FILE naming the new file. Keep the old master key for as long as you keep backups from before.`;

export function addKeysRewrapCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('rewrap')
    .summary('change the master key (offline)')
    .description(DESCRIPTION)
    .requiredOption('--new-master-key-file <file>', 'where the new master key is, or will be made')
    .option('--offline', 'work on the database itself; the service must be stopped')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast keys rewrap --offline --new-master-key-file /etc/holdfast/master-key-2'));
  command.action(async (options: RewrapOptions) => {
    if (options.offline !== true) {
      throw new CommandError('usage', 'a running service cannot change its master key', {
        hint: 'Stop the service, then repeat the command with --offline.',
      });
    }
    const { loadConfig } = await import('../../config/config.ts');
    const { rewrapOffline } = await import('./rewrap-offline.ts');
    const { config, secrets } = loadConfig(surroundings.env);
    const newMasterKeyFile = path.resolve(options.newMasterKeyFile);
    await confirm(`seal all keys under ${newMasterKeyFile}?`, surroundings, { yes: options.yes });
    const done = await rewrapOffline({ config, secrets, newMasterKeyFile });
    openSession(command, surroundings).output.result({ ...done, newMasterKeyFile }, (report) => {
      const { rewrapped } = done;
      report.line(`${rewrapped} ${rewrapped === 1 ? 'key is' : 'keys are'} sealed under the new master key.`);
      report.line(`Start the service with HOLDFAST_MASTER_KEY_FILE=${newMasterKeyFile}`);
      if (secrets.masterKey !== undefined) report.line('and without HOLDFAST_MASTER_KEY.');
    });
  });
}
