/** `holdfast configuration`: for partners, who publish an Entity Configuration of their own. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addConfigurationAskCommand } from './ask.ts';
import { addConfigurationInitCommand } from './init.ts';
import { addConfigurationProveCommand } from './prove.ts';
import { addConfigurationPushKeysCommand } from './push-keys.ts';
import { addConfigurationRecipientKeyCommand } from './recipient-key.ts';
import { addConfigurationServeCommand } from './serve.ts';
import { addConfigurationSignCommand } from './sign.ts';
import { addConfigurationTakeKeyCommand } from './take-key.ts';

export function addConfigurationCommand(program: Command, surroundings: Surroundings): void {
  const configuration = program
    .command('configuration')
    .summary('publish an Entity Configuration of your own')
    .description('For partners: make keys and an Entity Configuration, sign it, publish it. Needs no running service.')
    .addHelpText(
      'after',
      example(
        'holdfast configuration init --entity https://rp.example.edu --superior https://fed.example.org \\\n' +
          '      --type openid_relying_party --dir rp',
        'holdfast configuration serve --dir rp',
      ),
    );
  addConfigurationInitCommand(configuration, surroundings);
  addConfigurationSignCommand(configuration, surroundings);
  addConfigurationServeCommand(configuration, surroundings);
  addConfigurationAskCommand(configuration, surroundings);
  addConfigurationProveCommand(configuration, surroundings);
  addConfigurationPushKeysCommand(configuration, surroundings);
  addConfigurationRecipientKeyCommand(configuration, surroundings);
  addConfigurationTakeKeyCommand(configuration, surroundings);
}
