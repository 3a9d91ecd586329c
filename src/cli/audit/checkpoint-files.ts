/** Checkpoints that somebody kept, read from files and verified. */
import { type AuditCheckpointClaims, parseAuditCheckpoint } from '../../federation/audit-checkpoint.ts';
import { FederationError } from '../../federation/errors.ts';
import { isJsonObject, type JsonValue } from '../../federation/json.ts';
import { checkJwkSet, type JwkSet } from '../../federation/jwk-set.ts';
import { verifySignature } from '../../federation/signature.ts';
import { CommandError } from '../command-error.ts';
import { nameOf, parseJsonInput, readJsonInput, readTextInput } from '../input-file.ts';
import type { Surroundings } from '../surroundings.ts';

/** Keys by the Entity Identifier of who is said to have signed. */
export type CheckpointKeys = (issuer: string) => Promise<JwkSet>;

export interface KeptCheckpoint extends AuditCheckpointClaims {
  file: string;
}

/**
 * Reads checkpoints: a file holds a JWT, the record of one as JSON, or a list of records.
 * @throws CommandError usage for a file that holds none; refused for one that the keys do not verify
 */
export async function readCheckpoints(
  files: readonly string[],
  keysOf: CheckpointKeys,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<KeptCheckpoint[]> {
  const kept: KeptCheckpoint[] = [];
  for (const file of files) {
    const content = (await readTextInput(file, surroundings)).trim();
    if (content === '') throw emptyFile(file);
    for (const jwt of jwtsIn(content, file)) kept.push({ ...(await verified(jwt, file, keysOf)), file });
  }
  return kept;
}

/** A shell makes the file before the command that is to fill it, which may then fail. */
function emptyFile(file: string): CommandError {
  return new CommandError('usage', `${nameOf(file)} is empty: the checkpoint that belongs there was never made`, {
    hint: 'Make one with `holdfast audit checkpoint --out FILE`, which leaves no empty file behind.',
    code: 'file_invalid',
  });
}

function jwtsIn(content: string, file: string): string[] {
  if (!content.startsWith('{')) return [content];
  const record = parseJsonInput(content, file);
  const records: JsonValue[] = isJsonObject(record) && Array.isArray(record['items']) ? record['items'] : [record];
  return records.map((each) => (isJsonObject(each) && typeof each['jwt'] === 'string' ? each['jwt'] : ''));
}

async function verified(jwt: string, file: string, keysOf: CheckpointKeys): Promise<AuditCheckpointClaims> {
  let checkpoint: ReturnType<typeof parseAuditCheckpoint>;
  try {
    checkpoint = parseAuditCheckpoint(jwt, { allowHttp: true });
  } catch (error) {
    throw complaint('usage', `${nameOf(file)} holds no checkpoint`, error);
  }
  const jwks = await keysOf(checkpoint.claims.iss);
  try {
    await verifySignature(checkpoint, jwks);
  } catch (error) {
    const hint = 'Keys from elsewhere, such as the historical keys, are given with --jwks.';
    throw complaint('refused', `${nameOf(file)} holds a checkpoint that cannot be believed`, error, hint);
  }
  return checkpoint.claims;
}

function complaint(kind: 'usage' | 'refused', problem: string, error: unknown, hint?: string): unknown {
  if (!(error instanceof FederationError)) return error;
  const place = error.at === '' ? '' : `${error.at} `;
  return new CommandError(kind, `${problem}: ${place}${error.message}`, { hint, code: error.reason, cause: error });
}

/** @throws CommandError usage */
export async function readKeysFile(file: string, surroundings: Pick<Surroundings, 'stdin'>): Promise<JwkSet> {
  const value = await readJsonInput(file, surroundings);
  try {
    return checkJwkSet(value, '');
  } catch (error) {
    throw complaint('usage', `${nameOf(file)} is no JWK Set of public keys`, error);
  }
}
