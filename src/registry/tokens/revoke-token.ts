/** Revokes an API token; it stops at once on every node. */
import { eq } from 'drizzle-orm';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { isRecordId } from '../record-id.ts';
import { type ApiToken, tokenSnapshot, withoutHash } from './api-token.ts';

/** Revoking a revoked token changes nothing. @throws RegistryError not_found, role_missing */
export async function revokeToken(context: ChangeContext, tokenId: string, reason?: string): Promise<ApiToken> {
  authorise(context.actor, ['admin'], null);
  if (!isRecordId(tokenId)) throw notFound('token', tokenId);
  return changeRegistry(context, async (tx, record) => {
    const [row] = await tx.select().from(apiTokens).where(eq(apiTokens.id, tokenId)).for('update');
    if (row === undefined) throw notFound('token', tokenId);
    const token = withoutHash(row);
    if (token.revokedAt !== null) return token;
    await tx.update(apiTokens).set({ revokedAt: context.now }).where(eq(apiTokens.id, tokenId));
    record({
      action: 'api_token.revoke',
      authorityId: null,
      subjectKind: 'api_token',
      subjectId: tokenId,
      before: tokenSnapshot(token),
      reason,
    });
    return { ...token, revokedAt: context.now };
  });
}
