/** `holdfast api-resource`: the versions of APIs that authorization servers protect. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addApiAddCommand } from './add.ts';
import { addApiListCommand } from './list.ts';
import { addApiRemoveCommand } from './remove.ts';
import { addApiShowCommand } from './show.ts';
import { addApiUpdateCommand } from './update.ts';

export function addApiResourceCommand(program: Command, surroundings: Surroundings): void {
  const api = program
    .command('api-resource')
    .summary('versions of APIs: where they are, what is certified, until when')
    .description(
      'Versions of APIs that authorization servers protect: endpoints, certification, deprecation, retirement. Dates act\n' +
        'by themselves; another version of an API is another record.',
    )
    .addHelpText('after', example('holdfast api-resource list --family payments'));
  addApiAddCommand(api, surroundings);
  addApiListCommand(api, surroundings);
  addApiShowCommand(api, surroundings);
  addApiUpdateCommand(api, surroundings);
  addApiRemoveCommand(api, surroundings);
}
