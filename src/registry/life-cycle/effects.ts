/** What a change of state does to everything below: seen, not stored, by the rules that all readers go by. */

import { and, asc, eq, gt, isNull, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import { credentialsBelow } from '../credentials/credentials-below.ts';
import { isAtMost, type OfferState, offerState, stricterOfferState } from '../offers/offer-state.ts';
import { type AssignmentState, assignmentState } from '../roles/role-assignment.ts';
import { effectiveState } from '../states.ts';
import { hasNotEnded, ITS_ENTITY, ITS_ORGANISATION, stands } from '../trust-marks/standing.ts';
import { delegationOf } from './delegation.ts';

export const AFFECTED_KINDS = [
  'entity',
  'delegation',
  'credential',
  'role_assignment',
  'entity_role_assignment',
  'authorization_server',
  'api_resource',
  'trust_mark',
  'exception',
] as const;

export type AffectedKind = (typeof AFFECTED_KINDS)[number];

/** Something whose state that counts is another than before. */
export interface Affected {
  kind: AffectedKind;
  /** A delegation's is that of the application that acts for another. */
  id: string;
  /** What people know it by. */
  name: string;
  stateBefore: string;
  stateAfter: string;
}

/** Whose life is looked at: an organisation with all of its entities, or an entity. */
export type Above = { organisationId: string } | { entityId: string };

interface Below {
  kind: AffectedKind;
  id: string;
  name: string;
  /** The one that counts. */
  state: string;
}

/**
 * Looks at everything below before and after `change`, a query for each kind: what differs is affected, so that no rule
 * about it stands in two places.
 */
export async function withEffects<T>(
  tx: Tx,
  above: Above,
  now: Date,
  change: () => Promise<T>,
): Promise<{ result: T; affected: Affected[] }> {
  const before = new Map((await allBelow(tx, above, now)).map((one) => [`${one.kind} ${one.id}`, one.state]));
  const result = await change();
  const affected: Affected[] = [];
  for (const { kind, id, name, state } of await allBelow(tx, above, now)) {
    const stateBefore = before.get(`${kind} ${id}`) ?? state;
    if (stateBefore !== state) affected.push({ kind, id, name, stateBefore, stateAfter: state });
  }
  return { result, affected };
}

async function allBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  const found: Below[] = [];
  for (const read of READERS_BELOW) found.push(...(await read(tx, above, now)));
  return found;
}

type ReadBelow = (tx: Tx, above: Above, now: Date) => Promise<Below[]>;

/** In the order in which the answer lists them. */
const READERS_BELOW: readonly ReadBelow[] = [
  entitiesBelow,
  delegationsBelow,
  certificatesAndKeysBelow,
  rolesBelow,
  entityRolesBelow,
  serversBelow,
  apisBelow,
  marksBelow,
  exceptionsBelow,
];

/** An entity is not below itself. */
async function entitiesBelow(tx: Tx, above: Above): Promise<Below[]> {
  if ('entityId' in above) return [];
  const rows = await tx
    .select({
      id: entities.id,
      name: entities.entityIdentifier,
      own: entities.state,
      organisation: organisations.state,
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(isBelow(above))
    .orderBy(asc(entities.id));
  return rows.map(({ id, name, own, organisation }) => ({
    kind: 'entity',
    id,
    name,
    state: effectiveState(own, organisation),
  }));
}

const represented = alias(organisations, 'represented');

/** Of applications below that act for others, and of others' that act for it: these stay, and act for it no more. */
async function delegationsBelow(tx: Tx, above: Above): Promise<Below[]> {
  const actsForIt = 'organisationId' in above ? eq(entities.onBehalfOf, above.organisationId) : undefined;
  const rows = await tx
    .select({
      id: entities.id,
      agent: entities.entityIdentifier,
      own: entities.state,
      organisation: organisations.state,
      principal: represented.state,
      principalName: represented.legalName,
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(represented, eq(represented.id, entities.onBehalfOf))
    .where(or(isBelow(above), actsForIt))
    .orderBy(asc(entities.id));
  return rows.map(({ id, agent, own, organisation, principal, principalName }) => ({
    kind: 'delegation',
    id,
    name: `${agent} for ${principalName}`,
    state: delegationOf(principal, organisation, own).state,
  }));
}

async function certificatesAndKeysBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  const found = await credentialsBelow(tx, above, now);
  return found.map(({ id, name, state }) => ({ kind: 'credential', id, name, state }));
}

/** Held by the organisation: those of an entity are below that. */
async function rolesBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  if ('entityId' in above) return [];
  const rows = await tx
    .select({ assignment: roleAssignments, role: roles, organisation: organisations.state })
    .from(roleAssignments)
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(organisations, eq(organisations.id, roleAssignments.organisationId))
    .where(and(eq(roleAssignments.organisationId, above.organisationId), eq(roleAssignments.state, 'active')))
    .orderBy(asc(roleAssignments.id));
  return rows.map(({ assignment, role, organisation }) => {
    const own = assignmentState(assignment, role, now);
    return { kind: 'role_assignment', id: assignment.id, name: role.name, state: heldBy(organisation, own) };
  });
}

async function entityRolesBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  const rows = await tx
    .select({
      id: entityRoleAssignments.id,
      assignment: roleAssignments,
      role: roles,
      holder: entities.entityIdentifier,
      own: entities.state,
      organisation: organisations.state,
    })
    .from(entityRoleAssignments)
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(entities, eq(entities.id, entityRoleAssignments.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(isBelow(above), eq(entityRoleAssignments.state, 'active')))
    .orderBy(asc(entityRoleAssignments.id));
  return rows.map(({ id, assignment, role, holder, own, organisation }) => ({
    kind: 'entity_role_assignment',
    id,
    name: `${role.name} of ${holder}`,
    state: heldBy(effectiveState(own, organisation), assignmentState(assignment, role, now)),
  }));
}

/** A role counts as long as who holds it does. */
function heldBy(holder: ParticipantState, own: AssignmentState): string {
  return own === 'active' && holder !== 'active' ? holder : own;
}

async function serversBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  const rows = await tx
    .select({ server: authorizationServers, own: entities.state, organisation: organisations.state })
    .from(authorizationServers)
    .innerJoin(entities, eq(entities.id, authorizationServers.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(isBelow(above), isAtMost('deprecated', authorizationServers, now)))
    .orderBy(asc(authorizationServers.id));
  return rows.map(({ server, own, organisation }) => ({
    kind: 'authorization_server',
    id: server.id,
    name: server.issuer,
    state: offeredBy(effectiveState(own, organisation), offerState(server, now)),
  }));
}

async function apisBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  const rows = await tx
    .select({
      api: apiResources,
      server: authorizationServers,
      own: entities.state,
      organisation: organisations.state,
    })
    .from(apiResources)
    .innerJoin(authorizationServers, eq(authorizationServers.id, apiResources.authorizationServerId))
    .innerJoin(entities, eq(entities.id, authorizationServers.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(isBelow(above), isAtMost('deprecated', apiResources, now), isAtMost('deprecated', authorizationServers, now)),
    )
    .orderBy(asc(apiResources.id));
  return rows.map(({ api, server, own, organisation }) => ({
    kind: 'api_resource',
    id: api.id,
    name: `${api.family} ${api.apiVersion} at ${server.issuer}`,
    state: offeredBy(
      effectiveState(own, organisation),
      stricterOfferState(offerState(api, now), offerState(server, now)),
    ),
  }));
}

/** What is offered lives as long as who offers it. */
function offeredBy(entity: ParticipantState, offer: OfferState): string {
  return entity === 'active' ? offer : entity;
}

/** Those that were approved and are not over. */
async function exceptionsBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  const rows = await tx
    .select({
      exception: entityExceptions,
      holder: entities.entityIdentifier,
      own: entities.state,
      organisation: organisations.state,
    })
    .from(entityExceptions)
    .innerJoin(entities, eq(entities.id, entityExceptions.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(isBelow(above), eq(entityExceptions.state, 'approved'), gt(entityExceptions.endsAt, now)))
    .orderBy(asc(entityExceptions.id));
  return rows.map(({ exception, holder, own, organisation }) => {
    const counts = effectiveState(own, organisation);
    const state = counts === 'active' ? exception.state : counts;
    return { kind: 'exception', id: exception.id, name: `${exception.kind} of ${holder}`, state };
  });
}

const bearer = alias(entities, 'bearer');
const bearerOrganisation = alias(organisations, 'bearer_organisation');

/** Grants that could stand; of several records of a bearer the latest tells why one does not. */
async function marksBelow(tx: Tx, above: Above, now: Date): Promise<Below[]> {
  const rows = await tx
    .select({
      id: trustMarks.id,
      subject: trustMarks.subject,
      type: trustMarkTypes.name,
      isStanding: sql<boolean>`${stands(tx)}`,
      own: bearer.state,
      organisation: bearerOrganisation.state,
    })
    .from(trustMarks)
    .innerJoin(trustMarkTypes, and(eq(trustMarkTypes.id, trustMarks.typeId), eq(trustMarkTypes.state, 'active')))
    // By what has an index; a grant to a record has that record's identifier, too.
    .innerJoin(
      bearer,
      and(
        eq(bearer.authorityId, trustMarks.authorityId),
        eq(bearer.entityIdentifier, trustMarks.subject),
        or(isNull(trustMarks.entityId), eq(trustMarks.entityId, bearer.id)),
      ),
    )
    .innerJoin(bearerOrganisation, eq(bearerOrganisation.id, bearer.organisationId))
    .leftJoin(entities, ITS_ENTITY)
    .leftJoin(organisations, ITS_ORGANISATION)
    .where(and(isBelow(above, bearer), eq(trustMarks.state, 'active'), hasNotEnded(now)))
    .orderBy(asc(trustMarks.id), asc(bearer.id));
  const latest = new Map<string, Below>();
  for (const { id, subject, type, isStanding, own, organisation } of rows) {
    const state = isStanding ? 'active' : effectiveState(own, organisation);
    latest.set(id, { kind: 'trust_mark', id, name: `${type} of ${subject}`, state });
  }
  return [...latest.values()];
}

function isBelow(above: Above, of: typeof entities | typeof bearer = entities): SQL {
  return 'entityId' in above ? eq(of.id, above.entityId) : eq(of.organisationId, above.organisationId);
}
