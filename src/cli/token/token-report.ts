/** How API tokens are shown; never their secrets. */
import type { ApiClient } from '../api-client.ts';
import { authoritySchema, organisationSchema, type TokenRecord } from '../api-records.ts';
import { shortMoment } from '../times.ts';

export const TOKEN_COLUMNS = ['ID', 'NAME', 'ROLES', 'REACHES', 'STATE', 'EXPIRES'];

/** Of organisations and authorities, by id. */
type Names = ReadonlyMap<string, string>;

export function tokenRow(token: TokenRecord, names: Names, nowMs = Date.now()): string[] {
  const { id, name, roles, expiresAt } = token;
  return [id, name, roles.join(', '), reachText(token, names), stateOf(token, nowMs), shortMoment(expiresAt)];
}

/** What the organisations and, of staff, the authorities that some tokens reach are called. */
export async function reachNames(
  client: ApiClient,
  tokens: readonly Pick<TokenRecord, 'authorityIds' | 'organisationIds'>[],
): Promise<Names> {
  const names = new Map<string, string>();
  for (const id of new Set(tokens.flatMap(({ organisationIds }) => organisationIds ?? []))) {
    const { legalName } = await client.send({ method: 'GET', path: `organisations/${id}` }, organisationSchema);
    names.set(id, legalName);
  }
  const ofStaff = tokens.filter(({ organisationIds }) => organisationIds === null);
  for (const id of new Set(ofStaff.flatMap(({ authorityIds }) => authorityIds ?? []))) {
    const { entityIdentifier } = await client.send({ method: 'GET', path: `authorities/${id}` }, authoritySchema);
    names.set(id, entityIdentifier);
  }
  return names;
}

/** What a token reaches: organisations of a member, else authorities. */
export function reachText(
  { authorityIds, organisationIds }: Pick<TokenRecord, 'authorityIds' | 'organisationIds'>,
  names: Names,
): string {
  const ids = organisationIds ?? authorityIds;
  return ids === null ? 'all' : ids.map((id) => names.get(id) ?? id).join(', ');
}

function stateOf({ revokedAt, expiresAt }: TokenRecord, nowMs: number): string {
  if (revokedAt !== null) return 'revoked';
  return Date.parse(expiresAt) <= nowMs ? 'expired' : 'active';
}
