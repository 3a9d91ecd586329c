/** `holdfast configuration prove`: answers the challenge of an enrolment by handed-over keys. */
import type { Command } from 'commander';
import { TYP } from '../../federation/media-types.ts';
import { example } from '../help-text.ts';
import { parseNamedEntity } from '../outbound-options.ts';
import { openLocalSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { readPartnerKeys, signAsPartner } from './partner-keys.ts';
import { keyFile, readSettings } from './settings.ts';

interface ProveOptions {
  dir: string;
  challenge: string;
  authority: string;
  allowHttp?: boolean;
}

const DESCRIPTION = `For entities that cannot publish: sign the challenge that the authority gave you with each of your keys, and print
the proofs and your public keys as JSON. Hand that over; the authority enrols you with it.`;

export function addConfigurationProveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('prove')
    .summary('prove your keys, if you cannot publish')
    .description(DESCRIPTION)
    .requiredOption('--dir <folder>', 'the folder that `configuration init` made')
    .requiredOption('--challenge <challenge>', 'what the authority gave you')
    .requiredOption('--authority <entity-identifier>', 'the authority that is to vouch for you')
    .option('--allow-http', 'accept http identifiers beyond loopback')
    .addHelpText(
      'after',
      example('holdfast configuration prove --dir rp --challenge x3Jd… --authority https://fed.example.org > rp.json'),
    );
  command.action(async ({ dir, challenge, authority, ...options }: ProveOptions) => {
    const { output, allowHttp, clock } = openLocalSession(command, surroundings, options);
    const settings = await readSettings(dir, surroundings);
    const entityIdentifier = parseNamedEntity(settings.entity, allowHttp);
    const { keys, jwks } = await readPartnerKeys(keyFile(dir));
    const payload = JSON.stringify({
      iss: entityIdentifier,
      aud: parseNamedEntity(authority, allowHttp),
      nonce: challenge,
      iat: clock.now(),
    });
    const keyProofs = await Promise.all(keys.map((key) => signAsPartner(key, TYP.keyProof, payload)));
    output.json({ entityIdentifier, jwks, challenge, keyProofs });
  });
}
