/** Who acts: roles, how far they reach, and the one check that every verb makes first. */
import type { Role } from '../storage/schema/api-tokens.ts';
import { isRecordId } from './record-id.ts';
import { RegistryError } from './registry-error.ts';

export interface Actor {
  kind: 'token' | 'operator' | 'system' | 'entity';
  /** The token's id, the Entity Identifier of an entity, or a fixed word for the others. */
  id: string;
  name: string;
  roles: readonly Role[];
  /** Ids of the authorities that the actor reaches; `all` includes those made later. */
  authorities: 'all' | ReadonlySet<string>;
  /** Ids of the organisations that a member acts for; `all` for whoever works for the authorities themselves. */
  organisations: 'all' | ReadonlySet<string>;
  /** Those of a member's organisations that are suspended: he reads what is theirs, and makes nothing of them live. */
  suspended?: ReadonlySet<string>;
  /** Id of the one entity that a member acts for: nothing else of its organisation is in reach. */
  entityId?: string;
  /** Came with the secret that a rotated token had before. */
  isReplaced?: boolean;
}

/** Roles of those who work for an authority. */
export const STAFF_ROLES = ['admin', 'registrar', 'approver', 'auditor'] as const satisfies readonly Role[];

/** Roles of those who act for organisations; they count in a token of organisations only, where no other role does. */
export const MEMBER_ROLES = ['organisation-admin', 'technical-contact'] as const satisfies readonly Role[];

/** Any of these roles may read what its authorities hold, except the audit trail. */
export const READERS: readonly Role[] = STAFF_ROLES;

/** The same, and members, who read what belongs to their organisations. */
export const READERS_AND_MEMBERS: readonly Role[] = [...STAFF_ROLES, ...MEMBER_ROLES];

/**
 * Lets an actor with one of the roles act in an authority, and there on what belongs to an organisation. What is out of
 * reach looks as if it did not exist. A member is refused whatever a verb does not place in an organisation, and the
 * token of an entity whatever is not placed in an entity. For an organisation that is suspended a member does nothing
 * but what {@link despiteSuspension} lets through.
 * @param authorityId null for what concerns the whole deployment
 * @param organisationId whose record it is; left out for what belongs to the authority itself
 * @param entityId of the entity whose record it is
 * @throws RegistryError not_found, role_missing, organisation_suspended
 */
export function authorise(
  actor: Actor,
  roles: readonly Role[],
  authorityId: string | null,
  organisationId?: string,
  entityId?: string,
): void {
  if (authorityId === null) {
    if (actor.authorities !== 'all') {
      throw new RegistryError('role_missing', 'this needs a token that reaches all authorities');
    }
  } else {
    requireAuthority(actor, authorityId);
  }
  requireRole(actor, roles);
  requirePlace(actor.organisations, 'organisation', organisationId);
  requirePlace(actor.entityId === undefined ? 'all' : new Set([actor.entityId]), 'entity', entityId);
  requireNotSuspended(actor, organisationId === undefined ? [] : [organisationId]);
}

/** Of organisations that the actor acts for. @throws RegistryError organisation_suspended */
export function requireNotSuspended({ suspended }: Actor, organisationIds: readonly string[]): void {
  const organisation = organisationIds.find((id) => suspended?.has(id));
  if (organisation === undefined) return;
  const message =
    'its organisation is suspended: its members may read, see to contacts and terms, and take things back';
  throw new RegistryError('organisation_suspended', message, { organisation });
}

/** For verbs that let nothing live, and so are open to members of an organisation that is suspended. */
export function despiteSuspension({ suspended: _, ...actor }: Actor): Actor {
  return actor;
}

/** @throws RegistryError not_found */
export function requireAuthority(actor: Actor, authorityId: string): void {
  if (isRecordId(authorityId) && isWithin(actor.authorities, authorityId)) return;
  throw notFound('authority', authorityId);
}

function requirePlace(reached: 'all' | ReadonlySet<string>, kind: string, id: string | undefined): void {
  if (isWithin(reached, id)) return;
  if (id !== undefined) throw notFound(kind, id);
  throw new RegistryError('role_missing', `this is not for tokens of an ${kind}`);
}

/** @throws RegistryError role_missing */
export function requireRole(actor: Actor, roles: readonly Role[]): void {
  if (roles.some((role) => actor.roles.includes(role) && counts(actor, role))) return;
  throw new RegistryError('role_missing', `this needs the role ${roles.join(' or ')}`, { roles: [...roles] });
}

export function isMember({ organisations }: Pick<Actor, 'organisations'>): boolean {
  return organisations !== 'all';
}

export function isMemberRole(role: Role): boolean {
  return MEMBER_ROLES.some((memberRole) => memberRole === role);
}

/** Roles of members say nothing without organisations, and all others nothing with them. */
function counts(actor: Actor, role: Role): boolean {
  return isMember(actor) === isMemberRole(role);
}

/** Whether a record is in reach; for a member, none that is not placed in an organisation. */
export function reaches(actor: Actor, authorityId: string, organisationId?: string, entityId?: string): boolean {
  return (
    isWithin(actor.authorities, authorityId) &&
    isWithin(actor.organisations, organisationId) &&
    (actor.entityId === undefined || actor.entityId === entityId)
  );
}

function isWithin(reached: 'all' | ReadonlySet<string>, id: string | undefined): boolean {
  return reached === 'all' || (id !== undefined && reached.has(id));
}

export function notFound(kind: string, id: string): RegistryError {
  return new RegistryError('not_found', `there is no ${kind} ${id}`);
}
