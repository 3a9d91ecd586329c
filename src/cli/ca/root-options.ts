/** Options that name an offline root, and where its passphrase comes from: never the command line, which others can see. */
import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.ts';
import { causeText } from '../input-file.ts';
import { positiveInteger } from '../option-values.ts';
import type { Surroundings } from '../surroundings.ts';

export interface RootOptions {
  root?: string;
  rootName?: string;
  rootAlg: 'ES256' | 'ES384' | 'RS256';
  rootYears: number;
  years: number;
  passphraseFile?: string;
}

export const PASSPHRASE_VARIABLE = 'HOLDFAST_ROOT_PASSPHRASE';

const ROOT_ALGORITHMS = ['ES256', 'ES384', 'RS256'];

/** Of a root that is there, and of the certificate that it gives. */
export function addCertifyingOptions(command: Command): Command {
  return command
    .option('--years <years>', 'validity of the certificate, at most that of the root', positiveInteger, 10)
    .option('--passphrase-file <file>', `file with the passphrase of the root; or set ${PASSPHRASE_VARIABLE}`);
}

/** Of one that may have to be made. */
export function addRootOptions(command: Command): Command {
  return addCertifyingOptions(command)
    .option('--root-name <name>', 'common name of a root that is made (default: name of the authority, and Root CA)')
    .addOption(new Option('--root-alg <alg>', 'its algorithm').choices(ROOT_ALGORITHMS).default('ES384'))
    .option('--root-years <years>', 'its validity', positiveInteger, 20);
}

/** @throws CommandError usage */
export async function rootPassphrase(
  { passphraseFile }: Pick<RootOptions, 'passphraseFile'>,
  { env }: Pick<Surroundings, 'env'>,
): Promise<string> {
  const passphrase = passphraseFile === undefined ? env[PASSPHRASE_VARIABLE] : await passphraseIn(passphraseFile);
  if (passphrase !== undefined && passphrase !== '') return passphrase;
  throw new CommandError('usage', 'the root needs a passphrase', {
    hint: `Name a file with --passphrase-file, or set ${PASSPHRASE_VARIABLE}. A new one: \`openssl rand -base64 24\`.`,
    code: 'passphrase_missing',
  });
}

async function passphraseIn(file: string): Promise<string> {
  // Loaded here, since no other command needs it.
  const { readSecretFile } = await import('../../signer/master-key-file.ts');
  try {
    return (await readSecretFile(file, 'passphrase')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new CommandError('usage', `cannot read ${file}: ${causeText(error)}`, { code: 'file_unreadable' });
  }
}
