/** Who may ask for which operation of the API: one table for its door, its documentation and the test of every role. */
import type { Role } from '../storage/schema/api-tokens.ts';
import { type Actor, MEMBER_ROLES, READERS, READERS_AND_MEMBERS, requireRole, STAFF_ROLES } from './actor.ts';
import { RegistryError } from './registry-error.ts';

/**
 * What a record of the operation belongs to, and so how far a token must reach: all authorities, one authority, an
 * organisation in it, or an entity of that; members reach no further than the last two, a token of an entity only the last.
 * `caller` speaks of whoever asks, `anyone` needs no token.
 */
export type Reach = 'deployment' | 'authority' | 'organisation' | 'entity' | 'caller' | 'anyone';

export interface Access {
  /** Any of them is enough. */
  roles: readonly Role[];
  reach: Reach;
}

const ADMIN = ['admin'] as const;
const REGISTRAR = ['registrar'] as const;
const EDITORS = ['admin', 'registrar'] as const;
const DECIDERS = ['admin', 'approver'] as const;
const AUDITORS = ['admin', 'auditor'] as const;
/** Staff and members read alike; members what is theirs. */
const ALL = READERS_AND_MEMBERS;
/** What an organisation decides for itself. */
const OWNERS = [...EDITORS, 'organisation-admin'] as const;
/** What keeps its entities running. */
const OPERATORS = [...EDITORS, ...MEMBER_ROLES] as const;

/**
 * Members approve and reinstate nothing, and settle nothing that an authority says about them. What is not listed here
 * is closed to them.
 */
export const ACCESS = {
  ...rows('authority', READERS, ['listAuthorities', 'readAuthority', 'readMetadataPolicy', 'listAuthorityKeys']),
  ...rows('deployment', ADMIN, ['createAuthority']),
  ...rows('authority', ADMIN, ['updateAuthority', 'replaceMetadataPolicy']),
  ...rows('authority', ADMIN, ['rollAuthorityKey', 'activateAuthorityKey', 'revokeAuthorityKey']),

  ...rows('organisation', ALL, ['listOrganisations', 'readOrganisation', 'listContacts', 'readContact']),
  ...rows('authority', EDITORS, ['addOrganisation', 'updateOrganisation']),
  ...rows('authority', DECIDERS, ['approveOrganisation', 'rejectOrganisation', 'suspendOrganisation']),
  ...rows('authority', DECIDERS, ['reinstateOrganisation', 'withdrawOrganisation', 'revokeOrganisation']),
  ...rows('authority', DECIDERS, ['changeOrganisationSuspension']),
  ...rows('organisation', OWNERS, ['addContact', 'updateContact', 'removeContact', 'confirmContact']),

  ...rows('organisation', ALL, ['listEnrolments', 'readEnrolment']),
  ...rows('organisation', OPERATORS, ['submitEnrolment', 'submitEnrolmentDraft', 'updateEnrolment', 'cancelEnrolment']),
  ...rows('organisation', [...OPERATORS, 'approver'], ['runEnrolmentStep', 'runEnrolmentSteps']),
  ...rows('authority', DECIDERS, ['approveEnrolment', 'rejectEnrolment']),
  ...rows('organisation', ALL, ['listOrganisationDomains', 'listAcceptedTerms']),
  ...rows('organisation', OWNERS, ['acceptTerms', 'withdrawTerms', 'withdrawOrganisationDomain']),

  ...rows('entity', ALL, ['listEntities', 'readEntity', 'listEntityKeys', 'readHosting']),
  ...rows('entity', ALL, ['issueEntityAssertion']),
  ...rows('authority', EDITORS, ['enrolEntity', 'updateEntity']),
  ...rows('authority', REGISTRAR, ['createEnrolmentChallenge', 'bringHostedKey']),
  ...rows('authority', DECIDERS, ['approveEntity', 'rejectEntity', 'suspendEntity']),
  ...rows('authority', DECIDERS, ['reinstateEntity', 'withdrawEntity', 'revokeEntity', 'changeEntitySuspension']),
  ...rows('entity', [...OPERATORS, 'approver'], ['recheckEntity']),
  ...rows('entity', OPERATORS, ['refreshEntity', 'acceptEntityKey', 'refuseEntityKey', 'removeEntityKey']),
  ...rows('entity', OPERATORS, ['markEntityKeyCompromised']),
  ...rows('entity', OPERATORS, ['updateHosting', 'rollHostedKey', 'uploadConfiguration']),
  ...rows('organisation', OWNERS, ['stopHosting']),
  ...rows('authority', ADMIN, ['takeHostedKey']),

  ...rows('authority', READERS, ['listAuthorisationDomains', 'readAuthorisationDomain', 'listRoles', 'readRole']),
  ...rows('authority', ADMIN, ['addAuthorisationDomain', 'updateAuthorisationDomain']),
  ...rows('authority', ADMIN, ['addRole', 'updateRole', 'retireRole', 'reinstateRole']),
  ...rows('organisation', ALL, ['listOrganisationRoles', 'readOrganisationRole']),
  ...rows('authority', EDITORS, ['assignOrganisationRole', 'updateOrganisationRole', 'removeOrganisationRole']),
  ...rows('entity', ALL, ['listEntityRoles', 'readEntityRole']),
  ...rows('authority', EDITORS, ['giveEntityRole', 'takeEntityRole']),

  ...rows('entity', ALL, [
    'listAuthorizationServers',
    'readAuthorizationServer',
    'listApiResources',
    'readApiResource',
  ]),
  ...rows('organisation', OWNERS, ['addAuthorizationServer', 'updateAuthorizationServer', 'removeAuthorizationServer']),
  ...rows('organisation', OWNERS, ['addApiResource', 'updateApiResource', 'removeApiResource']),

  ...rows('entity', ALL, ['listCredentials', 'listEntityCredentials', 'readCredential']),
  ...rows('entity', OPERATORS, ['addCredential', 'replaceCredential', 'revokeCredential']),
  ...rows('entity', [...OPERATORS, 'approver'], ['holdCredential']),
  ...rows('authority', [...EDITORS, 'approver'], ['releaseCredential']),

  ...rows('authority', READERS, ['listCertificationAuthorities', 'readCertificationAuthority']),
  ...rows('authority', ADMIN, ['createCertificationAuthority', 'activateCertificationAuthority']),
  ...rows('authority', ADMIN, ['updateCertificationAuthority', 'retireCertificationAuthority']),
  ...rows('entity', ALL, ['listCertificateRequests', 'readCertificateRequest']),
  ...rows('entity', [...OPERATORS, 'approver'], ['requestCertificate', 'makeCertificateCode']),
  ...rows('authority', DECIDERS, ['approveCertificateRequest', 'rejectCertificateRequest']),

  ...rows('organisation', ALL, ['listFindings']),
  ...rows('entity', ALL, ['listExceptions', 'readException']),
  ...rows('authority', EDITORS, ['requestException']),
  ...rows('authority', DECIDERS, ['approveException', 'rejectException', 'endException']),

  ...rows('authority', READERS, ['listTrustMarkTypes', 'readTrustMarkType', 'listTrustMarks', 'readTrustMark']),
  ...rows('authority', ADMIN, ['defineTrustMarkType', 'updateTrustMarkType']),
  ...rows('authority', ADMIN, ['retireTrustMarkType', 'reinstateTrustMarkType']),
  ...rows('authority', EDITORS, ['grantTrustMark', 'requestTrustMark', 'renewTrustMark']),
  ...rows('authority', DECIDERS, ['approveTrustMark', 'rejectTrustMark', 'withdrawTrustMark']),
  ...rows('authority', READERS, ['listTrustMarkDelegations', 'readTrustMarkDelegation']),
  ...rows('authority', ADMIN, ['makeTrustMarkDelegation', 'renewTrustMarkDelegation']),
  ...rows('authority', DECIDERS, ['withdrawTrustMarkDelegation']),
  ...rows('authority', READERS, ['listHeldTrustMarks']),
  ...rows('authority', ADMIN, ['holdTrustMark', 'dropHeldTrustMark']),

  ...rows('authority', READERS, ['listEnforcementPoints', 'readEnforcementPoint']),
  ...rows('authority', ADMIN, ['addEnforcementPoint', 'updateEnforcementPoint', 'rotateEnforcementPointToken']),
  ...rows('authority', ADMIN, ['suspendEnforcementPoint', 'reinstateEnforcementPoint', 'removeEnforcementPoint']),
  ...rows('authority', READERS, ['listTokenIssuers', 'readTokenIssuer']),
  ...rows('authority', ADMIN, ['addTokenIssuer', 'updateTokenIssuer', 'removeTokenIssuer']),
  ...rows('authority', ADMIN, ['listWebhooks', 'readWebhook', 'listWebhookDeliveries']),
  ...rows('authority', ADMIN, ['addWebhook', 'updateWebhook', 'pauseWebhook', 'resumeWebhook', 'removeWebhook']),
  ...rows('authority', ADMIN, ['rotateWebhookSecret', 'replayWebhook', 'pingWebhook']),
  ...rows('entity', ALL, ['listDecisions']),
  ...rows('authority', READERS, ['readPropagation']),
  ...rows('authority', READERS, ['tryAdmission']),
  ...rows('anyone', [], ['askAdmission', 'followSeq', 'acknowledgeSeq']),

  ...rows('authority', READERS, ['listTrustAnchors', 'readTrustAnchor', 'explainResolution']),
  ...rows('authority', ADMIN, ['pinTrustAnchor', 'replaceTrustAnchorKeys', 'unpinTrustAnchor']),

  ...rows('authority', READERS, ['listTrustListEntries', 'readTrustListEntry']),
  ...rows('authority', ADMIN, ['addTrustListEntry', 'removeTrustListEntry']),

  ...rows('authority', AUDITORS, ['listAudit', 'listAuditCheckpoints', 'makeAuditCheckpoint']),
  ...rows('deployment', AUDITORS, ['exportAudit']),

  ...rows('deployment', ADMIN, [
    'exportRegistry',
    'importRegistry',
    'listImports',
    'readImport',
    'readImportDifferences',
  ]),
  ...rows('deployment', ADMIN, ['approveImport', 'rejectImport']),
  ...rows('deployment', READERS, ['readSlo']),

  ...rows('deployment', AUDITORS, ['listJobs', 'readJob']),
  ...rows('deployment', ADMIN, ['runJob']),

  ...rows('entity', ALL, ['listEvents', 'followEvents']),

  ...rows('caller', ALL, ['whoAmI', 'rotateOwnToken']),
  ...rows('organisation', ['admin', 'organisation-admin'], ['createToken', 'rotateToken', 'revokeToken']),
  ...rows('organisation', ['admin', 'auditor', 'organisation-admin'], ['listTokens']),
  ...rows('anyone', [], ['grantAccessToken', 'readLiveness', 'readReadiness', 'followStatus', 'readStatus']),
  ...rows('anyone', [], ['findPublicOrganisations', 'readPublicOrganisation']),
} as const;

/** Operations that ACCESS says something about. */
export type AccessibleOperation = keyof typeof ACCESS;

/** Undefined for an operation that the table does not name. */
export function accessOf(operationId: string): Access | undefined {
  return Object.hasOwn(ACCESS, operationId) ? ACCESS[operationId as AccessibleOperation] : undefined;
}

/**
 * Refuses whoever may ask for an operation in no case at all, before anything is looked up: so the answer tells nothing
 * of what there is. Whether he may in this case is for the operation to say.
 * @throws RegistryError role_missing
 */
export function requireAccess(actor: Actor, operationId: string): void {
  const { roles, reach } = accessOf(operationId) ?? UNLISTED;
  requireRole(actor, roles);
  if (actor.entityId === undefined || reach === 'entity' || reach === 'caller') return;
  throw new RegistryError('role_missing', 'this is not for tokens of an entity');
}

const UNLISTED: Access = { roles: STAFF_ROLES, reach: 'authority' };

function rows<const O extends string>(reach: Reach, roles: readonly Role[], operations: readonly O[]) {
  return Object.fromEntries(operations.map((operation) => [operation, { roles, reach }])) as Record<O, Access>;
}
