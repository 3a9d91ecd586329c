/** Gives a token a new secret; the old one stays good for a while, so that whoever uses it can change over. */
import { eq } from 'drizzle-orm';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { ACCESS } from '../access.ts';
import { requireNotSuspended, requireRole } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { type ApiToken, auditedAuthority, hashToken, newTokenSecret, tokenSnapshot } from './api-token.ts';
import { lockToken } from './lock-token.ts';
import { requireGovernable } from './token-reach.ts';

export interface TokenRotation {
  /** How long the old secret stays good, at most as long as the token. */
  overlapSeconds: number;
}

/** Longest time for which two secrets are good, in hours. */
export const MAX_OVERLAP_HOURS = 7 * 24;

/**
 * Roles, reach and end of the token stay; of one that was rotated just before, the oldest secret ends at once.
 * @throws RegistryError not_found, role_missing, validation_failed, illegal_transition when it expired or was revoked
 */
export async function rotateToken(
  context: ChangeContext,
  tokenId: string,
  rotation: TokenRotation,
): Promise<NewSecret> {
  requireRole(context.actor, ACCESS.rotateToken.roles);
  return await rotate(context, tokenId, rotation, (token) => requireGovernable(context.actor, token));
}

/**
 * The same for the token that asks, with its present secret: the one before ends when it was to end, whoever has it.
 * @throws RegistryError illegal_transition, also when it is none of those on record
 */
export async function rotateOwnToken(context: ChangeContext, rotation: TokenRotation): Promise<NewSecret> {
  const { kind, id, isReplaced = false } = context.actor;
  requireRole(context.actor, ACCESS.rotateOwnToken.roles);
  if (kind !== 'token') {
    const message =
      'this token is not kept here: it comes from the environment, or is got anew by an assertion or certificate';
    throw new RegistryError('illegal_transition', message, { allowed: [] });
  }
  if (isReplaced) {
    const message = 'this token has a new secret already; rotate it with that one';
    throw new RegistryError('illegal_transition', message, { allowed: [] });
  }
  return await rotate(context, id, rotation, () => {});
}

interface NewSecret {
  token: ApiToken;
  secret: string;
}

async function rotate(
  context: ChangeContext,
  tokenId: string,
  { overlapSeconds }: TokenRotation,
  requireMayRotate: (token: ApiToken) => void,
): Promise<NewSecret> {
  if (!(overlapSeconds >= 0 && overlapSeconds <= MAX_OVERLAP_HOURS * 3600)) {
    throw invalidField('/overlapHours', `is 0 to ${MAX_OVERLAP_HOURS}`);
  }
  const secret = newTokenSecret();
  return await changeRegistry(context, async (tx, record) => {
    const { token: before, tokenHash: previousHash } = await lockToken(tx, tokenId);
    requireMayRotate(before);
    requireNotSuspended(context.actor, before.organisationIds ?? []);
    requireGood(before, context.now);
    const end = Math.min(context.now.getTime() + overlapSeconds * 1000, before.expiresAt.getTime());
    const token: ApiToken = { ...before, previousExpiresAt: new Date(end) };
    await tx
      .update(apiTokens)
      .set({ tokenHash: hashToken(secret), previousHash, previousExpiresAt: token.previousExpiresAt })
      .where(eq(apiTokens.id, tokenId));
    record({
      action: 'api_token.rotate',
      authorityId: auditedAuthority(token),
      subjectKind: 'api_token',
      subjectId: tokenId,
      before: tokenSnapshot(before),
      after: tokenSnapshot(token),
    });
    return { token, secret };
  });
}

/** @throws RegistryError illegal_transition */
function requireGood({ revokedAt, expiresAt }: ApiToken, now: Date): void {
  if (revokedAt === null && expiresAt > now) return;
  const state = revokedAt === null ? 'expired' : 'revoked';
  throw new RegistryError('illegal_transition', `this token is ${state}; make a new one`, { from: state, allowed: [] });
}
