/** Our own authorities as records: what they publish and what they put into the statements they issue. */
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { authorities } from '../../storage/schema/authorities.ts';
import type { AuthorityKeyState, authorityKeys } from '../../storage/schema/authority-keys.ts';

export type Authority = typeof authorities.$inferSelect;
export type AuthorityKey = typeof authorityKeys.$inferSelect;

/** A key without its private half, sealed or not. */
export type AuthorityKeyRecord = Omit<AuthorityKey, 'sealedPrivateKey' | 'tokenObject'>;

/** A Federation Entity Key as its maker hands it to the registry; made and sealed by the signer. */
export interface NewAuthorityKey {
  kid: string;
  alg: string;
  publicJwk: Jwk;
  /** Null when a token has the private half. */
  sealedPrivateKey: Uint8Array | null;
  /** Who holds the private half; sealed in the database unless said otherwise. */
  custody?: AuthorityKey['custody'];
  /** Where the token has it. */
  tokenObject?: string | null;
}

/** Makes the keys of authorities; filled by who composes the program. */
export type GenerateAuthorityKey = (authorityId: string) => Promise<NewAuthorityKey>;

const PUBLISHED_STATES: ReadonlySet<AuthorityKeyState> = new Set(['announced', 'active', 'retired']);

/** Whether the Entity Configuration lists the key; all others are historical (OIDFED §8.7). */
export function isPublishedKey({ state }: Pick<AuthorityKey, 'state'>): boolean {
  return PUBLISHED_STATES.has(state);
}

export const DEFAULT_LIFETIMES = {
  configurationLifetimeSeconds: 24 * 3600,
  statementLifetimeSeconds: 3600,
  resolveLifetimeSeconds: 3600,
} as const;

export function authoritySnapshot(authority: Authority): JsonObject {
  const { id: _, location: __, version: ___, createdAt: ____, trustMarkOwners, enrolmentFlow, ...fields } = authority;
  const owners = Object.entries(trustMarkOwners).map(([type, { sub, jwks }]) => [type, { sub, jwks }] as const);
  const flow = enrolmentFlow?.map((step) => ({ ...step }) as JsonObject) ?? null;
  return { ...fields, enrolmentFlow: flow, trustMarkOwners: Object.fromEntries(owners) };
}
