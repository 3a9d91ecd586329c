/** `holdfast credential prove`: the proof that members hand in with a certificate or key. */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { CompactSign } from 'jose';
import type { Jwk } from '../../federation/jwk-set.ts';
import { keyThumbprint } from '../../federation/key-thumbprint.ts';
import { TYP } from '../../federation/media-types.ts';
import { algorithmOf } from '../configuration/partner-keys.ts';
import { readPrivateFile, unusable } from '../configuration/private-file.ts';
import { example } from '../help-text.ts';
import { parseNamedEntity } from '../outbound-options.ts';
import { openLocalSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface ProveOptions {
  key: string;
  authority: string;
  allowHttp?: boolean;
}

const DESCRIPTION = `Show that you have the private key of a certificate or JWK: signs for this entity and this authority, and prints what
\`credential add\` and \`credential replace\` take as --proof. Good once, for five minutes. The key stays on this machine.`;

export function addCredentialProveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('prove')
    .summary('show that you have the private key')
    .description(DESCRIPTION)
    .argument('<entity-identifier>', 'the entity that is to have the certificate or key')
    .requiredOption('--key <file>', 'the private key, as PEM or JWK')
    .requiredOption('--authority <entity-identifier>', 'the authority that has the entity on record')
    .option('--allow-http', 'accept http identifiers beyond loopback')
    .addHelpText(
      'after',
      example('holdfast credential prove https://rp.example.edu --authority https://fed.example.org --key client.key'),
    );
  command.action(async (entity: string, { key: file, authority, ...options }: ProveOptions) => {
    const { output, allowHttp, clock } = openLocalSession(command, surroundings, options);
    const claims = {
      sub: parseNamedEntity(entity, allowHttp),
      aud: parseNamedEntity(authority, allowHttp),
      iat: clock.now(),
      jti: randomUUID(),
    };
    const key = readKey(await readPrivateFile(file, 'OpenSSL makes one: openssl req -newkey … -keyout FILE'), file);
    const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: '' } as Jwk;
    const kid = await keyThumbprint(jwk);
    const header = { typ: TYP.credentialPossession, alg: algorithmOf({ ...jwk, kid }, file), kid };
    const proof = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader(header)
      .sign(key);
    output.text(proof, { proof });
  });
}

/** @throws CommandError usage */
function readKey(content: string, file: string): KeyObject {
  try {
    if (!content.trimStart().startsWith('{')) return createPrivateKey(content);
    return createPrivateKey({ key: JSON.parse(content) as JsonWebKey, format: 'jwk' });
  } catch {
    throw unusable(file, 'it is neither the PEM nor the JWK of a private key that has no passphrase');
  }
}
