/** Token issuers in tests, and what can be done with them. */
import { STAFF_ROLES } from '../../src/registry/actor.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { addTokenIssuer, type NewTokenIssuer } from '../../src/registry/token-issuers/add-token-issuer.ts';
import { removeTokenIssuer } from '../../src/registry/token-issuers/remove-token-issuer.ts';
import {
  listTokenIssuers,
  readTokenIssuer,
  type SealClientSecret,
  type TokenIssuer,
} from '../../src/registry/token-issuers/token-issuer.ts';
import { updateTokenIssuer } from '../../src/registry/token-issuers/update-token-issuer.ts';
import { sealClientSecret } from '../../src/signer/client-secrets.ts';
import { freshIdentifier, freshJwks, TEST_MASTER_KEY, type TestRegistry } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

export const sealTestSecret: SealClientSecret = (secret, place) => sealClientSecret(TEST_MASTER_KEY, secret, place);

/** One whose JWTs are verified with keys of its own, unless told otherwise. */
export async function tokenIssuer(
  registry: Pick<TestRegistry, 'context'>,
  { id }: Pick<Authority, 'id'>,
  settings: Partial<NewTokenIssuer> = {},
): Promise<TokenIssuer> {
  const audiences = ['https://api.example'];
  const input = { issuer: freshIdentifier('as'), audiences, jwks: await jwksOf(), ...settings };
  return await addTokenIssuer(registry.context(), id, input, sealTestSecret);
}

async function jwksOf(): Promise<NonNullable<NewTokenIssuer['jwks']>> {
  return (await freshJwks()) as NonNullable<NewTokenIssuer['jwks']>;
}

const READS: Pick<Verb, 'roles' | 'scope'> = { roles: STAFF_ROLES, scope: 'authority' };
const CHANGES: Pick<Verb, 'roles' | 'scope'> = { roles: ['admin'], scope: 'authority' };

export const TOKEN_ISSUER_VERBS: Verb[] = [
  {
    ...{ name: 'readTokenIssuer', ...READS, audit: [] },
    prepare: async (registry, authority) => {
      const { id } = await tokenIssuer(registry, authority);
      return ({ db, actor }) => readTokenIssuer(db, actor, id);
    },
  },
  {
    ...{ name: 'listTokenIssuers', ...READS, audit: [] },
    prepare:
      async (_registry, { id }) =>
      ({ db, actor }) =>
        listTokenIssuers(db, actor, { authorityId: id }, { limit: 10 }),
  },
  {
    ...{ name: 'addTokenIssuer', ...CHANGES, audit: ['token_issuer.add'] },
    prepare: async (_registry, { id }) => {
      const input = { issuer: freshIdentifier('as'), audiences: ['x'], jwks: await jwksOf() };
      return (context) => addTokenIssuer(context, id, input, sealTestSecret);
    },
  },
  {
    ...{ name: 'updateTokenIssuer', ...CHANGES, audit: ['token_issuer.update'] },
    prepare: async (registry, authority) => {
      const { id } = await tokenIssuer(registry, authority);
      return (context) => updateTokenIssuer(context, id, { audiences: ['x'] }, sealTestSecret);
    },
  },
  {
    ...{ name: 'removeTokenIssuer', ...CHANGES, audit: ['token_issuer.remove'] },
    prepare: async (registry, authority) => {
      const { id } = await tokenIssuer(registry, authority);
      return (context) => removeTokenIssuer(context, id);
    },
  },
];
