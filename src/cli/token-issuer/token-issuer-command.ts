/** `holdfast token-issuer`: authorization servers whose access tokens count. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addIssuerAddCommand } from './add.ts';
import { addIssuerListCommand } from './list.ts';
import { addIssuerRemoveCommand } from './remove.ts';
import { addIssuerShowCommand } from './show.ts';
import { addIssuerUpdateCommand } from './update.ts';

export function addTokenIssuerCommand(program: Command, surroundings: Surroundings): void {
  const issuer = program
    .command('token-issuer')
    .summary('authorization servers whose access tokens count')
    .description(
      'Authorization servers whose access tokens our enforcement points take: verified with their keys, or by asking them.\n' +
        'Tokens count only if they are bound to the client certificate (RFC 8705).',
    )
    .addHelpText(
      'after',
      example(
        'holdfast token-issuer add https://as.bank.example --audience https://api.bank.example \\\n' +
          '      --jwks-uri https://as.bank.example/jwks',
      ),
    );
  addIssuerAddCommand(issuer, surroundings);
  addIssuerListCommand(issuer, surroundings);
  addIssuerShowCommand(issuer, surroundings);
  addIssuerUpdateCommand(issuer, surroundings);
  addIssuerRemoveCommand(issuer, surroundings);
}
