/** What can be done with credentials, for tests of roles and audit that look at every verb. */
import { ACCESS } from '../../src/registry/access.ts';
import { STAFF_ROLES } from '../../src/registry/actor.ts';
import { addCredential } from '../../src/registry/credentials/add-credential.ts';
import { holdCredential } from '../../src/registry/credentials/hold-credential.ts';
import { listCredentials, readCredential } from '../../src/registry/credentials/read-credential.ts';
import { replaceCredential } from '../../src/registry/credentials/replace-credential.ts';
import { revokeCredential } from '../../src/registry/credentials/revoke-credential.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { clientCertificate, credential } from './credentials.ts';
import { NOW_DATE } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

const REASON = 'a reason of the test';
const PAGE = { limit: 100 };
/** Members are looked at in a test of their own. */
const staff = (operation: keyof typeof ACCESS): readonly Role[] =>
  STAFF_ROLES.filter((role) => ACCESS[operation].roles.includes(role));

export const CREDENTIAL_READS: Verb[] = [
  {
    ...{ name: 'readCredential', roles: staff('readCredential'), scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      const { id } = await credential(registry, authority);
      return ({ db, actor }) => readCredential(db, actor, id);
    },
  },
  {
    ...{ name: 'listCredentials', roles: staff('listCredentials'), scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      await credential(registry, authority);
      return ({ db, actor }) => listCredentials(db, actor, { authorityId: authority.id }, PAGE, NOW_DATE);
    },
  },
];

export const CREDENTIAL_CHANGES: Verb[] = [
  {
    ...{ name: 'addCredential', roles: staff('addCredential'), scope: 'authority', audit: ['credential.add'] },
    prepare: async (registry, authority) => {
      const { id } = await registry.entity(await registry.organisation(authority));
      const material = clientCertificate();
      return (context) => addCredential(context, id, { usage: 'transport', material });
    },
  },
  {
    ...{ name: 'replaceCredential', roles: staff('replaceCredential'), scope: 'authority' },
    audit: ['credential.add', 'credential.supersede'],
    prepare: async (registry, authority) => {
      const { id } = await credential(registry, authority);
      const material = clientCertificate();
      return (context) => replaceCredential(context, id, { material, until: null });
    },
  },
  {
    ...{
      name: 'holdCredential (hold)',
      roles: staff('holdCredential'),
      scope: 'authority',
      audit: ['credential.hold'],
    },
    prepare: async (registry, authority) => {
      const { id } = await credential(registry, authority);
      return (context) => holdCredential(context, id, 'hold', REASON);
    },
  },
  {
    ...{ name: 'holdCredential (release)', roles: staff('releaseCredential'), scope: 'authority' },
    audit: ['credential.release'],
    prepare: async (registry, authority) => {
      const { id } = await credential(registry, authority);
      await holdCredential(registry.context(), id, 'hold', REASON);
      return (context) => holdCredential(context, id, 'release', REASON);
    },
  },
  {
    ...{ name: 'revokeCredential', roles: staff('revokeCredential'), scope: 'authority', audit: ['credential.revoke'] },
    prepare: async (registry, authority) => {
      const { id } = await credential(registry, authority);
      return (context) => revokeCredential(context, id, { reasonCode: 'superseded', reason: REASON });
    },
  },
];
