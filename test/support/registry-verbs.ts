/** Every verb of the registry and of enrolment, ready to be tried by anybody: who may do it, and what the audit says. */
import { eq } from 'drizzle-orm';
import { approveEntity, rejectEntity } from '../../src/enrolment/decide-entity.ts';
import { enrolEntity } from '../../src/enrolment/enrol-entity.ts';
import { enrolHandedOver } from '../../src/enrolment/enrol-handed-over.ts';
import { createEnrolmentChallenge } from '../../src/enrolment/enrolment-challenge.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import { refreshEntity } from '../../src/enrolment/refresh-entity.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import { keyThumbprint } from '../../src/federation/key-thumbprint.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { addApiResource } from '../../src/registry/api-resources/add-api-resource.ts';
import { listApiResources, readApiResource } from '../../src/registry/api-resources/read-api-resource.ts';
import { removeApiResource } from '../../src/registry/api-resources/remove-api-resource.ts';
import { updateApiResource } from '../../src/registry/api-resources/update-api-resource.ts';
import { listAuditCheckpoints, makeAuditCheckpoint } from '../../src/registry/audit/audit-checkpoint.ts';
import { exportAudit } from '../../src/registry/audit/export-audit.ts';
import { listAudit } from '../../src/registry/audit/list-audit.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { createAuthority } from '../../src/registry/authorities/create-authority.ts';
import { activateAuthorityKey } from '../../src/registry/authorities/keys/activate-authority-key.ts';
import { announceAuthorityKey } from '../../src/registry/authorities/keys/announce-authority-key.ts';
import { archiveAuthorityKey } from '../../src/registry/authorities/keys/archive-authority-key.ts';
import { revokeAuthorityKey } from '../../src/registry/authorities/keys/revoke-authority-key.ts';
import { STATEMENTS_ONLY } from '../../src/registry/authorities/keys/signed-by-key.ts';
import { listAuthorities, listAuthorityKeys, readAuthority } from '../../src/registry/authorities/read-authority.ts';
import { updateAuthority } from '../../src/registry/authorities/update-authority.ts';
import { addAuthorizationServer } from '../../src/registry/authorization-servers/add-authorization-server.ts';
import {
  listAuthorizationServers,
  readAuthorizationServer,
} from '../../src/registry/authorization-servers/read-authorization-server.ts';
import { removeAuthorizationServer } from '../../src/registry/authorization-servers/remove-authorization-server.ts';
import { updateAuthorizationServer } from '../../src/registry/authorization-servers/update-authorization-server.ts';
import type { ChangeContext } from '../../src/registry/change.ts';
import { listDecisions } from '../../src/registry/decisions/list-decisions.ts';
import { addEntity } from '../../src/registry/entities/add-entity.ts';
import { changeEntitySuspension } from '../../src/registry/entities/change-suspension.ts';
import { decideProposedKey } from '../../src/registry/entities/keys/decide-proposed-key.ts';
import { followConfiguration } from '../../src/registry/entities/keys/follow-configuration.ts';
import { markKeyCompromised } from '../../src/registry/entities/keys/mark-key-compromised.ts';
import { pushKeys } from '../../src/registry/entities/keys/push-keys.ts';
import { readEntityKeys } from '../../src/registry/entities/keys/read-entity-keys.ts';
import { removeEntityKey } from '../../src/registry/entities/keys/remove-entity-key.ts';
import { listEntities, readEntity } from '../../src/registry/entities/read-entity.ts';
import { readStatedApplication } from '../../src/registry/entities/read-stated-application.ts';
import { recordChecks } from '../../src/registry/entities/record-checks.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../src/registry/entities/update-entity.ts';
import { eventsInReach } from '../../src/registry/events/events-in-reach.ts';
import { EXCEPTION_TRANSITION_NAMES } from '../../src/registry/exceptions/exception.ts';
import { listExceptions, readException } from '../../src/registry/exceptions/read-exception.ts';
import { requestException } from '../../src/registry/exceptions/request-exception.ts';
import { transitionException } from '../../src/registry/exceptions/transition-exception.ts';
import { remindMembers } from '../../src/registry/life-cycle/attestation/remind-members.ts';
import { takeFindings } from '../../src/registry/life-cycle/directory-findings.ts';
import { listFindings } from '../../src/registry/life-cycle/list-findings.ts';
import { recordPassedDates } from '../../src/registry/offers/record-passed-dates.ts';
import { addOrganisation } from '../../src/registry/organisations/add-organisation.ts';
import { changeOrganisationSuspension } from '../../src/registry/organisations/change-suspension.ts';
import { addContact } from '../../src/registry/organisations/contacts/add-contact.ts';
import { confirmContact } from '../../src/registry/organisations/contacts/confirm-contact.ts';
import type { Contact } from '../../src/registry/organisations/contacts/contact.ts';
import { listContacts, readContact } from '../../src/registry/organisations/contacts/read-contact.ts';
import { removeContact } from '../../src/registry/organisations/contacts/remove-contact.ts';
import { updateContact } from '../../src/registry/organisations/contacts/update-contact.ts';
import { listOrganisations, readOrganisation } from '../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../src/registry/organisations/update-organisation.ts';
import { bindMasterKey } from '../../src/registry/prepare-deployment.ts';
import { readPropagation } from '../../src/registry/propagation/read-propagation.ts';
import { rewrapAuthorityKeys } from '../../src/registry/rewrap-authority-keys.ts';
import { addAuthorisationDomain } from '../../src/registry/roles/add-authorisation-domain.ts';
import { addRole } from '../../src/registry/roles/add-role.ts';
import { assignRole } from '../../src/registry/roles/assign-role.ts';
import { listAuthorisationDomains, readAuthorisationDomain } from '../../src/registry/roles/authorisation-domain.ts';
import { listEntityRoles, readEntityRole } from '../../src/registry/roles/entity-role.ts';
import { giveRole } from '../../src/registry/roles/give-role.ts';
import { recordPassedRoleDates } from '../../src/registry/roles/record-passed-role-dates.ts';
import { removeRoleAssignment } from '../../src/registry/roles/remove-role-assignment.ts';
import { listRoles, readRole } from '../../src/registry/roles/role.ts';
import { listRoleAssignments, readRoleAssignment } from '../../src/registry/roles/role-assignment.ts';
import { takeRole } from '../../src/registry/roles/take-role.ts';
import { transitionRole } from '../../src/registry/roles/transition-role.ts';
import { updateAuthorisationDomain } from '../../src/registry/roles/update-authorisation-domain.ts';
import { updateRole } from '../../src/registry/roles/update-role.ts';
import { updateRoleAssignment } from '../../src/registry/roles/update-role-assignment.ts';
import { readSlo } from '../../src/registry/slo/read-slo.ts';
import { TRANSITION_NAMES, TRANSITIONS, type Transition } from '../../src/registry/states.ts';
import { createToken } from '../../src/registry/tokens/create-token.ts';
import { listTokens } from '../../src/registry/tokens/list-tokens.ts';
import { revokeToken } from '../../src/registry/tokens/revoke-token.ts';
import { rotateToken } from '../../src/registry/tokens/rotate-token.ts';
import { EXPORT_FORMAT, exportRegistry } from '../../src/registry/transfer/export-registry.ts';
import { readDocument, type TransferDocument } from '../../src/registry/transfer/import-document.ts';
import { importRegistry } from '../../src/registry/transfer/import-registry.ts';
import {
  approveImport,
  listImports,
  readImport,
  readImportDifferences,
  rejectImport,
  requestRestore,
  type StoredImport,
  tryRestore,
} from '../../src/registry/transfer/stored-imports.ts';
import { pinTrustAnchor } from '../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { recordSeenKeys } from '../../src/registry/trust-anchors/record-seen-keys.ts';
import { replaceTrustAnchorKeys } from '../../src/registry/trust-anchors/replace-trust-anchor-keys.ts';
import {
  listTrustAnchors,
  type PinnedTrustAnchor,
  readTrustAnchor,
} from '../../src/registry/trust-anchors/trust-anchor.ts';
import { unpinTrustAnchor } from '../../src/registry/trust-anchors/unpin-trust-anchor.ts';
import { defineTrustMarkType } from '../../src/registry/trust-marks/define-trust-mark-type.ts';
import { dropHeldTrustMark } from '../../src/registry/trust-marks/drop-held-trust-mark.ts';
import { grantTrustMark } from '../../src/registry/trust-marks/grant-trust-mark.ts';
import { listHeldTrustMarks, readHeldTrustMark } from '../../src/registry/trust-marks/held-trust-mark.ts';
import { holdTrustMark } from '../../src/registry/trust-marks/hold-trust-mark.ts';
import { makeTrustMarkDelegation } from '../../src/registry/trust-marks/make-trust-mark-delegation.ts';
import { renewTrustMark } from '../../src/registry/trust-marks/renew-trust-mark.ts';
import { renewTrustMarkDelegation } from '../../src/registry/trust-marks/renew-trust-mark-delegation.ts';
import { requestTrustMark } from '../../src/registry/trust-marks/request-trust-mark.ts';
import { transitionTrustMark } from '../../src/registry/trust-marks/transition-trust-mark.ts';
import { transitionTrustMarkType } from '../../src/registry/trust-marks/transition-trust-mark-type.ts';
import {
  listTrustMarks,
  readTrustMark,
  TRUST_MARK_TRANSITION_NAMES,
} from '../../src/registry/trust-marks/trust-mark.ts';
import {
  listTrustMarkDelegations,
  readTrustMarkDelegation,
  type SignDelegation,
} from '../../src/registry/trust-marks/trust-mark-delegation.ts';
import { listTrustMarkTypes, readTrustMarkType } from '../../src/registry/trust-marks/trust-mark-type.ts';
import { updateTrustMarkType } from '../../src/registry/trust-marks/update-trust-mark-type.ts';
import { withdrawTrustMarkDelegation } from '../../src/registry/trust-marks/withdraw-trust-mark-delegation.ts';
import { makeMasterKeyCheck, masterKeyMatches } from '../../src/signer/master-key-check.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { authorityKeys } from '../../src/storage/schema/authority-keys.ts';
import { contacts } from '../../src/storage/schema/contacts.ts';
import { imports } from '../../src/storage/schema/imports.ts';
import type { ParticipantState } from '../../src/storage/schema/organisations.ts';
import { CERTIFICATE_VERBS } from './certificate-verbs.ts';
import { CERTIFICATION_AUTHORITY_VERBS } from './certification-authorities.ts';
import { CREDENTIAL_CHANGES, CREDENTIAL_READS } from './credential-verbs.ts';
import { ENFORCEMENT_POINT_VERBS } from './enforcement-points.ts';
import { enrolmentOf, keyProof, publishedEntity } from './enrolment.ts';
import { ENROLMENT_VERBS } from './enrolment-verbs.ts';
import { exceptionOf, newException } from './exceptions.ts';
import { NOW } from './federation.ts';
import { HOSTING_CHANGES, HOSTING_READS } from './hosting-verbs.ts';
import { signJwt, testKey } from './keys.ts';
import { apiResource, authorizationServer, provider } from './offers.ts';
import {
  ALL_ROLES,
  actor,
  freshIdentifier,
  freshJwks,
  generateTestKey,
  NOW_DATE,
  newEntity,
  nextId,
  REASON,
  TEST_MASTER_KEY,
  type TestRegistry,
} from './registry.ts';
import { assignedRole, authorisationDomain, givenRole, role } from './roles.ts';
import { freshKey, TestSubordinate } from './subordinate-keys.ts';
import { TOKEN_ISSUER_VERBS } from './token-issuers.ts';
import { TRUST_LIST_VERBS } from './trust-lists.ts';
import { WEBHOOK_VERBS } from './webhooks.ts';

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

const PAGE = { limit: 100 };
const ADMIN: readonly Role[] = ['admin'];
const KEEPERS: readonly Role[] = ['admin', 'registrar'];
const DECIDERS: readonly Role[] = ['admin', 'approver'];
const WATCHERS: readonly Role[] = ['admin', 'auditor'];

const READS: Verb[] = [
  read('listDecisions', 'authority', async (_registry, { id }) => {
    return ({ db, actor }) => listDecisions(db, actor, { authorityId: id }, PAGE);
  }),
  read('eventsInReach', 'authority', async (_registry, { id }) => {
    return async ({ actor }) => eventsInReach(actor, { authorityId: id, types: [], roleIds: [] });
  }),
  read('readPropagation', 'authority', async (_registry, { id }) => {
    return ({ db, actor }) => readPropagation(db, actor, 'latest', id);
  }),
  read(
    'readSlo',
    'deployment',
    async () =>
      ({ db, actor, now }) =>
        readSlo(db, actor, now),
  ),
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
  read('readContact', 'authority', async (registry, authority) => {
    const contact = await contactOf(registry, authority);
    return ({ db, actor }) => readContact(db, actor, contact.organisationId, contact.id);
  }),
  read('listContacts', 'authority', async (registry, authority) => {
    const { id } = await registry.organisation(authority);
    return ({ db, actor }) => listContacts(db, actor, id, {}, PAGE);
  }),
  read('readEntity', 'authority', async (registry, authority) => {
    const { id } = await registry.entity(await registry.organisation(authority));
    return ({ db, actor }) => readEntity(db, actor, id);
  }),
  read('readStatedApplication', 'authority', async (registry, authority) => {
    const { id } = await registry.entity(await registry.organisation(authority));
    return ({ db, actor, now }) => readStatedApplication(db, actor, id, now.getTime() / 1000);
  }),
  read('readEntityKeys', 'authority', async (registry, authority) => {
    const { id } = await registry.entity(await registry.organisation(authority));
    return ({ db, actor }) => readEntityKeys(db, actor, id);
  }),
  read('listEntities', 'authority', async (registry, authority) => {
    await registry.entity(await registry.organisation(authority));
    return ({ db, actor }) => listEntities(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readAuthorisationDomain', 'authority', async (registry, authority) => {
    const { id } = await authorisationDomain(registry, authority);
    return ({ db, actor }) => readAuthorisationDomain(db, actor, id);
  }),
  read('listAuthorisationDomains', 'authority', async (registry, authority) => {
    await authorisationDomain(registry, authority);
    return ({ db, actor }) => listAuthorisationDomains(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readRole', 'authority', async (registry, authority) => {
    const { id } = await role(registry, authority);
    return ({ db, actor }) => readRole(db, actor, id);
  }),
  read('listRoles', 'authority', async (registry, authority) => {
    await role(registry, authority);
    return ({ db, actor }) => listRoles(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readRoleAssignment', 'authority', async (registry, authority) => {
    const { id, organisationId } = await assignedRole(registry, await registry.organisation(authority));
    return ({ db, actor }) => readRoleAssignment(db, actor, organisationId, id);
  }),
  read('listRoleAssignments', 'authority', async (registry, authority) => {
    const { organisationId } = await assignedRole(registry, await registry.organisation(authority));
    return ({ db, actor }) => listRoleAssignments(db, actor, organisationId, {}, PAGE);
  }),
  read('readEntityRole', 'authority', async (registry, authority) => {
    const { entityId, id } = await givenRole(registry, authority);
    return ({ db, actor }) => readEntityRole(db, actor, entityId, id);
  }),
  read('listEntityRoles', 'authority', async (registry, authority) => {
    const { entityId } = await givenRole(registry, authority);
    return ({ db, actor }) => listEntityRoles(db, actor, entityId, {}, PAGE);
  }),
  read('readAuthorizationServer', 'authority', async (registry, authority) => {
    const { id } = await authorizationServer(registry, authority);
    return ({ db, actor }) => readAuthorizationServer(db, actor, id);
  }),
  read('listAuthorizationServers', 'authority', async (registry, authority) => {
    await authorizationServer(registry, authority);
    return ({ db, actor }) => listAuthorizationServers(db, actor, { authorityId: authority.id }, PAGE, NOW_DATE);
  }),
  read('readApiResource', 'authority', async (registry, authority) => {
    const { id } = await apiResource(registry, authority);
    return ({ db, actor }) => readApiResource(db, actor, id);
  }),
  read('listApiResources', 'authority', async (registry, authority) => {
    await apiResource(registry, authority);
    return ({ db, actor }) => listApiResources(db, actor, { authorityId: authority.id }, PAGE, NOW_DATE);
  }),
  read('readTrustAnchor', 'authority', async (registry, authority) => {
    const { id } = await pinned(registry, authority);
    return ({ db, actor }) => readTrustAnchor(db, actor, id);
  }),
  read('listTrustAnchors', 'authority', async (registry, authority) => {
    await pinned(registry, authority);
    return ({ db, actor }) => listTrustAnchors(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readException', 'authority', async (registry, authority) => {
    const { id } = await exceptionOf(registry, authority);
    return ({ db, actor }) => readException(db, actor, id);
  }),
  read('listExceptions', 'authority', async (registry, authority) => {
    await exceptionOf(registry, authority);
    return ({ db, actor }) => listExceptions(db, actor, { authorityId: authority.id }, PAGE, NOW_DATE);
  }),
  read('listFindings', 'authority', async (_registry, authority) => {
    return ({ db, actor }) => listFindings(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readTrustMarkType', 'authority', async (registry, authority) => {
    const { id } = await registry.trustMarkType(authority);
    return ({ db, actor }) => readTrustMarkType(db, actor, id);
  }),
  read('listTrustMarkTypes', 'authority', async (registry, authority) => {
    await registry.trustMarkType(authority);
    return ({ db, actor }) => listTrustMarkTypes(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readTrustMark', 'authority', async (registry, authority) => {
    const { id } = await registry.trustMark(await registry.trustMarkType(authority));
    return ({ db, actor }) => readTrustMark(db, actor, id);
  }),
  read('listTrustMarks', 'authority', async (registry, authority) => {
    await registry.trustMark(await registry.trustMarkType(authority));
    return ({ db, actor }) => listTrustMarks(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readTrustMarkDelegation', 'authority', async (registry, authority) => {
    const { id } = await delegated(registry, authority);
    return ({ db, actor }) => readTrustMarkDelegation(db, actor, id);
  }),
  read('listTrustMarkDelegations', 'authority', async (registry, authority) => {
    await delegated(registry, authority);
    return ({ db, actor }) => listTrustMarkDelegations(db, actor, { authorityId: authority.id }, PAGE);
  }),
  read('readHeldTrustMark', 'authority', async (registry, authority) => {
    const { id } = await held(registry, authority);
    return ({ db, actor }) => readHeldTrustMark(db, actor, id);
  }),
  read('listHeldTrustMarks', 'authority', async (registry, authority) => {
    await held(registry, authority);
    return ({ db, actor }) => listHeldTrustMarks(db, actor, authority.id);
  }),
  {
    ...read('listAudit', 'authority', async (_registry, { id }) => {
      return ({ db, actor }) => listAudit(db, actor, { authorityId: id }, PAGE);
    }),
    roles: WATCHERS,
  },
  {
    ...read(
      'exportAudit',
      'deployment',
      async () =>
        ({ db, actor }) =>
          exportAudit(db, actor),
    ),
    roles: WATCHERS,
  },
  {
    ...read(
      'exportRegistry',
      'deployment',
      async () =>
        ({ db, actor: by }) =>
          exportRegistry(db, by),
    ),
    roles: ADMIN,
  },
  {
    ...read(
      'listImports',
      'deployment',
      async () =>
        ({ db, actor: by, now }) =>
          listImports(db, by, PAGE, now),
    ),
    roles: ADMIN,
  },
  {
    ...read('readImport', 'deployment', async (registry) => {
      const { id } = await waitingImport(registry);
      return ({ db, actor: by, now }) => readImport(db, by, id, now);
    }),
    roles: ADMIN,
  },
  {
    ...read('readImportDifferences', 'deployment', async (registry) => {
      const { id } = await waitingImport(registry);
      return (context) => readImportDifferences(context, id);
    }),
    roles: ADMIN,
  },
  {
    ...{ name: 'importRegistry', roles: ADMIN, scope: 'deployment', audit: ['organisation.import', 'import.apply'] },
    prepare: async (_registry, { id }) => {
      const document = await oneOrganisation(id);
      return (context) => importRegistry(context, document, { digest: 'x' });
    },
  },
  {
    ...read('tryRestore', 'deployment', async (_registry, { id }) => {
      const document = await oneOrganisation(id);
      return (context) => tryRestore(context, document);
    }),
    roles: ADMIN,
  },
  {
    ...{ name: 'requestRestore', roles: ADMIN, scope: 'deployment', audit: ['import.request'] },
    prepare: async (registry, { id }) => {
      const document = await oneOrganisation(id);
      // Not too many may wait.
      await registry.db.delete(imports);
      return (context) => requestRestore(context, document, Buffer.from('{}'));
    },
  },
  {
    ...{ name: 'approveImport', roles: ADMIN, scope: 'deployment', audit: ['import.approve'] },
    prepare: async (registry) => {
      const { id } = await waitingImport(registry);
      return (context) => approveImport(context, id, 'compared');
    },
  },
  {
    ...{ name: 'rejectImport', roles: ADMIN, scope: 'deployment', audit: ['import.reject'] },
    prepare: async (registry) => {
      const { id } = await waitingImport(registry);
      return (context) => rejectImport(context, id, 'no');
    },
  },
  {
    ...read('listAuditCheckpoints', 'authority', async (_registry, { id }) => {
      return ({ db, actor }) => listAuditCheckpoints(db, actor, { authorityId: id }, PAGE);
    }),
    roles: WATCHERS,
  },
  {
    // It changes nothing that is on record.
    ...read('makeAuditCheckpoint', 'authority', async (_registry, { id }) => {
      return (context) => makeAuditCheckpoint(context, id, async () => 'signed');
    }),
    roles: WATCHERS,
  },
  {
    ...read(
      'listTokens',
      'reached',
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
    name: 'requestException',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity_exception.request'],
    prepare: async (registry, authority) => {
      const { id } = await registry.entity(await registry.organisation(authority));
      const exception = await newException(registry);
      return (context) => requestException(context, id, exception);
    },
  },
  ...EXCEPTION_TRANSITION_NAMES.map(
    (name): Verb => ({
      name: `transitionException (${name})`,
      roles: DECIDERS,
      scope: 'authority',
      audit: [`entity_exception.${name}`],
      prepare: async (registry, authority) => {
        const { id } = await exceptionOf(registry, authority);
        return (context) => transitionException(context, id, name, REASON);
      },
    }),
  ),
  {
    name: 'recordPassedDates',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['authorization_server.deprecate'],
    prepare: async (registry, authority) => {
      // What other verbs left behind is written down first.
      await recordPassedDates(registry.context());
      await authorizationServer(registry, authority, { deprecatedAt: NOW_DATE });
      return (context) => recordPassedDates(context);
    },
  },
  {
    name: 'recordPassedRoleDates',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['role_assignment.end'],
    prepare: async (registry, authority) => {
      await recordPassedRoleDates(registry.context());
      const { id: roleId } = await role(registry, authority);
      const { id } = await registry.organisation(authority);
      const before = registry.context(actor(), { now: new Date(NOW_DATE.getTime() - 1000) });
      await assignRole(before, id, { roleId, validTo: NOW_DATE });
      return (context) => recordPassedRoleDates(context);
    },
  },
  {
    name: 'remindMembers',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['contact.remind'],
    prepare: async (registry, authority) => {
      const { id } = await contactOf(registry, authority);
      const longAgo = new Date(NOW_DATE.getTime() - (authority.contactConfirmationDays ?? 0) * 86_400_000);
      await registry.db.update(contacts).set({ createdAt: longAgo }).where(eq(contacts.id, id));
      return (context) => remindMembers(context);
    },
  },
  {
    name: 'takeFindings',
    roles: ADMIN,
    scope: 'deployment',
    audit: ['api_resource.certification_lapsed'],
    prepare: async (registry, authority) => {
      await takeFindings(registry.context());
      const certification = { status: 'certified', uri: null, from: null, to: NOW_DATE } as const;
      await apiResource(registry, authority, { certification });
      return (context) => takeFindings(context);
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
    name: 'announceAuthorityKey',
    roles: ADMIN,
    scope: 'authority',
    audit: ['authority_key.announce'],
    prepare: async (registry, { id }) => {
      await withoutAnnouncedKey(registry, id);
      return (context) => announceAuthorityKey(context, id, {}, generateTestKey);
    },
  },
  {
    name: 'activateAuthorityKey',
    roles: ADMIN,
    scope: 'authority',
    audit: ['authority_key.retire', 'authority_key.activate'],
    prepare: async (registry, { id }) => {
      const kid = await announcedKey(registry, id);
      return (context) => activateAuthorityKey(context, id, kid, { isForced: true });
    },
  },
  {
    name: 'archiveAuthorityKey',
    roles: ADMIN,
    scope: 'authority',
    audit: ['authority_key.archive'],
    prepare: async (registry, { id }) => {
      const kid = await announcedKey(registry, id);
      const retired = { state: 'retired', removeAfter: NOW_DATE } as const;
      await registry.db.update(authorityKeys).set(retired).where(eq(authorityKeys.kid, kid));
      return (context) => archiveAuthorityKey(context, id, kid, STATEMENTS_ONLY);
    },
  },
  {
    name: 'revokeAuthorityKey',
    roles: ADMIN,
    scope: 'authority',
    audit: ['authority_key.revoke'],
    prepare: async (registry, { id }) => {
      const kid = await announcedKey(registry, id);
      return (context) => revokeAuthorityKey(context, id, kid, REVOCATION, KEY_TOOLS);
    },
  },
  {
    name: 'addOrganisation',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['organisation.add'],
    prepare:
      async (_registry, { id }) =>
      (context) =>
        addOrganisation(context, id, { legalName: 'New' }),
  },
  {
    name: 'updateOrganisation',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['organisation.update'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      return (context) => updateOrganisation(context, id, { legalName: 'Renamed' });
    },
  },
  ...TRANSITION_NAMES.map((name) =>
    transition('organisation', name, async (registry, authority) => {
      const { id } = await registry.organisation(authority, TRANSITIONS[name].from[0]);
      return (context) => transitionOrganisation(context, id, name, REASON);
    }),
  ),
  {
    name: 'changeOrganisationSuspension',
    roles: DECIDERS,
    scope: 'authority',
    audit: ['organisation.change_suspension'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority, 'suspended');
      return (context) => changeOrganisationSuspension(context, id, { until: new Date('2099-01-01'), reason: REASON });
    },
  },
  {
    name: 'addContact',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['contact.add'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      return (context) => addContact(context, id, { type: 'billing', email: 'pay@partner.example' });
    },
  },
  {
    name: 'updateContact',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['contact.update'],
    prepare: async (registry, authority) => {
      const contact = await contactOf(registry, authority);
      return (context) => updateContact(context, contact.organisationId, contact.id, { name: 'Renamed' });
    },
  },
  {
    name: 'confirmContact',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['contact.confirm'],
    prepare: async (registry, authority) => {
      const contact = await contactOf(registry, authority);
      return (context) => confirmContact(context, contact.organisationId, contact.id, REASON);
    },
  },
  {
    name: 'removeContact',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['contact.remove'],
    prepare: async (registry, authority) => {
      const contact = await contactOf(registry, authority, 'pending');
      return (context) => removeContact(context, contact.organisationId, contact.id);
    },
  },
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
    name: 'changeEntitySuspension',
    roles: DECIDERS,
    scope: 'authority',
    audit: ['entity.change_suspension'],
    prepare: async (registry, authority) => {
      const { id } = await registry.entity(await registry.organisation(authority), {}, 'suspended');
      return (context) => changeEntitySuspension(context, id, { until: new Date('2099-01-01'), reason: REASON });
    },
  },
  {
    name: 'addAuthorisationDomain',
    roles: ADMIN,
    scope: 'authority',
    audit: ['authorisation_domain.add'],
    prepare:
      async (_registry, { id }) =>
      (context) =>
        addAuthorisationDomain(context, id, { name: freshIdentifier('domain') }),
  },
  {
    name: 'updateAuthorisationDomain',
    roles: ADMIN,
    scope: 'authority',
    audit: ['authorisation_domain.update'],
    prepare: async (registry, authority) => {
      const { id } = await authorisationDomain(registry, authority);
      return (context) => updateAuthorisationDomain(context, id, { description: 'x' });
    },
  },
  {
    name: 'addRole',
    roles: ADMIN,
    scope: 'authority',
    audit: ['role.add'],
    prepare: async (registry, authority) => {
      const { id: domainId } = await authorisationDomain(registry, authority);
      return (context) => addRole(context, { domainId, name: 'New' });
    },
  },
  {
    name: 'updateRole',
    roles: ADMIN,
    scope: 'authority',
    audit: ['role.update'],
    prepare: async (registry, authority) => {
      const { id } = await role(registry, authority);
      return (context) => updateRole(context, id, { scopes: ['payments'] });
    },
  },
  ...(['retire', 'reinstate'] as const).map(
    (name): Verb => ({
      name: `transitionRole (${name})`,
      roles: ADMIN,
      scope: 'authority',
      audit: [`role.${name}`],
      prepare: async (registry, authority) => {
        const { id } = await role(registry, authority);
        if (name === 'reinstate') await transitionRole(registry.context(), id, 'retire', REASON);
        return (context) => transitionRole(context, id, name, REASON);
      },
    }),
  ),
  {
    name: 'assignRole',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['role_assignment.add'],
    prepare: async (registry, authority) => {
      const { id: roleId } = await role(registry, authority);
      const { id } = await registry.organisation(authority);
      return (context) => assignRole(context, id, { roleId });
    },
  },
  {
    name: 'updateRoleAssignment',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['role_assignment.update'],
    prepare: async (registry, authority) => {
      const { id, organisationId } = await assignedRole(registry, await registry.organisation(authority));
      return (context) => updateRoleAssignment(context, organisationId, id, { jurisdictions: ['GB'] });
    },
  },
  {
    name: 'removeRoleAssignment',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['role_assignment.remove', 'entity.lock_role'],
    prepare: async (registry, authority) => {
      const { roleAssignmentId, organisationId } = await givenRole(registry, authority);
      return (context) => removeRoleAssignment(context, organisationId, roleAssignmentId, REASON);
    },
  },
  {
    name: 'giveRole',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.give_role'],
    prepare: async (registry, authority) => {
      const organisation = await registry.organisation(authority);
      const { roleId } = await assignedRole(registry, organisation);
      const { id } = await registry.entity(organisation);
      return (context) => giveRole(context, id, roleId);
    },
  },
  {
    name: 'takeRole',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.take_role'],
    prepare: async (registry, authority) => {
      const { entityId, id } = await givenRole(registry, authority);
      return (context) => takeRole(context, entityId, id, REASON);
    },
  },
  {
    name: 'addAuthorizationServer',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['authorization_server.add'],
    prepare: async (registry, authority) => {
      const { id: entityId } = await provider(registry, authority);
      return (context) => addAuthorizationServer(context, { entityId });
    },
  },
  {
    name: 'updateAuthorizationServer',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['authorization_server.update'],
    prepare: async (registry, authority) => {
      const { id } = await authorizationServer(registry, authority);
      return (context) => updateAuthorizationServer(context, id, { retiresAt: NOW_DATE });
    },
  },
  {
    name: 'removeAuthorizationServer',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['authorization_server.remove'],
    prepare: async (registry, authority) => {
      const { id } = await authorizationServer(registry, authority);
      return (context) => removeAuthorizationServer(context, id);
    },
  },
  {
    name: 'addApiResource',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['api_resource.add'],
    prepare: async (registry, authority) => {
      const { id: authorizationServerId } = await authorizationServer(registry, authority);
      return (context) => addApiResource(context, { authorizationServerId, family: 'accounts', apiVersion: '1.0.0' });
    },
  },
  {
    name: 'updateApiResource',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['api_resource.update'],
    prepare: async (registry, authority) => {
      const { id } = await apiResource(registry, authority);
      return (context) => updateApiResource(context, id, { endpoints: ['https://api.partner.example'] });
    },
  },
  {
    name: 'removeApiResource',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['api_resource.remove'],
    prepare: async (registry, authority) => {
      const { id } = await apiResource(registry, authority);
      return (context) => removeApiResource(context, id);
    },
  },
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
    name: 'defineTrustMarkType',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_mark_type.define'],
    prepare:
      async (_registry, { id }) =>
      (context) =>
        defineTrustMarkType(context, id, { trustMarkType: freshIdentifier('type'), name: 'New' }),
  },
  {
    name: 'updateTrustMarkType',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_mark_type.update'],
    prepare: async (registry, authority) => {
      const { id } = await registry.trustMarkType(authority);
      return (context) => updateTrustMarkType(context, id, { name: 'Renamed' });
    },
  },
  {
    name: 'transitionTrustMarkType',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_mark_type.retire'],
    prepare: async (registry, authority) => {
      const { id } = await registry.trustMarkType(authority);
      return (context) => transitionTrustMarkType(context, id, 'retire', REASON);
    },
  },
  {
    name: 'grantTrustMark',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['trust_mark.grant'],
    prepare: async (registry, authority) => {
      const { id: typeId } = await registry.trustMarkType(authority);
      return (context) => grantTrustMark(context, { typeId, subject: freshIdentifier('bearer') });
    },
  },
  {
    name: 'requestTrustMark',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['trust_mark.request'],
    prepare: async (registry, authority) => {
      const { id: typeId } = await registry.trustMarkType(authority);
      return (context) => requestTrustMark(context, { typeId, subject: freshIdentifier('bearer') });
    },
  },
  {
    name: 'renewTrustMark',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['trust_mark.renew'],
    prepare: async (registry, authority) => {
      const { id } = await registry.trustMark(await registry.trustMarkType(authority));
      return (context) => renewTrustMark(context, id, { additionalClaims: { level: 2 } });
    },
  },
  ...TRUST_MARK_TRANSITION_NAMES.map(
    (name): Verb => ({
      name: `transitionTrustMark (${name})`,
      roles: DECIDERS,
      scope: 'authority',
      audit: [`trust_mark.${name}`],
      prepare: async (registry, authority) => {
        const type = await registry.trustMarkType(authority);
        const subject = freshIdentifier('bearer');
        const { id } =
          name === 'withdraw'
            ? await registry.trustMark(type, subject)
            : await requestTrustMark(registry.context(), { typeId: type.id, subject });
        return (context) => transitionTrustMark(context, id, name, REASON);
      },
    }),
  ),
  {
    name: 'makeTrustMarkDelegation',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_mark_delegation.make'],
    prepare: async (registry, authority) => {
      const sign = await delegationSigner(registry, authority);
      return (context) => makeTrustMarkDelegation(context, authority.id, newDelegation(), sign);
    },
  },
  {
    name: 'renewTrustMarkDelegation',
    roles: ADMIN,
    scope: 'authority',
    audit: ['trust_mark_delegation.renew'],
    prepare: async (registry, authority) => {
      const { id } = await delegated(registry, authority);
      const sign = await delegationSigner(registry, authority);
      return (context) => renewTrustMarkDelegation(context, id, {}, sign);
    },
  },
  {
    name: 'withdrawTrustMarkDelegation',
    roles: DECIDERS,
    scope: 'authority',
    audit: ['trust_mark_delegation.withdraw'],
    prepare: async (registry, authority) => {
      const { id } = await delegated(registry, authority);
      return (context) => withdrawTrustMarkDelegation(context, id, REASON);
    },
  },
  {
    name: 'holdTrustMark',
    roles: ADMIN,
    scope: 'authority',
    audit: ['held_trust_mark.hold'],
    prepare: async (_registry, authority) => {
      const mark = await markAbout(authority);
      return (context) => holdTrustMark(context, authority.id, mark, async () => {});
    },
  },
  {
    name: 'dropHeldTrustMark',
    roles: ADMIN,
    scope: 'authority',
    audit: ['held_trust_mark.drop'],
    prepare: async (registry, authority) => {
      const { id } = await held(registry, authority);
      return (context) => dropHeldTrustMark(context, id);
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
    name: 'rotateToken',
    roles: ADMIN,
    scope: 'authority',
    audit: ['api_token.rotate'],
    prepare: async (registry, { id }) => {
      const { token } = await createToken(registry.context(), { ...NEW_TOKEN, authorityIds: [id] });
      return (context) => rotateToken(context, token.id, { overlapSeconds: 60 });
    },
  },
  {
    name: 'revokeToken',
    roles: ADMIN,
    scope: 'authority',
    audit: ['api_token.revoke'],
    prepare: async (registry, { id }) => {
      const { token } = await createToken(registry.context(), { ...NEW_TOKEN, authorityIds: [id] });
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
          rewrapClientSecret: (sealed) => sealed,
          rewrapWebhookSecret: (sealed) => sealed,
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
  ...(['accept', 'refuse'] as const).map(
    (decision): Verb => ({
      name: 'decideProposedKey',
      roles: KEEPERS,
      scope: 'authority',
      audit: [`entity.${decision}_key`],
      prepare: async (registry, authority) => {
        const entity = await TestSubordinate.enrol(registry, authority);
        const { kid, jwk } = await entity.proposeKey();
        const thumbprint = await keyThumbprint(jwk);
        return (context) => decideProposedKey(context, entity.id, { decision, kid, thumbprint, reason: REASON });
      },
    }),
  ),
  {
    name: 'removeEntityKey',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.remove_key'],
    prepare: async (registry, authority) => {
      const { id, key } = await TestSubordinate.enrol(registry, authority);
      return (context) => removeEntityKey(context, id, { kid: key.kid, reason: REASON, allowNoKeys: true });
    },
  },
  {
    name: 'markKeyCompromised',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.mark_key_compromised'],
    prepare: async (registry, authority) => {
      const { id, key } = await TestSubordinate.enrol(registry, authority);
      return (context) => markKeyCompromised(context, id, { kid: key.kid, reason: REASON });
    },
  },
  {
    name: 'pushKeys',
    roles: ['registrar'],
    scope: 'authority',
    audit: ['entity.push_keys'],
    prepare: async (registry, authority) => {
      const entity = await TestSubordinate.enrol(registry, authority);
      const pushed = await entity.pushedSet([entity.key, await freshKey()]);
      return (context) => pushKeys(context, authority.id, pushed);
    },
  },
  {
    name: 'followConfiguration',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.propose_keys'],
    prepare: async (registry, authority) => {
      const entity = await TestSubordinate.enrol(registry, authority);
      const configuration = await entity.configuration([entity.key, await freshKey()]);
      return (context) => followConfiguration(context, entity.id, configuration);
    },
  },
  {
    name: 'refreshEntity',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.check'],
    prepare: async (registry, authority) => {
      const entity = await TestSubordinate.enrol(registry, authority);
      const { jwt } = await entity.configuration([entity.key]);
      return (context) => refreshEntity(context, entity.id, async () => jwt);
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
    name: 'rejectEntity',
    roles: DECIDERS,
    scope: 'authority',
    audit: ['entity.reject'],
    prepare: async (registry, authority) => {
      const { id } = await registry.entity(await registry.organisation(authority), {}, 'pending');
      return (context) => rejectEntity(context, id, REASON);
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

export const VERBS: readonly Verb[] = [
  ...READS,
  ...CHANGES,
  ...DEPLOYMENT,
  ...ENROLMENT,
  ...HOSTING_READS,
  ...ENROLMENT_VERBS,
  ...HOSTING_CHANGES,
  ...CREDENTIAL_READS,
  ...TRUST_LIST_VERBS,
  ...CERTIFICATION_AUTHORITY_VERBS,
  ...CERTIFICATE_VERBS,
  ...ENFORCEMENT_POINT_VERBS,
  ...TOKEN_ISSUER_VERBS,
  ...WEBHOOK_VERBS,
  ...CREDENTIAL_CHANGES,
];

const REVOCATION = { revocationReason: 'superseded', reason: REASON };
const KEY_TOOLS = { generateKey: generateTestKey, signedByKey: STATEMENTS_ONLY };

async function withoutAnnouncedKey(registry: TestRegistry, authorityId: string): Promise<void> {
  const keys = await listAuthorityKeys(registry.db, registry.context().actor, authorityId);
  const announced = keys.find(({ state }) => state === 'announced');
  if (announced === undefined) return;
  await revokeAuthorityKey(registry.context(), authorityId, announced.kid, REVOCATION, KEY_TOOLS);
}

async function announcedKey(registry: TestRegistry, authorityId: string): Promise<string> {
  await withoutAnnouncedKey(registry, authorityId);
  return (await announceAuthorityKey(registry.context(), authorityId, {}, generateTestKey)).kid;
}

/** The one contact of a new organisation. */
async function contactOf(registry: TestRegistry, authority: Authority, state?: ParticipantState): Promise<Contact> {
  const [contact] = (await registry.organisation(authority, state)).contacts;
  if (contact === undefined) throw new Error('an organisation of tests has a contact');
  return contact;
}

const NEW_TOKEN = {
  name: 'a token of the test',
  roles: ['auditor'] satisfies Role[],
  authorityIds: null,
  lifetimeSeconds: 60,
};

const EMPTY_DOCUMENT = { format: EXPORT_FORMAT, records: {} };

/** A document that somebody else wants restored. */
async function waitingImport(registry: TestRegistry): Promise<StoredImport> {
  const json = Buffer.from(JSON.stringify(EMPTY_DOCUMENT));
  const context = registry.context(actor({ id: 'somebody-else' }));
  return (await requestRestore(context, await readDocument(EMPTY_DOCUMENT), json)).stored;
}

async function oneOrganisation(authorityId: string): Promise<TransferDocument> {
  const state = { is: 'pending', reason: null, reasonCode: null, since: '2025-03-01T08:00:00.000Z', until: null };
  const organisation = {
    ...{ id: nextId(), authorityId, legalName: 'Moved Ltd', registration: null, previousId: null, parentId: null },
    ...{ tags: [], state, terms: [] },
  };
  return await readDocument({ format: EXPORT_FORMAT, records: { organisations: [organisation] } });
}

function read(name: string, scope: Verb['scope'], prepare: Verb['prepare']): Verb {
  return { name, roles: ALL_ROLES, scope, audit: [], prepare };
}

function transition(kind: 'organisation' | 'entity', name: Transition, prepare: Verb['prepare']): Verb {
  const verb = kind === 'entity' ? 'transitionEntity' : 'transitionOrganisation';
  return { name: `${verb} (${name})`, roles: DECIDERS, scope: 'authority', audit: [`${kind}.${name}`], prepare };
}

const newDelegation = () => ({ trustMarkType: freshIdentifier('type'), issuer: freshIdentifier('issuer') });

/** Names the key that signs for the authority. */
async function delegationSigner({ db }: TestRegistry, { id }: Authority): Promise<SignDelegation> {
  const keys = await listAuthorityKeys(db, actor(), id);
  const kid = keys.find(({ state }) => state === 'active')?.kid ?? '';
  return async () => ({ jwt: 'signed.elsewhere.x', kid });
}

const delegated = async (registry: TestRegistry, authority: Authority) =>
  makeTrustMarkDelegation(
    registry.context(),
    authority.id,
    newDelegation(),
    await delegationSigner(registry, authority),
  );

/** A mark about the authority, by an issuer that nobody asks. */
async function markAbout({ entityIdentifier: sub }: Authority): Promise<string> {
  const claims = { iss: freshIdentifier('issuer'), sub, trust_mark_type: freshIdentifier('type'), iat: NOW };
  return await signJwt(await testKey('ES256', 4), TYP.trustMark, claims);
}

const held = async (registry: TestRegistry, authority: Authority) =>
  holdTrustMark(registry.context(), authority.id, await markAbout(authority), async () => {});

async function pinned(registry: TestRegistry, authority: Authority): Promise<PinnedTrustAnchor> {
  const input = { entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() };
  return await pinTrustAnchor(registry.context(), authority.id, input);
}
