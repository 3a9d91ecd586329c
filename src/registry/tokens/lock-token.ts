/** Takes hold of a token's record until the transaction ends. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { notFound } from '../actor.ts';
import { isRecordId } from '../record-id.ts';
import { type ApiToken, withoutHash } from './api-token.ts';

/** With the hash of its present secret. @throws RegistryError not_found */
export async function lockToken(tx: Tx, tokenId: string): Promise<{ token: ApiToken; tokenHash: Uint8Array }> {
  if (!isRecordId(tokenId)) throw notFound('token', tokenId);
  const [row] = await tx.select().from(apiTokens).where(eq(apiTokens.id, tokenId)).for('update');
  if (row === undefined) throw notFound('token', tokenId);
  return { token: withoutHash(row), tokenHash: row.tokenHash };
}
