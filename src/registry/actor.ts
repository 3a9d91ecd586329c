/** Who acts: roles, the authorities they reach, and the one check that every verb makes first. */
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
}

/** Any role may read what its authorities hold, except the audit trail. */
export const READERS: readonly Role[] = ['admin', 'registrar', 'approver', 'auditor'];

/**
 * Lets an actor with one of the roles act in an authority. An authority out of reach looks as if it did not exist.
 * @param authorityId null for what concerns the whole deployment
 * @throws RegistryError not_found, role_missing
 */
export function authorise(actor: Actor, roles: readonly Role[], authorityId: string | null): void {
  if (authorityId !== null && !(isRecordId(authorityId) && reaches(actor, authorityId))) {
    throw notFound('authority', authorityId);
  }
  if (authorityId === null && actor.authorities !== 'all') {
    throw new RegistryError('role_missing', 'this needs a token that reaches all authorities');
  }
  requireRole(actor, roles);
}

/** @throws RegistryError role_missing */
export function requireRole(actor: Actor, roles: readonly Role[]): void {
  if (roles.some((role) => actor.roles.includes(role))) return;
  throw new RegistryError('role_missing', `this needs the role ${roles.join(' or ')}`, { roles: [...roles] });
}

export function reaches(actor: Actor, authorityId: string): boolean {
  return actor.authorities === 'all' || actor.authorities.has(authorityId);
}

export function notFound(kind: string, id: string): RegistryError {
  return new RegistryError('not_found', `there is no ${kind} ${id}`);
}
