/** `holdfast enforcement-point`: gateways and servers that ask who may pass. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addPointAddCommand } from './add.ts';
import { addPointListCommand } from './list.ts';
import { addPointRotateTokenCommand } from './rotate-token.ts';
import { addPointShowCommand } from './show.ts';
import { addPointRemoveCommand, addPointTransitionCommands } from './transitions.ts';
import { addPointUpdateCommand } from './update.ts';

export function addEnforcementPointCommand(program: Command, surroundings: Surroundings): void {
  const point = program
    .command('enforcement-point')
    .summary('gateways and servers that ask who may pass')
    .description(
      'Gateways and resource servers that ask the service whether a client may pass. Each is for one mode and one\n' +
        'environment, and known by a token, by the certificate that it connects with, or by both.',
    )
    .addHelpText(
      'after',
      example(
        'holdfast enforcement-point add gw-1 --certificate-header nginx --token-file ./holdfast.token',
        'curl -sS https://fed.example.org/api/v1/admission -H "Holdfast-Enforcement-Point: $(cat holdfast.token)" \\\n' +
          '      -H \'Content-Type: application/json\' -d \'{"x5t#S256": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"}\'',
      ),
    );
  addPointAddCommand(point, surroundings);
  addPointListCommand(point, surroundings);
  addPointShowCommand(point, surroundings);
  addPointUpdateCommand(point, surroundings);
  addPointRotateTokenCommand(point, surroundings);
  addPointTransitionCommands(point, surroundings);
  addPointRemoveCommand(point, surroundings);
}
