/** Revokes an API token; it stops at once on every node. */
import { eq } from 'drizzle-orm';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { ACCESS } from '../access.ts';
import { requireRole } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { type ApiToken, auditedAuthority, tokenSnapshot } from './api-token.ts';
import { lockToken } from './lock-token.ts';
import { requireGovernable } from './token-reach.ts';

/** Revoking a revoked token changes nothing. @throws RegistryError not_found, role_missing */
export async function revokeToken(context: ChangeContext, tokenId: string, reason?: string): Promise<ApiToken> {
  requireRole(context.actor, ACCESS.revokeToken.roles);
  return changeRegistry(context, async (tx, record) => {
    const { token } = await lockToken(tx, tokenId);
    requireGovernable(context.actor, token);
    if (token.revokedAt !== null) return token;
    await tx.update(apiTokens).set({ revokedAt: context.now }).where(eq(apiTokens.id, tokenId));
    record({
      action: 'api_token.revoke',
      authorityId: auditedAuthority(token),
      subjectKind: 'api_token',
      subjectId: tokenId,
      before: tokenSnapshot(token),
      reason,
    });
    return { ...token, revokedAt: context.now };
  });
}
