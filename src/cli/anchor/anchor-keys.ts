/** Keys of a Trust Anchor as a person hands them over: a JWK Set, or the anchor's Entity Configuration. */
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { JsonValue } from '../../federation/json.ts';
import { checkJwkSet, type JwkSet } from '../../federation/jwk-set.ts';
import { verifySignature } from '../../federation/signature.ts';
import { parseEntityStatement } from '../../federation/statement/validate-statement.ts';
import { CommandError } from '../command-error.ts';
import { nameOf, parseJsonInput, readTextInput } from '../input-file.ts';
import type { Surroundings } from '../surroundings.ts';

export interface AnchorKeysSource {
  anchor: EntityIdentifier;
  /** A path; `-` is standard input. */
  file: string;
  allowHttp: boolean;
}

export interface AnchorKeys {
  jwks: JwkSet;
  /** What the person should know about where the keys came from. */
  warning?: string;
}

const COMPACT_JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** @throws CommandError usage, naming the file and what is wrong with it */
export async function readAnchorKeys(
  source: AnchorKeysSource,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<AnchorKeys> {
  const content = (await readTextInput(source.file, surroundings)).trim();
  try {
    if (!COMPACT_JWT.test(content)) return { jwks: checkJwkSet(parseJsonInput(content, source.file) as JsonValue, '') };
    const jwks = await keysOfConfiguration(content, source);
    const warning = `the keys of ${source.anchor} are from its own Entity Configuration, which proves nothing by itself: compare them out of band (\`holdfast anchor fetch\`)`;
    return { jwks, warning };
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const place = error.at === '' ? '' : `${error.at} `;
    throw new CommandError(
      'usage',
      `${nameOf(source.file)} holds no keys of ${source.anchor}: ${place}${error.message}`,
      {
        hint: 'It must be a JWK Set of public keys, or the Entity Configuration of the Trust Anchor.',
        code: error.reason,
        cause: error,
      },
    );
  }
}

/** Its times do not matter: the keys are compared by a person, today. */
async function keysOfConfiguration(jwt: string, { anchor, allowHttp }: AnchorKeysSource): Promise<JwkSet> {
  const statement = parseEntityStatement(jwt, { allowHttp });
  const { iss, sub, jwks } = statement.claims;
  if (iss !== anchor || sub !== anchor) {
    throw new FederationError('subject_mismatch', `is a statement by ${iss} about ${sub}`);
  }
  await verifySignature(statement, jwks);
  return jwks;
}
