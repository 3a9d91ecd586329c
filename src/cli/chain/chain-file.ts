/** Trust Chains as a person has them: a body of `application/trust-chain+json`, or what contains a chain. @see OIDFED §4.3 */
import { FederationError } from '../../federation/errors.ts';
import { isJsonObject, type JsonObject } from '../../federation/json.ts';
import { decodeJwt } from '../../federation/signature.ts';
import { parseTrustChain } from '../../federation/trust-chain/handed-over.ts';
import { CommandError } from '../command-error.ts';
import { nameOf, parseJsonInput, readTextInput } from '../input-file.ts';
import type { Surroundings } from '../surroundings.ts';

const COMPACT_JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Reads a JSON array of JWTs; the `trustChain` or `trust_chain` of a JSON object, such as `holdfast resolve --json`
 * writes; or that of a JWT: the claim of a resolve response, else the header.
 * @throws CommandError usage, naming the file and what is wrong with it
 */
export async function readTrustChain(file: string, surroundings: Pick<Surroundings, 'stdin'>): Promise<string[]> {
  const content = (await readTextInput(file, surroundings)).trim();
  try {
    if (COMPACT_JWT.test(content)) {
      const { header, claims } = decodeJwt(content);
      return chainIn(claims) ?? chainIn(header) ?? none(file);
    }
    const value = parseJsonInput(content, file);
    return isJsonObject(value) ? (chainIn(value) ?? none(file)) : parseTrustChain(content);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw new CommandError('usage', `${nameOf(file)} holds no Trust Chain: ${error.message}`, {
      hint: 'It must be a JSON array of the JWTs, the Entity Configuration of the subject first.',
      code: error.reason,
      cause: error,
    });
  }
}

function chainIn(members: JsonObject): string[] | undefined {
  const chain = members['trustChain'] ?? members['trust_chain'];
  return chain === undefined ? undefined : parseTrustChain(JSON.stringify(chain));
}

function none(file: string): never {
  throw new FederationError('trust_chain_malformed', `there is no trust_chain in ${nameOf(file)}`);
}
