/** Our own authorities as records: what they publish and what they put into the statements they issue. */
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { authorities } from '../../storage/schema/authorities.ts';
import type { authorityKeys } from '../../storage/schema/authority-keys.ts';

export type Authority = typeof authorities.$inferSelect;
export type AuthorityKey = typeof authorityKeys.$inferSelect;

/** A Federation Entity Key as its maker hands it to the registry; made and sealed by the signer. */
export interface NewAuthorityKey {
  kid: string;
  alg: string;
  publicJwk: Jwk;
  sealedPrivateKey: Uint8Array;
}

/** Makes the keys of authorities; filled by who composes the program. */
export type GenerateAuthorityKey = (authorityId: string) => Promise<NewAuthorityKey>;

export const DEFAULT_LIFETIMES = {
  configurationLifetimeSeconds: 24 * 3600,
  statementLifetimeSeconds: 3600,
  resolveLifetimeSeconds: 3600,
} as const;

export function authoritySnapshot(authority: Authority): JsonObject {
  const { id: _, location: __, version: ___, createdAt: ____, ...fields } = authority;
  return fields;
}
