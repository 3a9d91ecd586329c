/** `holdfast entity host`: entities without a web server, whose configurations are published here. */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import type { Surroundings } from '../../surroundings.ts';
import { addHostBringCommand } from './bring.ts';
import { addHostRollCommand } from './roll.ts';
import { addHostShowCommand } from './show.ts';
import { addHostStopCommand } from './stop.ts';
import { addHostTakeCommand } from './take.ts';
import { addHostUpdateCommand } from './update.ts';
import { addHostUploadCommand } from './upload.ts';

const DESCRIPTION = `The hosting of an entity that was enrolled with \`holdfast entity add --hosted metadata.json\`: its Entity
Configuration is published here, signed with a key that is kept for it and signs nothing else.

A partner who leaves takes that key (take), or brings one of its own (bring), and uploads from then on what it signs
itself (upload). One on a host name of its own may then point it elsewhere (stop).`;

export function addEntityHostCommand(parent: Command, surroundings: Surroundings): void {
  const host = parent
    .command('host')
    .summary('entities without a web server: show, roll, take, …')
    .description(DESCRIPTION)
    .addHelpText('after', example('holdfast entity host show https://entities.example.org/clinic'));
  addHostShowCommand(host, surroundings);
  addHostUpdateCommand(host, surroundings);
  addHostRollCommand(host, surroundings);
  addHostTakeCommand(host, surroundings);
  addHostBringCommand(host, surroundings);
  addHostUploadCommand(host, surroundings);
  addHostStopCommand(host, surroundings);
}
