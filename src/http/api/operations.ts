/** All operations of the API, in the order of its documentation. */
import { readLivenessOperation } from '../health/read-liveness.ts';
import { readReadinessOperation } from '../health/read-readiness.ts';
import { askAdmissionOperation } from './admission/ask-admission.ts';
import { tryAdmissionOperation } from './admission/try-admission.ts';
import { addApiResourceOperation } from './api-resources/add-api-resource.ts';
import { listApiResourcesOperation } from './api-resources/list-api-resources.ts';
import { readApiResourceOperation } from './api-resources/read-api-resource.ts';
import { removeApiResourceOperation } from './api-resources/remove-api-resource.ts';
import { updateApiResourceOperation } from './api-resources/update-api-resource.ts';
import { exportAuditOperation } from './audit/export-audit.ts';
import { listAuditOperation } from './audit/list-audit.ts';
import { listAuditCheckpointsOperation } from './audit/list-audit-checkpoints.ts';
import { makeAuditCheckpointOperation } from './audit/make-audit-checkpoint.ts';
import { activateAuthorityKeyOperation } from './authorities/activate-authority-key.ts';
import { createAuthorityOperation } from './authorities/create-authority.ts';
import { listAuthoritiesOperation } from './authorities/list-authorities.ts';
import { listAuthorityKeysOperation } from './authorities/list-authority-keys.ts';
import { readAuthorityOperation } from './authorities/read-authority.ts';
import { readMetadataPolicyOperation } from './authorities/read-metadata-policy.ts';
import { replaceMetadataPolicyOperation } from './authorities/replace-metadata-policy.ts';
import { revokeAuthorityKeyOperation } from './authorities/revoke-authority-key.ts';
import { rollAuthorityKeyOperation } from './authorities/roll-authority-key.ts';
import { updateAuthorityOperation } from './authorities/update-authority.ts';
import { addAuthorizationServerOperation } from './authorization-servers/add-authorization-server.ts';
import { listAuthorizationServersOperation } from './authorization-servers/list-authorization-servers.ts';
import { readAuthorizationServerOperation } from './authorization-servers/read-authorization-server.ts';
import { removeAuthorizationServerOperation } from './authorization-servers/remove-authorization-server.ts';
import { updateAuthorizationServerOperation } from './authorization-servers/update-authorization-server.ts';
import {
  approveCertificateRequestOperation,
  rejectCertificateRequestOperation,
} from './certificate-requests/decide-certificate-request.ts';
import { makeCertificateCodeOperation } from './certificate-requests/make-certificate-code.ts';
import {
  listCertificateRequestsOperation,
  readCertificateRequestOperation,
} from './certificate-requests/read-certificate-requests.ts';
import { requestCertificateOperation } from './certificate-requests/request-certificate.ts';
import { activateCertificationAuthorityOperation } from './certification-authorities/activate-certification-authority.ts';
import { createCertificationAuthorityOperation } from './certification-authorities/create-certification-authority.ts';
import {
  listCertificationAuthoritiesOperation,
  readCertificationAuthorityOperation,
} from './certification-authorities/read-certification-authorities.ts';
import { retireCertificationAuthorityOperation } from './certification-authorities/retire-certification-authority.ts';
import { updateCertificationAuthorityOperation } from './certification-authorities/update-certification-authority.ts';
import { addCredentialOperation } from './credentials/add-credential.ts';
import { listCredentialsOperation, listEntityCredentialsOperation } from './credentials/list-credentials.ts';
import { readCredentialOperation } from './credentials/read-credential.ts';
import { replaceCredentialOperation } from './credentials/replace-credential.ts';
import { transitionCredentialOperations } from './credentials/transition-credential.ts';
import { listDecisionsOperation } from './decisions/list-decisions.ts';
import { findPublicOrganisationsOperation, readPublicOrganisationOperation } from './directory/public-organisations.ts';
import { addEnforcementPointOperation } from './enforcement-points/add-enforcement-point.ts';
import { listEnforcementPointsOperation } from './enforcement-points/list-enforcement-points.ts';
import { readEnforcementPointOperation } from './enforcement-points/read-enforcement-point.ts';
import { removeEnforcementPointOperation } from './enforcement-points/remove-enforcement-point.ts';
import { rotateEnforcementPointTokenOperation } from './enforcement-points/rotate-enforcement-point-token.ts';
import { transitionEnforcementPointOperations } from './enforcement-points/transition-enforcement-point.ts';
import { updateEnforcementPointOperation } from './enforcement-points/update-enforcement-point.ts';
import { createEnrolmentChallengeOperation } from './enrolment-challenges/create-enrolment-challenge.ts';
import {
  approveEnrolmentOperation,
  cancelEnrolmentOperation,
  rejectEnrolmentOperation,
} from './enrolments/decide-enrolment.ts';
import {
  runEnrolmentStepOperation,
  runEnrolmentStepsOperation,
  updateEnrolmentOperation,
} from './enrolments/mend-enrolment.ts';
import { listEnrolmentsOperation, readEnrolmentOperation } from './enrolments/read-enrolments.ts';
import { submitEnrolmentDraftOperation, submitEnrolmentOperation } from './enrolments/submit-enrolment.ts';
import { acceptEntityKeyOperation } from './entities/accept-entity-key.ts';
import { approveEntityOperation } from './entities/approve-entity.ts';
import { changeEntityKeysOperations } from './entities/change-entity-keys.ts';
import { changeEntitySuspensionOperation } from './entities/change-suspension.ts';
import { enrolEntityOperation } from './entities/enrol-entity.ts';
import { issueEntityAssertionOperation } from './entities/issue-entity-assertion.ts';
import { listEntitiesOperation } from './entities/list-entities.ts';
import { listEntityKeysOperation } from './entities/list-entity-keys.ts';
import { readEntityOperation } from './entities/read-entity.ts';
import { recheckEntityOperation } from './entities/recheck-entity.ts';
import { refreshEntityOperation } from './entities/refresh-entity.ts';
import { transitionEntityOperations } from './entities/transition-entity.ts';
import { updateEntityOperation } from './entities/update-entity.ts';
import { followEventsOperation } from './events/follow-events.ts';
import { listEventsOperation } from './events/list-events.ts';
import { followStatusOperation, readStatusOperation } from './events/participant-status.ts';
import { listExceptionsOperation, readExceptionOperation } from './exceptions/read-exceptions.ts';
import { requestExceptionOperation } from './exceptions/request-exception.ts';
import { transitionExceptionOperations } from './exceptions/transition-exception.ts';
import { listFindingsOperation } from './findings/list-findings.ts';
import { dropHeldTrustMarkOperation } from './held-trust-marks/drop-held-trust-mark.ts';
import { holdTrustMarkOperation } from './held-trust-marks/hold-trust-mark.ts';
import { listHeldTrustMarksOperation } from './held-trust-marks/list-held-trust-marks.ts';
import { bringHostedKeyOperation } from './hosting/bring-hosted-key.ts';
import { readHostingOperation } from './hosting/read-hosting.ts';
import { rollHostedKeyOperation } from './hosting/roll-hosted-key.ts';
import { stopHostingOperation } from './hosting/stop-hosting.ts';
import { takeHostedKeyOperation } from './hosting/take-hosted-key.ts';
import { updateHostingOperation } from './hosting/update-hosting.ts';
import { uploadConfigurationOperation } from './hosting/upload-configuration.ts';
import { listJobsOperation, readJobOperation } from './jobs/read-jobs.ts';
import { runJobOperation } from './jobs/run-job.ts';
import { grantAccessTokenOperation } from './oauth/grant-access-token.ts';
import type { Operation } from './operation.ts';
import { addOrganisationOperation } from './organisations/add-organisation.ts';
import { changeOrganisationSuspensionOperation } from './organisations/change-suspension.ts';
import { addContactOperation } from './organisations/contacts/add-contact.ts';
import { confirmContactOperation } from './organisations/contacts/confirm-contact.ts';
import { listContactsOperation } from './organisations/contacts/list-contacts.ts';
import { readContactOperation } from './organisations/contacts/read-contact.ts';
import { removeContactOperation } from './organisations/contacts/remove-contact.ts';
import { updateContactOperation } from './organisations/contacts/update-contact.ts';
import { listOrganisationsOperation } from './organisations/list-organisations.ts';
import {
  acceptTermsOperation,
  listAcceptedTermsOperation,
  listOrganisationDomainsOperation,
} from './organisations/proofs/organisation-proofs.ts';
import { withdrawOrganisationDomainOperation, withdrawTermsOperation } from './organisations/proofs/withdraw-proofs.ts';
import { readOrganisationOperation } from './organisations/read-organisation.ts';
import { transitionOrganisationOperations } from './organisations/transition-organisation.ts';
import { updateOrganisationOperation } from './organisations/update-organisation.ts';
import { acknowledgeSeqOperation, followSeqOperation } from './propagation/follow-seq.ts';
import { readPropagationOperation } from './propagation/read-propagation.ts';
import { explainResolutionOperation } from './resolutions/explain-resolution.ts';
import {
  addAuthorisationDomainOperation,
  listAuthorisationDomainsOperation,
  readAuthorisationDomainOperation,
  updateAuthorisationDomainOperation,
} from './roles/authorisation-domains.ts';
import {
  giveEntityRoleOperation,
  listEntityRolesOperation,
  readEntityRoleOperation,
  takeEntityRoleOperation,
} from './roles/entity-roles.ts';
import {
  assignOrganisationRoleOperation,
  listOrganisationRolesOperation,
  readOrganisationRoleOperation,
  removeOrganisationRoleOperation,
  updateOrganisationRoleOperation,
} from './roles/organisation-roles.ts';
import { addRoleOperation, listRolesOperation, readRoleOperation, updateRoleOperation } from './roles/roles.ts';
import { transitionRoleOperations } from './roles/transition-role.ts';
import { readSloOperation } from './slo/read-slo.ts';
import { addTokenIssuerOperation } from './token-issuers/add-token-issuer.ts';
import { listTokenIssuersOperation } from './token-issuers/list-token-issuers.ts';
import { readTokenIssuerOperation } from './token-issuers/read-token-issuer.ts';
import { removeTokenIssuerOperation } from './token-issuers/remove-token-issuer.ts';
import { updateTokenIssuerOperation } from './token-issuers/update-token-issuer.ts';
import { createTokenOperation } from './tokens/create-token.ts';
import { listTokensOperation } from './tokens/list-tokens.ts';
import { revokeTokenOperation } from './tokens/revoke-token.ts';
import { rotateOwnTokenOperation, rotateTokenOperation } from './tokens/rotate-token.ts';
import { whoAmIOperation } from './tokens/who-am-i.ts';
import { exportRegistryOperation } from './transfer/export-registry.ts';
import { importRegistryOperation } from './transfer/import-registry.ts';
import {
  decideImportOperations,
  listImportsOperation,
  readImportDifferencesOperation,
  readImportOperation,
} from './transfer/stored-imports.ts';
import { listTrustAnchorsOperation } from './trust-anchors/list-trust-anchors.ts';
import { pinTrustAnchorOperation } from './trust-anchors/pin-trust-anchor.ts';
import { readTrustAnchorOperation } from './trust-anchors/read-trust-anchor.ts';
import { replaceTrustAnchorKeysOperation } from './trust-anchors/replace-trust-anchor-keys.ts';
import { unpinTrustAnchorOperation } from './trust-anchors/unpin-trust-anchor.ts';
import { addTrustListEntryOperation } from './trust-list/add-trust-list-entry.ts';
import { listTrustListEntriesOperation } from './trust-list/list-trust-list-entries.ts';
import { readTrustListEntryOperation } from './trust-list/read-trust-list-entry.ts';
import { removeTrustListEntryOperation } from './trust-list/remove-trust-list-entry.ts';
import { listTrustMarkDelegationsOperation } from './trust-mark-delegations/list-trust-mark-delegations.ts';
import { makeTrustMarkDelegationOperation } from './trust-mark-delegations/make-trust-mark-delegation.ts';
import { readTrustMarkDelegationOperation } from './trust-mark-delegations/read-trust-mark-delegation.ts';
import { renewTrustMarkDelegationOperation } from './trust-mark-delegations/renew-trust-mark-delegation.ts';
import { withdrawTrustMarkDelegationOperation } from './trust-mark-delegations/withdraw-trust-mark-delegation.ts';
import { defineTrustMarkTypeOperation } from './trust-mark-types/define-trust-mark-type.ts';
import { listTrustMarkTypesOperation } from './trust-mark-types/list-trust-mark-types.ts';
import { readTrustMarkTypeOperation } from './trust-mark-types/read-trust-mark-type.ts';
import { transitionTrustMarkTypeOperations } from './trust-mark-types/transition-trust-mark-type.ts';
import { updateTrustMarkTypeOperation } from './trust-mark-types/update-trust-mark-type.ts';
import { grantTrustMarkOperation } from './trust-marks/grant-trust-mark.ts';
import { listTrustMarksOperation } from './trust-marks/list-trust-marks.ts';
import { readTrustMarkOperation } from './trust-marks/read-trust-mark.ts';
import { renewTrustMarkOperation } from './trust-marks/renew-trust-mark.ts';
import { requestTrustMarkOperation } from './trust-marks/request-trust-mark.ts';
import { transitionTrustMarkOperations } from './trust-marks/transition-trust-mark.ts';
import { addWebhookOperation } from './webhooks/add-webhook.ts';
import { listWebhooksOperation, readWebhookOperation } from './webhooks/read-webhooks.ts';
import { rotateWebhookSecretOperation } from './webhooks/rotate-webhook-secret.ts';
import {
  pauseWebhookOperation,
  removeWebhookOperation,
  resumeWebhookOperation,
} from './webhooks/transition-webhook.ts';
import { updateWebhookOperation } from './webhooks/update-webhook.ts';
import {
  listWebhookDeliveriesOperation,
  pingWebhookOperation,
  replayWebhookOperation,
} from './webhooks/webhook-deliveries.ts';

export const OPERATIONS: readonly Operation[] = [
  listAuthoritiesOperation,
  createAuthorityOperation,
  readAuthorityOperation,
  updateAuthorityOperation,
  readMetadataPolicyOperation,
  replaceMetadataPolicyOperation,
  listAuthorityKeysOperation,
  rollAuthorityKeyOperation,
  activateAuthorityKeyOperation,
  revokeAuthorityKeyOperation,
  listOrganisationsOperation,
  addOrganisationOperation,
  readOrganisationOperation,
  updateOrganisationOperation,
  ...transitionOrganisationOperations,
  changeOrganisationSuspensionOperation,
  listContactsOperation,
  addContactOperation,
  readContactOperation,
  updateContactOperation,
  removeContactOperation,
  confirmContactOperation,
  listOrganisationDomainsOperation,
  withdrawOrganisationDomainOperation,
  listAcceptedTermsOperation,
  acceptTermsOperation,
  withdrawTermsOperation,
  listEnrolmentsOperation,
  submitEnrolmentOperation,
  readEnrolmentOperation,
  updateEnrolmentOperation,
  submitEnrolmentDraftOperation,
  runEnrolmentStepOperation,
  runEnrolmentStepsOperation,
  approveEnrolmentOperation,
  rejectEnrolmentOperation,
  cancelEnrolmentOperation,
  listEntitiesOperation,
  enrolEntityOperation,
  createEnrolmentChallengeOperation,
  readEntityOperation,
  updateEntityOperation,
  recheckEntityOperation,
  approveEntityOperation,
  ...transitionEntityOperations,
  changeEntitySuspensionOperation,
  refreshEntityOperation,
  issueEntityAssertionOperation,
  listEntityKeysOperation,
  acceptEntityKeyOperation,
  ...changeEntityKeysOperations,
  readHostingOperation,
  updateHostingOperation,
  rollHostedKeyOperation,
  takeHostedKeyOperation,
  bringHostedKeyOperation,
  uploadConfigurationOperation,
  stopHostingOperation,
  listAuthorisationDomainsOperation,
  addAuthorisationDomainOperation,
  readAuthorisationDomainOperation,
  updateAuthorisationDomainOperation,
  listRolesOperation,
  addRoleOperation,
  readRoleOperation,
  updateRoleOperation,
  ...transitionRoleOperations,
  listOrganisationRolesOperation,
  assignOrganisationRoleOperation,
  readOrganisationRoleOperation,
  updateOrganisationRoleOperation,
  removeOrganisationRoleOperation,
  listEntityRolesOperation,
  giveEntityRoleOperation,
  readEntityRoleOperation,
  takeEntityRoleOperation,
  listCredentialsOperation,
  listEntityCredentialsOperation,
  addCredentialOperation,
  readCredentialOperation,
  replaceCredentialOperation,
  ...transitionCredentialOperations,
  listCertificateRequestsOperation,
  requestCertificateOperation,
  readCertificateRequestOperation,
  approveCertificateRequestOperation,
  rejectCertificateRequestOperation,
  makeCertificateCodeOperation,
  listCertificationAuthoritiesOperation,
  createCertificationAuthorityOperation,
  readCertificationAuthorityOperation,
  updateCertificationAuthorityOperation,
  activateCertificationAuthorityOperation,
  retireCertificationAuthorityOperation,
  listAuthorizationServersOperation,
  addAuthorizationServerOperation,
  readAuthorizationServerOperation,
  updateAuthorizationServerOperation,
  removeAuthorizationServerOperation,
  listApiResourcesOperation,
  addApiResourceOperation,
  readApiResourceOperation,
  updateApiResourceOperation,
  removeApiResourceOperation,
  listFindingsOperation,
  listExceptionsOperation,
  requestExceptionOperation,
  readExceptionOperation,
  ...transitionExceptionOperations,
  listTrustListEntriesOperation,
  addTrustListEntryOperation,
  readTrustListEntryOperation,
  removeTrustListEntryOperation,
  listTrustMarkTypesOperation,
  defineTrustMarkTypeOperation,
  readTrustMarkTypeOperation,
  updateTrustMarkTypeOperation,
  ...transitionTrustMarkTypeOperations,
  listTrustMarksOperation,
  grantTrustMarkOperation,
  requestTrustMarkOperation,
  readTrustMarkOperation,
  renewTrustMarkOperation,
  ...transitionTrustMarkOperations,
  listTrustMarkDelegationsOperation,
  makeTrustMarkDelegationOperation,
  readTrustMarkDelegationOperation,
  renewTrustMarkDelegationOperation,
  withdrawTrustMarkDelegationOperation,
  listHeldTrustMarksOperation,
  holdTrustMarkOperation,
  dropHeldTrustMarkOperation,
  listTrustAnchorsOperation,
  pinTrustAnchorOperation,
  readTrustAnchorOperation,
  replaceTrustAnchorKeysOperation,
  unpinTrustAnchorOperation,
  explainResolutionOperation,
  askAdmissionOperation,
  tryAdmissionOperation,
  listEnforcementPointsOperation,
  addEnforcementPointOperation,
  readEnforcementPointOperation,
  updateEnforcementPointOperation,
  rotateEnforcementPointTokenOperation,
  ...transitionEnforcementPointOperations,
  removeEnforcementPointOperation,
  listTokenIssuersOperation,
  addTokenIssuerOperation,
  readTokenIssuerOperation,
  updateTokenIssuerOperation,
  removeTokenIssuerOperation,
  listDecisionsOperation,
  readPropagationOperation,
  followSeqOperation,
  acknowledgeSeqOperation,
  listEventsOperation,
  followEventsOperation,
  listWebhooksOperation,
  addWebhookOperation,
  readWebhookOperation,
  updateWebhookOperation,
  rotateWebhookSecretOperation,
  pauseWebhookOperation,
  resumeWebhookOperation,
  listWebhookDeliveriesOperation,
  replayWebhookOperation,
  pingWebhookOperation,
  removeWebhookOperation,
  findPublicOrganisationsOperation,
  readPublicOrganisationOperation,
  followStatusOperation,
  readStatusOperation,
  listAuditOperation,
  exportAuditOperation,
  exportRegistryOperation,
  importRegistryOperation,
  listImportsOperation,
  readImportOperation,
  readImportDifferencesOperation,
  ...decideImportOperations,
  listAuditCheckpointsOperation,
  makeAuditCheckpointOperation,
  listJobsOperation,
  readJobOperation,
  runJobOperation,
  whoAmIOperation,
  listTokensOperation,
  createTokenOperation,
  rotateTokenOperation,
  rotateOwnTokenOperation,
  revokeTokenOperation,
  grantAccessTokenOperation,
  readLivenessOperation,
  readReadinessOperation,
  readSloOperation,
];
