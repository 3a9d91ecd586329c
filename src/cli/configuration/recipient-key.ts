/** `holdfast configuration recipient-key`: a key to which an authority encrypts what it hands over. */
import type { Command } from 'commander';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { grouped } from '../anchor/thumbprints.ts';
import { example } from '../help-text.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { publicHalf } from './partner-keys.ts';
import { createPrivateFile } from './private-file.ts';

const DESCRIPTION = `For an entity that an authority hosts and that is to sign for itself: make a key to which the authority encrypts the
Federation Entity Key that it hands over. The private half goes into --out (mode 0600), the public one to standard
output: give that to the authority, and read its thumbprint to each other.`;

export function addConfigurationRecipientKeyCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('recipient-key')
    .summary('make a key to receive the one that was kept for you')
    .description(DESCRIPTION)
    .requiredOption('--out <file>', 'where the private half goes; never overwritten')
    .addHelpText('after', example('holdfast configuration recipient-key --out recipient.json > recipient-public.json'));
  command.action(async ({ out }: { out: string }) => {
    const { output } = openSession(command, surroundings);
    const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const members = await exportJWK(privateKey);
    const kid = await calculateJwkThumbprint(members);
    const jwk = { ...members, kid, use: 'enc', alg: 'ECDH-ES' };
    await createPrivateFile(out, jwk);
    output.json(publicHalf(jwk));
    output.note(`The private half is in ${out}. Thumbprint of the public one: ${grouped(kid)}`);
    output.note('Next: what the authority hands over for it is opened with `holdfast configuration take-key`.');
  });
}
