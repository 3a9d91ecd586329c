/** All kinds of an export, in the order in which they are written. */
import { AUTHORITIES } from './kinds/authorities.ts';
import { CREDENTIALS } from './kinds/credentials.ts';
import { ENTITIES } from './kinds/entities.ts';
import { API_RESOURCES, AUTHORIZATION_SERVERS } from './kinds/offers.ts';
import { CONTACTS, ORGANISATIONS } from './kinds/organisations.ts';
import { ENFORCEMENT_POINTS, EXCEPTIONS, TOKEN_ISSUERS } from './kinds/perimeter.ts';
import { AUTHORISATION_DOMAINS, ENTITY_ROLES, ROLE_ASSIGNMENTS, ROLES } from './kinds/roles.ts';
import { TRUST_ANCHORS, TRUST_LIST_ENTRIES } from './kinds/trust.ts';
import { TRUST_MARK_DELEGATIONS, TRUST_MARK_TYPES, TRUST_MARKS } from './kinds/trust-marks.ts';
import { KIND_NAMES, type KindName, type RecordKind } from './record-kind.ts';

const KINDS: Readonly<Record<KindName, RecordKind>> = {
  authorities: AUTHORITIES,
  organisations: ORGANISATIONS,
  contacts: CONTACTS,
  authorisationDomains: AUTHORISATION_DOMAINS,
  roles: ROLES,
  entities: ENTITIES,
  roleAssignments: ROLE_ASSIGNMENTS,
  entityRoles: ENTITY_ROLES,
  credentials: CREDENTIALS,
  authorizationServers: AUTHORIZATION_SERVERS,
  apiResources: API_RESOURCES,
  trustAnchors: TRUST_ANCHORS,
  trustListEntries: TRUST_LIST_ENTRIES,
  trustMarkTypes: TRUST_MARK_TYPES,
  trustMarks: TRUST_MARKS,
  trustMarkDelegations: TRUST_MARK_DELEGATIONS,
  enforcementPoints: ENFORCEMENT_POINTS,
  tokenIssuers: TOKEN_ISSUERS,
  exceptions: EXCEPTIONS,
};

export const RECORD_KINDS: readonly RecordKind[] = KIND_NAMES.map((name) => KINDS[name]);

export function kindNamed(name: KindName): RecordKind {
  return KINDS[name];
}
