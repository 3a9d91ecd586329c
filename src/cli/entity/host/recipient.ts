/** To whom a hosted key is handed, checked before anything is sent: what is private stays on this machine. */
import { parseEncryptionKey } from '../../../federation/encryption-key.ts';
import { FederationError } from '../../../federation/errors.ts';
import { isJsonObject, type JsonValue } from '../../../federation/json.ts';
import type { Jwk } from '../../../federation/jwk-set.ts';
import { CommandError } from '../../command-error.ts';
import { nameOf, readJsonInput } from '../../input-file.ts';
import type { Surroundings } from '../../surroundings.ts';

const ORIGIN =
  'The partner makes it: `holdfast configuration recipient-key --out recipient.json > recipient-public.json`.';

/** @throws CommandError usage, without a word of what a private key holds */
export async function readRecipient(file: string, surroundings: Pick<Surroundings, 'stdin'>): Promise<Jwk> {
  const value = await readJsonInput(file, surroundings);
  if (isPrivate(value)) {
    throw refused(`${nameOf(file)} holds a private key, which nobody but its owner may have: nothing was sent`, {
      hint: 'Give the public half alone, the JWK without `d`; and have the partner make another key if it gave you this one.',
      code: 'jwk_private',
    });
  }
  if (isJsonObject(value) && Array.isArray(value['keys'])) {
    throw refused(`${nameOf(file)} holds a JWK Set; it must hold one public JWK alone`);
  }
  try {
    return await parseEncryptionKey(value);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw refused(`${nameOf(file)} must hold one public JWK: ${error.message}`);
  }
}

function refused(message: string, { hint = ORIGIN, code = 'file_invalid' } = {}): CommandError {
  return new CommandError('usage', message, { hint, code });
}

/** Whether it is a private key, or a set with one. */
function isPrivate(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const keys = Array.isArray(value['keys']) ? value['keys'] : [];
  return ['d', 'k'].some((member) => Object.hasOwn(value, member)) || keys.some((key) => isPrivate(key));
}
