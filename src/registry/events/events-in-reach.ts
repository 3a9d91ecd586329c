/** Whose events somebody sees, and what of them. */
import { ACCESS } from '../access.ts';
import { type Actor, isMember, requireAuthority, requireRole } from '../actor.ts';
import { type EventBody, eventBody, type ToldColumns } from './event-body.ts';
import type { EventFilter } from './read-events.ts';

export interface WantedEvents {
  authorityId?: string | undefined;
  types: readonly string[];
  roleIds: readonly string[];
}

/** Kinds of records that members read, too. */
const KINDS_OF_MEMBERS = [
  ...['organisation', 'entity', 'enrolment', 'role_assignment', 'credential', 'authorization_server', 'api_resource'],
  'entity_exception',
] as const;

/** Kinds of what is affected that belong to the member itself: not what others do on its behalf, nor marks. */
const AFFECTED_OF_MEMBERS: ReadonlySet<unknown> = new Set([
  ...['entity', 'credential', 'role_assignment', 'entity_role_assignment', 'authorization_server', 'api_resource'],
  'exception',
]);

/**
 * Staff see events of the authorities in reach; members those of their organisations, an entity its own.
 * @throws RegistryError role_missing, not_found when an authority is named that is out of reach
 */
export function eventsInReach(actor: Actor, { authorityId, types, roleIds }: WantedEvents): EventFilter {
  requireRole(actor, ACCESS.listEvents.roles);
  if (authorityId !== undefined) requireAuthority(actor, authorityId);
  const reached = actor.authorities === 'all' ? 'all' : [...actor.authorities];
  return {
    authorityIds: authorityId === undefined ? reached : [authorityId],
    organisationIds: actor.organisations === 'all' ? 'all' : [...actor.organisations],
    entityIds: actor.entityId === undefined ? 'all' : [actor.entityId],
    subjectKinds: isMember(actor) ? KINDS_OF_MEMBERS : 'all',
    types,
    roleIds,
  };
}

/** An event as the actor may see it. */
export function eventBodyFor(actor: Actor, event: ToldColumns): EventBody {
  const body = eventBody(event);
  const { affected } = body.data;
  if (!isMember(actor) || !Array.isArray(affected)) return body;
  const shown = affected.filter((one) => AFFECTED_OF_MEMBERS.has((one as { kind?: unknown } | null)?.kind));
  return { ...body, data: { ...body.data, affected: shown } };
}
