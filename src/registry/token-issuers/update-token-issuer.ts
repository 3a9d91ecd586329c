/** Changes how the tokens of an authorization server are verified; its `iss` stays. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { tokenIssuers } from '../../storage/schema/token-issuers.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import {
  lockTokenIssuer,
  readTokenIssuer,
  requireValidIssuer,
  type SealClientSecret,
  sealedSecretFor,
  type TokenIssuer,
  type TokenIssuerFields,
  tokenIssuerSnapshot,
} from './token-issuer.ts';

export interface TokenIssuerChanges extends Partial<TokenIssuerFields> {
  clientSecret?: string;
}

/**
 * What is so already changes nothing; whether a secret is the present one is not looked at.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch
 */
export async function updateTokenIssuer(
  context: ChangeContext,
  issuerId: string,
  { clientSecret, ...changes }: TokenIssuerChanges,
  seal: SealClientSecret,
  expectedVersion?: number,
): Promise<TokenIssuer> {
  const { authorityId } = await readTokenIssuer(context.db, context.actor, issuerId);
  authorise(context.actor, ACCESS.updateTokenIssuer.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockTokenIssuer(tx, issuerId);
    requireVersion(before, expectedVersion);
    const changed = { ...withChanges(before, changes), version: before.version + 1 };
    requireValidIssuer(changed, context);
    const after = { ...changed, sealedSecret: sealedSecretFor(changed, before, clientSecret, seal) };
    const isSame = clientSecret === undefined && jsonEquals(tokenIssuerSnapshot(before), tokenIssuerSnapshot(after));
    if (isSame) return;
    await tx.update(tokenIssuers).set(after).where(eq(tokenIssuers.id, issuerId));
    record({
      action: 'token_issuer.update',
      authorityId,
      subjectKind: 'token_issuer',
      subjectId: issuerId,
      before: tokenIssuerSnapshot(before),
      after: { ...tokenIssuerSnapshot(after), ...(clientSecret !== undefined && { clientSecret: 'changed' }) },
    });
  });
  return readTokenIssuer(context.db, context.actor, issuerId);
}
