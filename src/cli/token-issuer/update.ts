/** `holdfast token-issuer update` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { addIssuerOptions, type IssuerOptions, issuerSettings } from './issuer-options.ts';
import { describeIssuer, findTokenIssuer, ISSUER_ARGUMENT, tokenIssuerSchema } from './token-issuer-records.ts';

export function addIssuerUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change how its tokens are verified')
    .description(
      'Change how the tokens of an issuer are verified. For another introspection endpoint or client id the secret has to\n' +
        'be given anew: it goes nowhere but where it was given for.',
    )
    .argument('<issuer>', ISSUER_ARGUMENT);
  addIssuerOptions(command)
    .option('--no-jwks', 'it has no keys here any more')
    .option('--no-jwks-uri', 'nor publishes any')
    .option('--no-introspection', 'nobody is asked about its tokens')
    .option('--no-signed-introspection', 'its answers are plain JSON')
    .option('--no-accept-untyped', 'its JWTs have to say at+jwt')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText(
      'after',
      example('holdfast token-issuer update https://as.bank.example --client-secret-file ./new-secret'),
    );
  command.action(async (given: string, { ifMatch, ...options }: IssuerOptions & { ifMatch?: number }) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    requireSomeChange({ ...options });
    const { id, version, introspection } = await findTokenIssuer(client, given);
    const body = await issuerSettings(options, session, introspection);
    const record = await client.send(
      { method: 'PATCH', path: `token-issuers/${id}`, body, ifMatch: ifMatch ?? version },
      tokenIssuerSchema,
    );
    await showRecord(session, record, describeIssuer);
  });
}
