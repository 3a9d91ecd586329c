/** API tokens: 256 random bits, of which only the SHA-256 is kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { JsonObject } from '../../federation/json.ts';
import type { apiTokens, Role } from '../../storage/schema/api-tokens.ts';
import { type Actor, MEMBER_ROLES, STAFF_ROLES } from '../actor.ts';

export type ApiTokenRow = typeof apiTokens.$inferSelect;

/** A token as it may be shown: without the secrets and without their hashes. */
export type ApiToken = Omit<ApiTokenRow, 'tokenHash' | 'previousHash'>;

export const ROLES = [...STAFF_ROLES, ...MEMBER_ROLES] as const satisfies readonly Role[];

/** Longest life of a token, in days. */
export const MAX_TOKEN_LIFETIME_DAYS = 366;

/** The prefix lets secret scanners recognise a leaked token. */
export function newTokenSecret(): string {
  return `holdfast_${randomBytes(32).toString('base64url')}`;
}

export function hashToken(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

export function withoutHash({ tokenHash: _, previousHash: __, ...token }: ApiTokenRow): ApiToken {
  return token;
}

export function tokenSnapshot(token: ApiToken): JsonObject {
  const { name, roles, authorityIds, organisationIds, expiresAt, previousExpiresAt } = token;
  return {
    ...{ name, roles, authorityIds, organisationIds },
    expiresAt: expiresAt.toISOString(),
    previousExpiresAt: previousExpiresAt?.toISOString() ?? null,
  };
}

/** The authority whose audit tells of a token; null for one that reaches several. */
export function auditedAuthority({ authorityIds }: Pick<ApiToken, 'authorityIds'>): string | null {
  const [only, ...others] = authorityIds ?? [];
  return only === undefined || others.length > 0 ? null : only;
}

/** @param organisationIds of a member's token, those of its organisations that are still there */

export function actorOf(token: ApiToken, organisationIds: readonly string[] | null = token.organisationIds): Actor {
  return {
    kind: 'token',
    id: token.id,
    name: token.name,
    roles: token.roles,
    authorities: token.authorityIds === null ? 'all' : new Set(token.authorityIds),
    organisations: organisationIds === null ? 'all' : new Set(organisationIds),
  };
}
