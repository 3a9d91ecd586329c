/** Trust lists in tests: authorities on them, and what can be done with them. */
import { STAFF_ROLES } from '../../src/registry/actor.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { addTrustListEntry } from '../../src/registry/trust-lists/add-trust-list-entry.ts';
import { judgePathsAnew } from '../../src/registry/trust-lists/judge-paths-anew.ts';
import { removeTrustListEntry } from '../../src/registry/trust-lists/remove-trust-list-entry.ts';
import { readTrustListCoverage } from '../../src/registry/trust-lists/trust-list-coverage.ts';
import {
  listTrustListEntries,
  readTrustListEntry,
  type TrustListEntry,
} from '../../src/registry/trust-lists/trust-list-entry.ts';
import type { TrustListPurpose } from '../../src/storage/schema/trust-list-entries.ts';
import { leafOf, root } from './certificate-paths.ts';
import { ecKey, pem } from './certificates.ts';
import { credential } from './credentials.ts';
import { NOW_DATE, type TestRegistry } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

/** Puts a certification authority on the list, one of its own unless told otherwise. */
export async function listed(
  registry: TestRegistry,
  { id }: Pick<Authority, 'id'>,
  certificate: Uint8Array = root().der,
  purpose: TrustListPurpose = 'transport',
): Promise<TrustListEntry> {
  return await addTrustListEntry(registry.context(), id, { purpose, certificate: pem(certificate) });
}

const READS: Pick<Verb, 'roles' | 'scope' | 'audit'> = { roles: STAFF_ROLES, scope: 'authority', audit: [] };
const CHANGES = { roles: ['admin'], scope: 'authority' } as const;

export const TRUST_LIST_VERBS: Verb[] = [
  {
    ...{ name: 'readTrustListEntry', ...READS },
    prepare: async (registry, authority) => {
      const { id } = await listed(registry, authority);
      return ({ db, actor }) => readTrustListEntry(db, actor, id);
    },
  },
  {
    ...{ name: 'listTrustListEntries', ...READS },
    prepare: async (registry, authority) => {
      await listed(registry, authority);
      return ({ db, actor }) => listTrustListEntries(db, actor, { authorityId: authority.id }, { limit: 10 });
    },
  },
  {
    ...{ name: 'readTrustListCoverage', ...READS },
    prepare:
      async (_, { id }) =>
      ({ db, actor }) =>
        readTrustListCoverage(db, actor, { authorityId: id }, NOW_DATE),
  },
  {
    ...{ name: 'addTrustListEntry', ...CHANGES, audit: ['trust_list_entry.add'] },
    prepare: async (_, { id }) => {
      const certificate = pem(root().der);
      return (context) => addTrustListEntry(context, id, { purpose: 'transport', certificate });
    },
  },
  {
    ...{ name: 'removeTrustListEntry', ...CHANGES, audit: ['trust_list_entry.remove'] },
    prepare: async (registry, authority) => {
      const { id } = await listed(registry, authority);
      return (context) => removeTrustListEntry(context, id);
    },
  },
  {
    ...{ name: 'judgePathsAnew', roles: ['admin'], scope: 'deployment', audit: ['credential.path'] },
    prepare: async (registry, owner) => {
      const authority = root();
      const material = { certificate: pem(leafOf(authority, { key: ecKey() })) };
      await credential(registry, owner, { material });
      await listed(registry, owner, authority.der);
      const list = { authorityId: owner.id, purpose: 'transport', changedAt: NOW_DATE } as const;
      return (context) => judgePathsAnew(context, list, new Date(NOW_DATE.getTime() + 1000));
    },
  },
];
