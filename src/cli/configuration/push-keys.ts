/** `holdfast configuration push-keys`: tells a superior which keys an entity has from now on. */
import type { Command } from 'commander';
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import { isJsonObject, parseJson } from '../../federation/json.ts';
import { MEDIA_TYPE, TYP } from '../../federation/media-types.ts';
import { endpointUrl } from '../../issuance/authority-endpoints.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import {
  addOutboundOptions,
  isHttpAllowed,
  type OutboundOptions,
  openOutbound,
  parseNamedEntity,
} from '../outbound-options.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type PartnerKey, readPartnerKeys, signAsPartner } from './partner-keys.ts';
import { keyFile, readSettings } from './settings.ts';

interface PushOptions extends OutboundOptions {
  dir: string;
  authority: string;
  signWith?: string;
  url?: string;
  print?: boolean;
}

const DESCRIPTION = `Tell a superior that runs Holdfast which keys you have: it registers exactly the keys of your key file, in its order,
and removes all others for good. The set is signed with a key that it has registered already.

To roll your key without breaking anyone, in this order:
  1. add the new key to private-keys.json, behind the old one, which goes on signing;
  2. push the keys to every superior: each lists both from now on;
  3. wait until no statement without the new key is in use any more: the lifetime of the superiors' statements about
     you (an hour, unless they say otherwise);
  4. move the new key to the front of the file and sign your Entity Configuration anew: it signs from now on;
  5. wait until your last configuration signed with the old key has expired;
  6. delete the old key from the file and push again, --sign-with the new one. The old key never returns.

Does somebody else have your old key? Do 1, 4 and 6 at once, with the new key pushed first, and call your superiors:
they mark it as compromised.`;

export function addConfigurationPushKeysCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('push-keys')
    .summary('tell a superior which keys you have, as when you roll one')
    .description(DESCRIPTION)
    .requiredOption('--dir <folder>', 'the folder that `configuration init` made')
    .requiredOption('--authority <entity-identifier>', 'the superior')
    .option('--sign-with <kid>', 'the key that signs, of those in the file (default: the first)')
    .option(
      '--url <url>',
      'where the superior takes key sets, if it says another place than /federation/subordinate-keys',
    )
    .option('--print', 'print the signed set instead of sending it');
  addOutboundOptions(command).addHelpText(
    'after',
    example('holdfast configuration push-keys --dir rp --authority https://fed.example.org'),
  );
  command.action(async (options: PushOptions) => {
    const { output } = openSession(command, surroundings);
    const allowHttp = isHttpAllowed(options, surroundings);
    const settings = await readSettings(options.dir, surroundings);
    const subject = parseNamedEntity(settings.entity, allowHttp);
    const authority = parseNamedEntity(options.authority, allowHttp);
    const jwt = await signedKeySet(options, subject, authority);
    if (options.print === true) return output.text(jwt, { jwt });
    const answer = await send(options, surroundings, authority, jwt);
    output.result(answer, (report) => {
      report.heading(`Registered with ${authority}`);
      for (const name of ['registered', 'added', 'removed']) {
        const kids = answer[name];
        if (Array.isArray(kids)) report.facts(kids.map((kid) => [name, String(kid)] as const));
      }
    });
  });
}

async function signedKeySet(
  { dir, signWith }: PushOptions,
  subject: EntityIdentifier,
  authority: EntityIdentifier,
): Promise<string> {
  const { keys, jwks } = await readPartnerKeys(keyFile(dir));
  const key: PartnerKey | undefined = signWith === undefined ? keys[0] : keys.find(({ kid }) => kid === signWith);
  if (key === undefined) {
    throw new CommandError('usage', `${keyFile(dir)} holds no key${signWith === undefined ? '' : ` ${signWith}`}`);
  }
  // To the millisecond: of two sets made within a second the later one counts, too.
  const iat = Date.now() / 1000;
  const exp = Math.ceil(iat) + LIFETIME_SECONDS;
  const claims = { iss: subject, sub: subject, aud: authority, iat, exp, keys: jwks.keys };
  return await signAsPartner(key, TYP.jwkSet, JSON.stringify(claims));
}

/** It is sent at once; who prints it has time to hand it over. */
const LIFETIME_SECONDS = 3600;

async function send(
  options: PushOptions,
  surroundings: Surroundings,
  authority: EntityIdentifier,
  jwt: string,
): Promise<Record<string, unknown>> {
  await using outbound = await openOutbound(options, surroundings, [authority]);
  const url = options.url ?? endpointUrl(authority, 'subordinateKeys');
  const { status, body } = await unlessRefused(() =>
    outbound.post(url, { body: jwt, contentType: MEDIA_TYPE.jwkSet, accept: [MEDIA_TYPE.json] }),
  );
  const answer = jsonOf(body);
  if (status === 200) return answer;
  const description = typeof answer['error_description'] === 'string' ? answer['error_description'] : `HTTP ${status}`;
  throw new CommandError('refused', `${authority} refused the keys: ${description}`, {
    code: typeof answer['error'] === 'string' ? answer['error'] : 'refused',
    ...(status === 401 ? { hint: 'Sign with a key that is registered there: --sign-with.' } : {}),
  });
}

async function unlessRefused<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw new CommandError('unreachable', error.message, { code: error.reason, cause: error });
  }
}

function jsonOf(body: Uint8Array | string): Record<string, unknown> {
  try {
    const value = parseJson(typeof body === 'string' ? body : new TextDecoder().decode(body));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
