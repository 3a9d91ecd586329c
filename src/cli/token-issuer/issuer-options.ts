/** Options about a token issuer: shared by `token-issuer add` and `token-issuer update`. */
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { CommandError } from '../command-error.ts';
import { optionalJsonInput, readTextInput } from '../input-file.ts';
import { repeatable } from '../option-values.ts';
import type { Surroundings } from '../surroundings.ts';

export interface IssuerOptions {
  audience?: string[];
  jwks?: string | false;
  jwksUri?: string | false;
  introspection?: string | false;
  clientId?: string;
  clientSecretFile?: string;
  signedIntrospection?: boolean;
  acceptUntyped?: boolean;
}

export function addIssuerOptions(command: Command): Command {
  return command
    .option('--audience <audience>', 'what its tokens must be meant for; may be repeated, one is enough', repeatable)
    .option('--jwks <file>', 'its public keys, a JWK Set; - is standard input')
    .option('--jwks-uri <url>', 'in their place: where it publishes them')
    .option('--introspection <url>', 'where it is asked about tokens')
    .option('--client-id <id>', 'how it knows us there')
    .option('--client-secret-file <file>', 'a file with our secret there; - is standard input')
    .option('--signed-introspection', 'its answers are signed, and no others are believed')
    .option('--accept-untyped', 'its JWTs count although they do not say at+jwt');
}

/**
 * The settings named, as the API takes them; `undefined` where nothing was said.
 * @param present how it is asked about tokens so far
 * @throws CommandError usage
 */
export async function issuerSettings(
  options: IssuerOptions,
  surroundings: Pick<Surroundings, 'stdin'>,
  present: { endpoint: string; clientId: string; isSigned: boolean } | null = null,
): Promise<Record<string, JsonValue | undefined>> {
  const { jwks, jwksUri } = options;
  if (jwks === '-' && options.clientSecretFile === '-') {
    throw new CommandError('usage', 'keys and secret cannot both come from standard input');
  }
  return {
    audiences: options.audience,
    // Either takes the place of the other.
    jwks:
      typeof jwks === 'string'
        ? await optionalJsonInput(surroundings)(jwks)
        : noneIf(jwks === false || isText(jwksUri)),
    jwksUri: isText(jwksUri) ? jwksUri : noneIf(jwksUri === false || isText(jwks)),
    introspection: introspectionOf(options, present),
    clientSecret: await secretOf(options.clientSecretFile, surroundings),
    acceptsUntypedTokens: options.acceptUntyped,
  };
}

function isText(value: string | false | undefined): value is string {
  return typeof value === 'string';
}

function noneIf(isNone: boolean): null | undefined {
  return isNone ? null : undefined;
}

function introspectionOf(
  { introspection: endpoint, clientId, signedIntrospection }: IssuerOptions,
  present: { endpoint: string; clientId: string; isSigned: boolean } | null,
): JsonValue | undefined {
  if (endpoint === false) return null;
  const given = { endpoint, clientId, isSigned: signedIntrospection };
  if (Object.values(given).every((value) => value === undefined)) return undefined;
  const whole = {
    endpoint: endpoint ?? present?.endpoint,
    clientId: clientId ?? present?.clientId,
    isSigned: signedIntrospection ?? present?.isSigned ?? false,
  };
  if (whole.endpoint !== undefined && whole.clientId !== undefined) return { ...whole } as JsonValue;
  throw new CommandError('usage', 'introspection needs --introspection and --client-id');
}

/** Never an argument: those are in the list of processes and in the history of the shell. @throws CommandError usage */
async function secretOf(
  file: string | undefined,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const secret = (await readTextInput(file, surroundings)).replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new CommandError('usage', '--client-secret-file is empty');
}
