/** `holdfast token-issuer add` */
import type { Command } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { addIssuerOptions, type IssuerOptions, issuerSettings } from './issuer-options.ts';
import { describeIssuer, tokenIssuerSchema } from './token-issuer-records.ts';

interface AddOptions extends IssuerOptions {
  authority?: string;
}

const DESCRIPTION = `List an authorization server whose access tokens count at our enforcement points. Its JWTs are verified with its keys;
about any other token it is asked (introspection). Say which audiences count: those of our APIs, and no others.`;

export function addIssuerAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('list an authorization server whose access tokens count')
    .description(DESCRIPTION)
    .argument('<issuer>', 'iss of its tokens, byte by byte')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one');
  addIssuerOptions(command).addHelpText(
    'after',
    example(
      'holdfast token-issuer add https://as.bank.example --audience https://api.bank.example \\\n' +
        '      --jwks-uri https://as.bank.example/jwks',
      'holdfast token-issuer add https://as.bank.example --audience https://api.bank.example \\\n' +
        '      --introspection https://as.bank.example/introspect --client-id holdfast --client-secret-file ./secret',
    ),
  );
  command.action(async (issuer: string, { authority, ...options }: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const settings = await issuerSettings(options, session);
    const { id: authorityId } = await findAuthority(session.client, authority);
    const body = { authorityId, issuer, ...settings };
    const record = await session.client.send({ method: 'POST', path: 'token-issuers', body }, tokenIssuerSchema);
    await showRecord(session, record, describeIssuer);
  });
}
