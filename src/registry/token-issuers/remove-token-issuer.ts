/** Takes an authorization server off the list: its tokens let nobody in any more. */
import { eq } from 'drizzle-orm';
import { tokenIssuers } from '../../storage/schema/token-issuers.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { lockTokenIssuer, readTokenIssuer, tokenIssuerSnapshot } from './token-issuer.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch */
export async function removeTokenIssuer(
  context: ChangeContext,
  issuerId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId } = await readTokenIssuer(context.db, context.actor, issuerId);
  authorise(context.actor, ACCESS.removeTokenIssuer.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockTokenIssuer(tx, issuerId);
    requireVersion(before, expectedVersion);
    // Nobody needs the secret of what is not asked any more.
    const change = { state: 'removed', sealedSecret: null, version: before.version + 1 } as const;
    await tx.update(tokenIssuers).set(change).where(eq(tokenIssuers.id, issuerId));
    record({
      action: 'token_issuer.remove',
      authorityId,
      subjectKind: 'token_issuer',
      subjectId: issuerId,
      before: tokenIssuerSnapshot(before),
    });
  });
}
