/** `holdfast configuration take-key`: opens the key that an authority kept for an entity and hands over. */
import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { calculateJwkThumbprint, compactDecrypt, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { FederationError } from '../../federation/errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../federation/json.ts';
import { checkJwkSet } from '../../federation/jwk-set.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { nameOf, parseJsonInput, readTextInput } from '../input-file.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { makeFolder } from './make-folder.ts';
import { algorithmOf, publicHalf } from './partner-keys.ts';
import { createPrivateFile, readPrivateFile, unusable } from './private-file.ts';
import { ignorePrivateKeys, keyFile, settingsFile } from './settings.ts';

interface TakeKeyOptions {
  key: string;
  dir?: string;
  print?: boolean;
}

const COMPACT_JWE = /^(?:[\w-]*\.){4}[\w-]*$/;

const DESCRIPTION = `Open the Federation Entity Key that an authority kept for you and handed over (\`holdfast entity host take\`), with the
private half of your \`holdfast configuration recipient-key\`. It goes into private-keys.json (mode 0600) of a folder
that \`configuration init\` completes and \`configuration sign\` signs from.`;

export function addConfigurationTakeKeyCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('take-key')
    .summary('open the key that an authority kept for you')
    .description(DESCRIPTION)
    .argument('<file>', 'what the authority handed over, a JWE; - for standard input')
    .requiredOption('--key <file>', 'the private JWK that it is encrypted to')
    .option('--dir <folder>', 'the folder to put it into; one that has keys already is left alone')
    .option('--print', 'print the private JWK Set instead')
    .addHelpText('after', example('holdfast configuration take-key taken.jwe --key recipient.json --dir clinic'));
  command.action(async (file: string, { key, dir, print }: TakeKeyOptions) => {
    const session = openSession(command, surroundings);
    if ((dir === undefined) === (print !== true)) {
      throw new CommandError('usage', 'say where the key goes: --dir FOLDER, or --print');
    }
    const jwe = jweIn((await readTextInput(file, session)).trim(), file);
    const privateJwk = await openedKey(jwe, file, await readRecipientKey(key), key);
    if (dir === undefined) return session.output.json({ keys: [privateJwk] });
    await makeFolder(dir);
    await ignorePrivateKeys(dir);
    await createPrivateFile(keyFile(dir), { keys: [privateJwk] });
    const jwks = { keys: [publicHalf(privateJwk)] };
    const { kid, alg } = privateJwk;
    session.output.result({ keys: keyFile(dir), jwks }, (report) => {
      report.heading('Your key');
      report.facts([
        ['kid', String(kid)],
        ['algorithm', String(alg)],
        ['private key', keyFile(dir)],
      ]);
    });
    session.output.note(await nextStep(dir));
  });
}

async function nextStep(dir: string): Promise<string> {
  const hasSettings = await access(settingsFile(dir)).then(
    () => true,
    () => false,
  );
  const init =
    'make the settings beside it, with the metadata that was published for you: `holdfast configuration init';
  return hasSettings
    ? `Next: \`holdfast configuration sign --dir ${dir}\`, and hand the authority what it prints.`
    : `Next: ${init} --entity YOUR_IDENTIFIER --superior THE_AUTHORITY --metadata metadata.json --dir ${dir}\``;
}

/** The JWE as it was printed, or the answer of the API that has it. @throws CommandError usage */
function jweIn(content: string, file: string): string {
  const answer = content.startsWith('{') ? parseJsonInput(content, file) : content;
  const jwe = isJsonObject(answer) ? answer['jwe'] : answer;
  if (typeof jwe === 'string' && COMPACT_JWE.test(jwe)) return jwe;
  throw new CommandError('usage', `${nameOf(file)} holds no JWE, as \`holdfast entity host take\` prints it`, {
    code: 'file_invalid',
  });
}

/** @throws CommandError usage, without a word of what the file holds */
async function readRecipientKey(file: string): Promise<JsonObject> {
  const origin = '`holdfast configuration recipient-key` makes one, before the authority hands anything over.';
  const jwk = privateJson(await readPrivateFile(file, origin));
  if (isJsonObject(jwk) && typeof jwk['d'] === 'string' && typeof jwk['crv'] === 'string') return jwk;
  throw unusable(file, 'it holds no private JWK on a curve', origin);
}

function privateJson(content: string): unknown {
  try {
    return parseJson(content);
  } catch (error) {
    if (error instanceof FederationError) return undefined;
    throw error;
  }
}

/** The private JWK with its `kid` and `alg`. @throws CommandError usage, refused */
async function openedKey(jwe: string, file: string, recipient: JsonObject, recipientFile: string): Promise<JsonObject> {
  let opened: unknown;
  try {
    const key = await importJWK(recipient as JWK, 'ECDH-ES');
    const { plaintext } = await compactDecrypt(jwe, key, { keyManagementAlgorithms: ['ECDH-ES'] });
    opened = privateJson(new TextDecoder().decode(plaintext));
  } catch {
    throw new CommandError('refused', `the key in ${recipientFile} does not open ${nameOf(file)}`, {
      hint: `It is encrypted to the key ${kidOf(jwe)}. While nothing is uploaded, the authority may ask for the same again.`,
      code: 'key_not_opened',
    });
  }
  if (!isJsonObject(opened) || typeof opened['d'] !== 'string') {
    throw new CommandError('refused', `${nameOf(file)} holds no private key`, { code: 'key_not_opened' });
  }
  const kid = typeof opened['kid'] === 'string' ? opened['kid'] : await calculateJwkThumbprint(opened as JWK);
  const [jwk] = checkJwkSet({ keys: [{ ...publicHalf(opened), kid }] }, '').keys;
  return { use: 'sig', ...(jwk && { alg: algorithmOf(jwk, file) }), ...opened, kid };
}

function kidOf(jwe: string): string {
  try {
    return String(decodeProtectedHeader(jwe).kid);
  } catch {
    return 'that it does not name';
  }
}
