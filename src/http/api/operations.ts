/** All operations of the API, in the order of its documentation. */
import { readLivenessOperation } from '../health/read-liveness.ts';
import { readReadinessOperation } from '../health/read-readiness.ts';
import { listAuditOperation } from './audit/list-audit.ts';
import { createAuthorityOperation } from './authorities/create-authority.ts';
import { listAuthoritiesOperation } from './authorities/list-authorities.ts';
import { listAuthorityKeysOperation } from './authorities/list-authority-keys.ts';
import { readAuthorityOperation } from './authorities/read-authority.ts';
import { readMetadataPolicyOperation } from './authorities/read-metadata-policy.ts';
import { replaceMetadataPolicyOperation } from './authorities/replace-metadata-policy.ts';
import { updateAuthorityOperation } from './authorities/update-authority.ts';
import { createEnrolmentChallengeOperation } from './enrolment-challenges/create-enrolment-challenge.ts';
import { approveEntityOperation } from './entities/approve-entity.ts';
import { enrolEntityOperation } from './entities/enrol-entity.ts';
import { listEntitiesOperation } from './entities/list-entities.ts';
import { readEntityOperation } from './entities/read-entity.ts';
import { recheckEntityOperation } from './entities/recheck-entity.ts';
import { transitionEntityOperations } from './entities/transition-entity.ts';
import { updateEntityOperation } from './entities/update-entity.ts';
import type { Operation } from './operation.ts';
import { addOrganisationOperation } from './organisations/add-organisation.ts';
import { listOrganisationsOperation } from './organisations/list-organisations.ts';
import { readOrganisationOperation } from './organisations/read-organisation.ts';
import { transitionOrganisationOperations } from './organisations/transition-organisation.ts';
import { updateOrganisationOperation } from './organisations/update-organisation.ts';
import { explainResolutionOperation } from './resolutions/explain-resolution.ts';
import { createTokenOperation } from './tokens/create-token.ts';
import { listTokensOperation } from './tokens/list-tokens.ts';
import { revokeTokenOperation } from './tokens/revoke-token.ts';
import { whoAmIOperation } from './tokens/who-am-i.ts';
import { listTrustAnchorsOperation } from './trust-anchors/list-trust-anchors.ts';
import { pinTrustAnchorOperation } from './trust-anchors/pin-trust-anchor.ts';
import { readTrustAnchorOperation } from './trust-anchors/read-trust-anchor.ts';
import { replaceTrustAnchorKeysOperation } from './trust-anchors/replace-trust-anchor-keys.ts';
import { unpinTrustAnchorOperation } from './trust-anchors/unpin-trust-anchor.ts';

export const OPERATIONS: readonly Operation[] = [
  listAuthoritiesOperation,
  createAuthorityOperation,
  readAuthorityOperation,
  updateAuthorityOperation,
  readMetadataPolicyOperation,
  replaceMetadataPolicyOperation,
  listAuthorityKeysOperation,
  listOrganisationsOperation,
  addOrganisationOperation,
  readOrganisationOperation,
  updateOrganisationOperation,
  ...transitionOrganisationOperations,
  listEntitiesOperation,
  enrolEntityOperation,
  createEnrolmentChallengeOperation,
  readEntityOperation,
  updateEntityOperation,
  recheckEntityOperation,
  approveEntityOperation,
  ...transitionEntityOperations,
  listTrustAnchorsOperation,
  pinTrustAnchorOperation,
  readTrustAnchorOperation,
  replaceTrustAnchorKeysOperation,
  unpinTrustAnchorOperation,
  explainResolutionOperation,
  listAuditOperation,
  whoAmIOperation,
  listTokensOperation,
  createTokenOperation,
  revokeTokenOperation,
  readLivenessOperation,
  readReadinessOperation,
];
