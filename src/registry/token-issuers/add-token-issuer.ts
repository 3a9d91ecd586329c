/** Lists an authorization server whose access tokens an authority believes. */
import { tokenIssuers } from '../../storage/schema/token-issuers.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  readTokenIssuer,
  requireIssuer,
  requireValidIssuer,
  type SealClientSecret,
  sealedSecretFor,
  type TokenIssuer,
  type TokenIssuerFields,
  type TokenIssuerRow,
  tokenIssuerSnapshot,
} from './token-issuer.ts';

export interface NewTokenIssuer extends Partial<TokenIssuerFields> {
  issuer: string;
  audiences: string[];
  clientSecret?: string;
}

/** @throws RegistryError not_found, role_missing, validation_failed, token_issuer_exists */
export async function addTokenIssuer(
  context: ChangeContext,
  authorityId: string,
  { clientSecret, issuer, audiences, ...fields }: NewTokenIssuer,
  seal: SealClientSecret,
): Promise<TokenIssuer> {
  const { actor, db } = context;
  authorise(actor, ACCESS.addTokenIssuer.roles, authorityId);
  await readAuthority(db, actor, authorityId);
  const { jwks = null, jwksUri = null, introspection = null, acceptsUntypedTokens = false } = fields;
  const shown: Omit<TokenIssuerRow, 'sealedSecret'> = {
    ...{ id: context.newId(), authorityId, issuer, audiences, jwks, jwksUri, introspection, acceptsUntypedTokens },
    ...{ state: 'active', version: 1, createdAt: context.now },
  };
  requireIssuer(issuer, context);
  requireValidIssuer(shown, context);
  const row = { ...shown, sealedSecret: sealedSecretFor(shown, undefined, clientSecret, seal) };
  await changeRegistry(context, async (tx, record) => {
    try {
      await tx.insert(tokenIssuers).values(row);
    } catch (error) {
      if (!isUniqueViolation(error, 'token_issuers_issuer')) throw error;
      throw new RegistryError('token_issuer_exists', `${issuer} is listed already`, {}, { cause: error });
    }
    record({
      action: 'token_issuer.add',
      authorityId,
      subjectKind: 'token_issuer',
      subjectId: row.id,
      after: tokenIssuerSnapshot(row),
    });
  });
  return readTokenIssuer(db, actor, row.id);
}
