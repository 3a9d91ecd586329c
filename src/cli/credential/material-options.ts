/** Options that name a file with a certificate or key. What is secret in it stays on this machine. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { CommandError } from '../command-error.ts';
import { causeText, nameOf, readJsonObjectInput, readTextInput } from '../input-file.ts';
import { type Moment, moment } from '../moment-option.ts';
import type { Surroundings } from '../surroundings.ts';

export interface MaterialOptions {
  certificate?: string;
  jwk?: string;
  notAfter?: Moment;
  proof?: string;
}

export function addMaterialOptions(command: Command): Command {
  return command
    .option(
      '--certificate <file>',
      'the certificate as PEM or DER, or a PEM chain, the leaf first; - is standard input',
    )
    .option('--jwk <file>', 'in its place a public key as JWK')
    .option('--not-after <day>', 'when the key ends: 2027-12-31, a moment, or never (of a --jwk)', moment)
    .option(
      '--proof <jwt>',
      'what `holdfast credential prove` printed: that you have the private key; members need it',
    );
}

/** What the API takes. @throws CommandError usage */
export async function readMaterialOptions(
  { certificate, jwk, notAfter, proof }: MaterialOptions,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<Record<string, JsonValue | undefined>> {
  if ((certificate === undefined) === (jwk === undefined)) {
    throw new CommandError('usage', 'name either --certificate or --jwk');
  }
  if (certificate !== undefined) return { certificate: await readCertificateInput(certificate, surroundings), proof };
  const key = await readJsonObjectInput(jwk ?? '', surroundings);
  if (Object.hasOwn(key, 'd') || Object.hasOwn(key, 'k')) {
    throw new CommandError('usage', `${nameOf(jwk ?? '')} holds a private key; hand in its public half`, {
      code: 'private_key',
    });
  }
  return { jwk: key, notAfter: notAfter?.at, proof };
}

/**
 * PEM or DER, read as strictly as the service does it, so that nothing leaves that it would refuse.
 * @param read what the service does with it; as credentials are read unless given
 * @throws CommandError usage
 */
export async function readCertificateInput(
  file: string,
  surroundings: Pick<Surroundings, 'stdin'>,
  read?: (pem: string) => unknown,
): Promise<string> {
  const text = await readTextInput(file, surroundings);
  const isPem = file === '-' || text.includes('-----');
  // Loaded here, since no other command needs it.
  const { parseCertificates } = await import('../../pki/parse-certificate.ts');
  const { CertificateError } = await import('../../pki/certificate-error.ts');
  const { decodePem, encodePem } = await import('../../pki/pem.ts');
  try {
    const given = isPem ? text : encodePem(new Uint8Array(await readFile(file)));
    (read ?? parseCertificates)(given);
    return decodePem(given).map(encodePem).join('');
  } catch (error) {
    if (error instanceof CertificateError) {
      throw new CommandError('usage', `${nameOf(file)} ${error.message}`, { code: error.reason });
    }
    throw new CommandError('usage', `cannot read ${file}: ${causeText(error)}`, { code: 'file_unreadable' });
  }
}
