/** How API tokens are shown; never their secrets. */
import type { TokenRecord } from '../api-records.ts';
import { shortMoment } from '../times.ts';

export const TOKEN_COLUMNS = ['ID', 'NAME', 'ROLES', 'AUTHORITIES', 'STATE', 'EXPIRES'];

export function tokenRow(token: TokenRecord, nowMs = Date.now()): string[] {
  const { id, name, roles, authorityIds, expiresAt } = token;
  return [id, name, roles.join(', '), authoritiesText(authorityIds), stateOf(token, nowMs), shortMoment(expiresAt)];
}

export function authoritiesText(authorityIds: readonly string[] | null): string {
  return authorityIds === null ? 'all' : authorityIds.join(', ');
}

function stateOf({ revokedAt, expiresAt }: TokenRecord, nowMs: number): string {
  if (revokedAt !== null) return 'revoked';
  return Date.parse(expiresAt) <= nowMs ? 'expired' : 'active';
}
