/** API tokens: 256 random bits, of which only the SHA-256 is kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { JsonObject } from '../../federation/json.ts';
import type { apiTokens, Role } from '../../storage/schema/api-tokens.ts';
import type { Actor } from '../actor.ts';

export type ApiTokenRow = typeof apiTokens.$inferSelect;

/** A token as it may be shown: without the secret and without its hash. */
export type ApiToken = Omit<ApiTokenRow, 'tokenHash'>;

export const ROLES: readonly Role[] = ['admin', 'registrar', 'approver', 'auditor'];

/** Longest life of a token, in days. */
export const MAX_TOKEN_LIFETIME_DAYS = 366;

/** The prefix lets secret scanners recognise a leaked token. */
export function newTokenSecret(): string {
  return `holdfast_${randomBytes(32).toString('base64url')}`;
}

export function hashToken(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

export function withoutHash({ tokenHash: _, ...token }: ApiTokenRow): ApiToken {
  return token;
}

export function tokenSnapshot(token: ApiToken): JsonObject {
  const { name, roles, authorityIds } = token;
  return { name, roles, authorityIds, expiresAt: token.expiresAt.toISOString() };
}

export function actorOf(token: ApiToken): Actor {
  return {
    kind: 'token',
    id: token.id,
    name: token.name,
    roles: token.roles,
    authorities: token.authorityIds === null ? 'all' : new Set(token.authorityIds),
  };
}
