/** Which changes others are told of, and as what; every action of the audit is either here or left out on purpose. */

/** Types of events by the actions that they are told of: what has happened, in the past tense. */
export const EVENT_TYPES = {
  'authority.create': 'authority.created',
  'authority.update': 'authority.updated',
  'authority.import': 'authority.imported',
  'authority_key.create': 'authority_key.created',
  'authority_key.announce': 'authority_key.announced',
  'authority_key.activate': 'authority_key.activated',
  'authority_key.retire': 'authority_key.retired',
  'authority_key.archive': 'authority_key.archived',
  'authority_key.revoke': 'authority_key.revoked',
  'organisation.add': 'organisation.added',
  'organisation.import': 'organisation.imported',
  'organisation.update': 'organisation.updated',
  'organisation.approve': 'organisation.approved',
  'organisation.reject': 'organisation.rejected',
  'organisation.suspend': 'organisation.suspended',
  'organisation.change_suspension': 'organisation.suspension_changed',
  'organisation.reinstate': 'organisation.reinstated',
  'organisation.withdraw': 'organisation.withdrawn',
  'organisation.revoke': 'organisation.revoked',
  'entity.add': 'entity.added',
  'entity.import': 'entity.imported',
  'entity.update': 'entity.updated',
  'entity.approve': 'entity.approved',
  'entity.reject': 'entity.rejected',
  'entity.suspend': 'entity.suspended',
  'entity.change_suspension': 'entity.suspension_changed',
  'entity.reinstate': 'entity.reinstated',
  'entity.withdraw': 'entity.withdrawn',
  'entity.revoke': 'entity.revoked',
  'entity.push_keys': 'entity.keys_changed',
  'entity.add_published_keys': 'entity.keys_changed',
  'entity.follow_key_certificates': 'entity.keys_changed',
  'entity.accept_key': 'entity.keys_changed',
  'entity.remove_key': 'entity.keys_changed',
  'entity.bring_key': 'entity.keys_changed',
  'entity.roll_hosted_key': 'entity.keys_changed',
  'entity.advance_hosted_keys': 'entity.keys_changed',
  'entity.take_hosted_key': 'entity.keys_changed',
  'entity.mark_key_compromised': 'entity.key_compromised',
  'entity.update_hosting': 'entity.configuration_changed',
  'entity.upload_configuration': 'entity.configuration_changed',
  'entity.stop_hosting': 'entity.hosting_stopped',
  'entity.give_role': 'entity.role_given',
  'entity.take_role': 'entity.role_taken',
  'entity_exception.request': 'entity_exception.requested',
  'entity_exception.approve': 'entity_exception.approved',
  'entity_exception.reject': 'entity_exception.rejected',
  'entity_exception.end': 'entity_exception.ended',
  'entity_exception.import': 'entity_exception.imported',
  'enrolment.submit': 'enrolment.submitted',
  'enrolment.complete': 'enrolment.completed',
  'enrolment.reject': 'enrolment.rejected',
  'enrolment.cancel': 'enrolment.cancelled',
  'enrolment.lapse': 'enrolment.lapsed',
  'authorisation_domain.add': 'authorisation_domain.added',
  'authorisation_domain.update': 'authorisation_domain.updated',
  'authorisation_domain.import': 'authorisation_domain.imported',
  'role.add': 'role.added',
  'role.update': 'role.updated',
  'role.retire': 'role.retired',
  'role.reinstate': 'role.reinstated',
  'role.import': 'role.imported',
  'role_assignment.add': 'role_assignment.added',
  'role_assignment.update': 'role_assignment.updated',
  'role_assignment.remove': 'role_assignment.removed',
  'role_assignment.postpone': 'role_assignment.postponed',
  'role_assignment.begin': 'role_assignment.begun',
  'role_assignment.end': 'role_assignment.ended',
  'role_assignment.import': 'role_assignment.imported',
  'credential.add': 'credential.added',
  'credential.issue': 'credential.issued',
  'credential.remind': 'credential.expiring',
  'credential.hold': 'credential.held',
  'credential.release': 'credential.released',
  'credential.supersede': 'credential.superseded',
  'credential.revoke': 'credential.revoked',
  'credential.path': 'credential.path_changed',
  'credential.import': 'credential.imported',
  'certification_authority.create': 'certification_authority.created',
  'certification_authority.activate': 'certification_authority.activated',
  'certification_authority.update': 'certification_authority.updated',
  'certification_authority.retire': 'certification_authority.retired',
  'authorization_server.add': 'authorization_server.added',
  'authorization_server.update': 'authorization_server.updated',
  'authorization_server.deprecate': 'authorization_server.deprecated',
  'authorization_server.return': 'authorization_server.returned',
  'authorization_server.retire': 'authorization_server.retired',
  'authorization_server.remove': 'authorization_server.removed',
  'authorization_server.import': 'authorization_server.imported',
  'api_resource.add': 'api_resource.added',
  'api_resource.update': 'api_resource.updated',
  'api_resource.deprecate': 'api_resource.deprecated',
  'api_resource.return': 'api_resource.returned',
  'api_resource.retire': 'api_resource.retired',
  'api_resource.remove': 'api_resource.removed',
  'api_resource.import': 'api_resource.imported',
  'api_resource.certification_end': 'api_resource.certification_ended',
  'trust_mark_type.define': 'trust_mark_type.defined',
  'trust_mark_type.update': 'trust_mark_type.updated',
  'trust_mark_type.retire': 'trust_mark_type.retired',
  'trust_mark_type.reinstate': 'trust_mark_type.reinstated',
  'trust_mark_type.import': 'trust_mark_type.imported',
  'trust_mark.request': 'trust_mark.requested',
  'trust_mark.grant': 'trust_mark.granted',
  'trust_mark.approve': 'trust_mark.approved',
  'trust_mark.reject': 'trust_mark.rejected',
  'trust_mark.renew': 'trust_mark.renewed',
  'trust_mark.withdraw': 'trust_mark.withdrawn',
  'trust_mark.import': 'trust_mark.imported',
  'trust_mark_delegation.make': 'trust_mark_delegation.made',
  'trust_mark_delegation.renew': 'trust_mark_delegation.renewed',
  'trust_mark_delegation.withdraw': 'trust_mark_delegation.withdrawn',
  'trust_mark_delegation.import': 'trust_mark_delegation.imported',
  'trust_list_entry.add': 'trust_list_entry.added',
  'trust_list_entry.remove': 'trust_list_entry.removed',
  'trust_list_entry.import': 'trust_list_entry.imported',
  'trust_anchor.pin': 'trust_anchor.pinned',
  'trust_anchor.unpin': 'trust_anchor.unpinned',
  'trust_anchor.replace_keys': 'trust_anchor.keys_replaced',
  'trust_anchor.learn_keys': 'trust_anchor.keys_learned',
  'trust_anchor.alarm': 'trust_anchor.alarmed',
  'trust_anchor.import': 'trust_anchor.imported',
} as const satisfies Record<string, string>;

/** What nobody is told of: whom to call, who may do what, what protects itself, and what is between two and not decided. */
export const UNTOLD_ACTIONS = [
  // What a service does to go on saying what it says.
  'certification_authority.renew_responder',
  // People.
  'contact.add',
  'contact.update',
  'contact.remove',
  'contact.confirm',
  'contact.stale',
  'contact.remind',
  'contact.import',
  // Between a member and its authority; what comes of it is told.
  'organisation.accept_terms',
  'organisation.terms_lapsed',
  'organisation.withdraw_terms',
  'organisation.withdraw_domain',
  'organisation.remind',
  'certificate_request.submit',
  'certificate_request.approve',
  'certificate_request.reject',
  'certificate_request.lapse',
  'certificate_code.make',
  'api_resource.remind',
  'api_resource.certification_lapsed',
  'entity.check',
  'entity.propose_keys',
  'entity.refuse_key',
  'enrolment.draft',
  'enrolment.update',
  'enrolment.check',
  'enrolment.approve',
  // Told with `role_assignment.removed`, which lists them.
  'entity.lock_role',
  // Who may come in here, and who is told.
  'api_token.create',
  'api_token.rotate',
  'api_token.revoke',
  'enforcement_point.add',
  'enforcement_point.update',
  'enforcement_point.rotate_token',
  'enforcement_point.suspend',
  'enforcement_point.reinstate',
  'enforcement_point.remove',
  'enforcement_point.import',
  'token_issuer.add',
  'token_issuer.update',
  'token_issuer.remove',
  'token_issuer.import',
  'webhook.add',
  'webhook.update',
  'webhook.rotate_secret',
  'webhook.pause',
  'webhook.resume',
  'webhook.replay',
  'webhook.remove',
  'import.request',
  'import.apply',
  'import.approve',
  'import.reject',
  'import.lapse',
  // Marks of others that an authority shows, and upkeep.
  'held_trust_mark.hold',
  'held_trust_mark.refresh',
  'held_trust_mark.drop',
  'deployment.rewrap_keys',
] as const;

/** `<kind>.<verb>`: what stands in the audit. */
export type Action = keyof typeof EVENT_TYPES | (typeof UNTOLD_ACTIONS)[number];

export type EventType = (typeof EVENT_TYPES)[keyof typeof EVENT_TYPES];

/** Each once, sorted. */
export const ALL_EVENT_TYPES: readonly EventType[] = [...new Set(Object.values(EVENT_TYPES))].sort();

const BY_ACTION: ReadonlyMap<string, EventType> = new Map(Object.entries(EVENT_TYPES));

/** @returns undefined for what nobody is told of */
export function eventTypeOf(action: Action): EventType | undefined {
  return BY_ACTION.get(action);
}

const KNOWN_FILTERS: ReadonlySet<string> = new Set([
  ...ALL_EVENT_TYPES,
  ...ALL_EVENT_TYPES.map((type) => `${type.slice(0, type.indexOf('.'))}.*`),
]);

/** Whether it names a type, or all of a kind such as `organisation.*`. */
export function isEventTypeFilter(value: string): boolean {
  return KNOWN_FILTERS.has(value);
}

/** Whether one of the filters lets a type through; none: all. */
export function matchesTypes(filters: readonly string[], type: string): boolean {
  return filters.length === 0 || filters.includes(type) || filters.includes(`${type.slice(0, type.indexOf('.'))}.*`);
}

/** The types that the filters let through. */
export function typesOf(filters: readonly string[]): EventType[] {
  return ALL_EVENT_TYPES.filter((type) => matchesTypes(filters, type));
}
