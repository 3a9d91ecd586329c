/** Every verb of the registry and of enrolment, ready to be tried by anybody: who may do it, and what the audit says. */
import { approveEntity } from '../../src/enrolment/approve-entity.ts';
import { enrolEntity } from '../../src/enrolment/enrol-entity.ts';
import { enrolHandedOver } from '../../src/enrolment/enrol-handed-over.ts';
import { createEnrolmentChallenge } from '../../src/enrolment/enrolment-challenge.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { createAuthority } from '../../src/registry/authorities/create-authority.ts';
import { listAuthorities, listAuthorityKeys, readAuthority } from '../../src/registry/authorities/read-authority.ts';
import { updateAuthority } from '../../src/registry/authorities/update-authority.ts';
import type { ChangeContext } from '../../src/registry/change.ts';
import { addEntity } from '../../src/registry/entities/add-entity.ts';
import { listEntities, readEntity } from '../../src/registry/entities/read-entity.ts';
import { recordChecks } from '../../src/registry/entities/record-checks.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../src/registry/entities/update-entity.ts';
import { listAudit } from '../../src/registry/list-audit.ts';
import { addOrganisation } from '../../src/registry/organisations/add-organisation.ts';
import { listOrganisations, readOrganisation } from '../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../src/registry/organisations/update-organisation.ts';
import { bindMasterKey } from '../../src/registry/prepare-deployment.ts';
import { rewrapAuthorityKeys } from '../../src/registry/rewrap-authority-keys.ts';
import { TRANSITION_NAMES, TRANSITIONS, type Transition } from '../../src/registry/states.ts';
import { createToken } from '../../src/registry/tokens/create-token.ts';
import { listTokens } from '../../src/registry/tokens/list-tokens.ts';
import { revokeToken } from '../../src/registry/tokens/revoke-token.ts';
import { pinTrustAnchor } from '../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { recordSeenKeys } from '../../src/registry/trust-anchors/record-seen-keys.ts';
import { replaceTrustAnchorKeys } from '../../src/registry/trust-anchors/replace-trust-anchor-keys.ts';
import {
  listTrustAnchors,
  type PinnedTrustAnchor,
  readTrustAnchor,
} from '../../src/registry/trust-anchors/trust-anchor.ts';
import { unpinTrustAnchor } from '../../src/registry/trust-anchors/unpin-trust-anchor.ts';
import { makeMasterKeyCheck, masterKeyMatches } from '../../src/signer/master-key-check.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { enrolmentOf, keyProof, publishedEntity } from './enrolment.ts';
import { testKey } from './keys.ts';
import {
  ALL_ROLES,
  freshIdentifier,
  freshJwks,
  generateTestKey,
  NOW_DATE,
  newEntity,
  TEST_MASTER_KEY,
  type TestRegistry,
} from './registry.ts';

export interface Verb {
  /** Name of the function, with the transition where it makes several. */
  name: string;
  /** Roles of which each alone is enough. */
  roles: readonly Role[];
  /** What it concerns: one authority, the whole deployment, or whatever the caller reaches. */
  scope: 'authority' | 'deployment' | 'reached';
  /** Actions that the audit shows after it. */
  audit: string[];
  /** Makes what it needs under the authority. @returns the verb itself, which anybody may then try once */
  prepare: (registry: TestRegistry, authority: Authority) => Promise<(context: ChangeContext) => Promise<unknown>>;
}

export const REASON = 'a reason of the test';
const PAGE = { limit: 100 };
const ADMIN: readonly Role[] = ['admin'];
const KEEPERS: readonly Role[] = ['admin', 'registrar'];
const DECIDERS: readonly Role[] = ['admin', 'approver'];
const WATCHERS: readonly Role[] = ['admin', 'auditor'];

const READS: Verb[] = [
  read('readAuthority', 'authority', async (_registry, { id }) => {
    return ({ db, actor }) => readAuthority(db, actor, id);
  }),
  read('listAuthorityKeys', 'authority', async (_registry, { id }) => {
    return ({ db, actor }) => listAuthorityKeys(db, actor, id);
  }),
  read(
    'listAuthorities',
    'reached',
    async () =>
      ({ db, actor }) =>
        listAuthorities(db, actor, PAGE),
  ),
  read('readOrganisation', 'authority', async (registry, authority) => {
    const { id } = await registry.organisation(authority);
    return ({ db, actor }) => readOrganisation(db, actor, id);
  }),
  read('listOrganisations', 'authority', async (registry, authority) => {
    await registry.organisation(authority);
    return ({ db, actor }) => listOrganisations(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readEntity', 'authority', async (registry, authority) => {
    const { id } = await registry.entity(await registry.organisation(authority));
    return ({ db, actor }) => readEntity(db, actor, id);
  }),
  read('listEntities', 'authority', async (registry, authority) => {
    await registry.entity(await registry.organisation(authority));
    return ({ db, actor }) => listEntities(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readTrustAnchor', 'authority', async (registry, authority) => {
    const { id } = await pinned(registry, authority);
    return ({ db, actor }) => readTrustAnchor(db, actor, id);
  }),
  read('listTrustAnchors', 'authority', async (registry, authority) => {
    await pinned(registry, authority);
    return ({ db, actor }) => listTrustAnchors(db, actor, { authorityId: authority.id }, PAGE);
  }),
  {
    ...read('listAudit', 'authority', async (_registry, { id }) => {
      return ({ db, actor }) => listAudit(db, actor, { authorityId: id }, PAGE);
    }),
    roles: WATCHERS,
  },
  {
    ...read(
      'listTokens',
      'deployment',
      async () =>
        ({ db, actor }) =>
          listTokens(db, actor, PAGE),
    ),
    roles: WATCHERS,
  },
];

const CHANGES: Verb[] = [
  {
    name: 'createAuthority',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['authority.create', 'authority_key.create'],
    prepare: async () => (context) => {
      const input = { entityIdentifier: freshIdentifier('made'), name: 'Made by a verb' };
      return createAuthority(context, input, generateTestKey);
    },
  },
  {
    name: 'updateAuthority',
    roles: ADMIN,
    scope: 'authority',
    audit: ['authority.update'],
    prepare: async (_registry, authority) => (context) =>
      updateAuthority(context, authority.id, { name: freshIdentifier('renamed') }),
  },
  {
    name: 'addOrganisation',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['organisation.add'],
    prepare:
      async (_registry, { id }) =>
      (context) =>
        addOrganisation(context, id, { name: 'New', contacts: [] }),
  },
  {
    name: 'updateOrganisation',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['organisation.update'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      return (context) => updateOrganisation(context, id, { name: 'Renamed' });
    },
  },
  ...TRANSITION_NAMES.map((name) =>
    transition('organisation', name, async (registry, authority) => {
      const { id } = await registry.organisation(authority, TRANSITIONS[name].from[0]);
      return (context) => transitionOrganisation(context, id, name, REASON);
    }),
  ),
  {
    name: 'addEntity',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.add'],
    prepare: async (registry, authority) => {
      const input = await newEntity(await registry.organisation(authority));
      return (context) => addEntity(context, input);
    },
  },
  {
    name: 'updateEntity',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.update'],
    prepare: async (registry, authority) => {
      const { id } = await registry.entity(await registry.organisation(authority));
      return (context) => updateEntity(context, id, { statementLifetimeSeconds: 1234 });
    },
  },
  ...TRANSITION_NAMES.map((name) =>
    transition('entity', name, async (registry, authority) => {
      const organisation = await registry.organisation(authority);
      const { id } = await registry.entity(organisation, {}, TRANSITIONS[name].from[0]);
      return (context) => transitionEntity(context, id, name, REASON);
    }),
  ),
  {
    name: 'recordChecks',
    roles: ['admin', 'registrar', 'approver'],
    scope: 'authority',
    audit: ['entity.check'],
    prepare: async (registry, authority) => {
      const { id, ...entity } = await registry.entity(await registry.organisation(authority));
      const { checks, verifiedEntityTypes, verifiedIntermediate } = entity;
      const found = { checks, verifiedEntityTypes, verifiedIntermediate, jwks: null };
      return (context) => recordChecks(context, id, { ...found, evidence: { digest: 'another' } });
    },
  },
  {
    name: 'pinTrustAnchor',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_anchor.pin'],
    prepare: async (_registry, { id }) => {
      const input = { entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() };
      return (context) => pinTrustAnchor(context, id, input);
    },
  },
  {
    name: 'replaceTrustAnchorKeys',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_anchor.replace_keys'],
    prepare: async (registry, authority) => {
      const { id } = await pinned(registry, authority);
      const jwks = await freshJwks();
      return (context) => replaceTrustAnchorKeys(context, id, { jwks });
    },
  },
  {
    name: 'recordSeenKeys',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['trust_anchor.learn_keys'],
    prepare: async (registry, authority) => {
      const { entityIdentifier, jwks: keys } = await pinned(registry, authority);
      const seen = { trustAnchor: entityIdentifier, pinned: keys as JwkSet, kind: 'learned' } as const;
      const jwks = await freshJwks();
      return (context) => recordSeenKeys(context, { ...seen, jwks, iat: NOW_DATE.getTime() / 1000 });
    },
  },
  {
    name: 'unpinTrustAnchor',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_anchor.unpin'],
    prepare: async (registry, authority) => {
      const { id } = await pinned(registry, authority);
      return (context) => unpinTrustAnchor(context, id);
    },
  },
  {
    name: 'createToken',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['api_token.create'],
    prepare: async () => (context) => createToken(context, NEW_TOKEN),
  },
  {
    name: 'revokeToken',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['api_token.revoke'],
    prepare: async (registry) => {
      const { token } = await createToken(registry.context(), NEW_TOKEN);
      return (context) => revokeToken(context, token.id, REASON);
    },
  },
];

const DEPLOYMENT: Verb[] = [
  {
    name: 'rewrapAuthorityKeys',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['deployment.rewrap_keys'],
    prepare: async ({ db }) => {
      const newCheck = makeMasterKeyCheck(TEST_MASTER_KEY);
      await bindMasterKey(db, newCheck, NOW_DATE);
      return (context) =>
        rewrapAuthorityKeys(context, {
          isPresentCheck: (check) => masterKeyMatches(TEST_MASTER_KEY, check),
          newCheck,
          rewrap: ({ sealedPrivateKey }) => sealedPrivateKey,
        });
    },
  },
];

const ENROLMENT: Verb[] = [
  {
    name: 'enrolEntity',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.add'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      const entity = await publishedEntity(authority);
      return (context) => enrolEntity(context, enrolmentOf(id, entity.identifier), entity.retrieve);
    },
  },
  {
    name: 'recheckEntity',
    roles: ['admin', 'registrar', 'approver'],
    scope: 'authority',
    audit: ['entity.check'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      const entity = await publishedEntity(authority);
      const enrolled = await enrolEntity(registry.context(), enrolmentOf(id, entity.identifier), entity.retrieve);
      entity.metadata['openid_relying_party'] = { client_name: 'Renamed' };
      return (context) => recheckEntity(context, enrolled.id, entity.retrieve);
    },
  },
  {
    name: 'approveEntity',
    roles: DECIDERS,
    scope: 'authority',
    audit: ['entity.approve'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      const entity = await publishedEntity(authority);
      const enrolled = await enrolEntity(registry.context(), enrolmentOf(id, entity.identifier), entity.retrieve);
      return (context) => approveEntity(context, enrolled.id, REASON, enrolled.version, entity.retrieve);
    },
  },
  {
    name: 'createEnrolmentChallenge',
    roles: ['registrar'],
    scope: 'authority',
    audit: [],
    prepare:
      async (_registry, { id }) =>
      (context) =>
        createEnrolmentChallenge(context, id, freshIdentifier('challenged')),
  },
  {
    name: 'enrolHandedOver',
    roles: ['registrar'],
    scope: 'authority',
    audit: ['entity.add'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      const key = await testKey('ES256', 3);
      const entityIdentifier = freshIdentifier('handed-over');
      const { challenge } = await createEnrolmentChallenge(registry.context(), authority.id, entityIdentifier);
      const proof = await keyProof(key, { iss: entityIdentifier, aud: authority.entityIdentifier, nonce: challenge });
      const input = {
        ...enrolmentOf(id, entityIdentifier),
        jwks: { keys: [key.jwk] },
        challenge,
        keyProofs: [proof],
        outOfBandCheck: 'called back',
      };
      return (context) => enrolHandedOver(context, input);
    },
  },
];

export const VERBS: readonly Verb[] = [...READS, ...CHANGES, ...DEPLOYMENT, ...ENROLMENT];

const NEW_TOKEN = {
  name: 'a token of the test',
  roles: ['auditor'] satisfies Role[],
  authorityIds: null,
  lifetimeSeconds: 60,
};

function read(name: string, scope: Verb['scope'], prepare: Verb['prepare']): Verb {
  return { name, roles: ALL_ROLES, scope, audit: [], prepare };
}

function transition(kind: 'organisation' | 'entity', name: Transition, prepare: Verb['prepare']): Verb {
  const verb = kind === 'entity' ? 'transitionEntity' : 'transitionOrganisation';
  return { name: `${verb} (${name})`, roles: DECIDERS, scope: 'authority', audit: [`${kind}.${name}`], prepare };
}

async function pinned(registry: TestRegistry, authority: Authority): Promise<PinnedTrustAnchor> {
  const input = { entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() };
  return await pinTrustAnchor(registry.context(), authority.id, input);
}
