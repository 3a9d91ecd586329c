/** Where entities may be hosted: under our host name for that, or on a host of their own; never where we are ourselves. */
import { and, eq, isNotNull, isNull, ne, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { hostedEntities } from '../../storage/schema/hosted-entities.ts';
import { authorityLocation, checkAuthorityPath } from '../authorities/authority-location.ts';
import type { ChangeContext } from '../change.ts';
import { invalidField, type RegistryError } from '../registry-error.ts';

/** Host names that belong to the deployment. */
export interface HostingSites {
  /** Where API, pages and the first authority are. */
  serviceUrl: string;
  /** What all Entity Identifiers under our own host begin with; undefined: entities come with hosts of their own. */
  hostedBaseUrl: string | undefined;
}

/** A host name as requests are compared by: lower case, without port, and without the dot that ends a full name. */
export function hostnameOf(url: string): string {
  return new URL(url).hostname.replace(/\.$/, '');
}

/** Whether the identifier is under our own host: it cannot be served by anybody else. */
export function isOnOurHost(entityIdentifier: string, sites: HostingSites | undefined): boolean {
  const base = sites?.hostedBaseUrl;
  return base !== undefined && hostnameOf(entityIdentifier) === hostnameOf(base);
}

/**
 * Refuses a place that cannot be served apart, or where approved entities of somebody else are or were: that a name
 * points here says nothing about which of those that it was pointed here for, and who knew the one from before would
 * take the other for it. What nobody approved keeps nobody out; so this is asked at the approval again.
 * @throws RegistryError validation_failed at /entityIdentifier
 */
export async function requireHostingPlace(
  tx: Tx,
  { entityIdentifier, organisationId }: { entityIdentifier: string; organisationId: string },
  sites: HostingSites | undefined,
): Promise<void> {
  checkAuthorityPath(entityIdentifier);
  const { hostname, host, protocol, pathname } = new URL(entityIdentifier);
  if (hostname.endsWith('.')) throw invalid('has a host that ends with a dot; leave it out');
  const base = sites?.hostedBaseUrl === undefined ? undefined : new URL(sites.hostedBaseUrl);
  if (base !== undefined && isOnOurHost(entityIdentifier, sites)) {
    if (host !== base.host || protocol !== base.protocol) throw invalid(`must begin with ${base.origin}/`);
    if (pathname === '/') throw invalid(`needs a path of its own under ${base.origin}`);
    const location = eq(hostedEntities.location, authorityLocation(entityIdentifier));
    if (await isOfOthers(tx, location, organisationId)) throw ofOthers('was used by');
    return;
  }
  await lockHost(tx, hostname);
  const isOurs =
    (sites !== undefined && hostname === hostnameOf(sites.serviceUrl)) || (await isAuthorityHost(tx, hostname));
  if (isOurs) {
    const other = base === undefined ? 'a host name of its own' : `${base.origin}/…`;
    throw invalid(`is on the host of an authority or of this service; a hosted entity is on ${other}`);
  }
  if (await isOfOthers(tx, eq(hostedEntities.hostname, hostname), organisationId)) {
    throw ofOthers('is on a host name that is or was used by');
  }
}

/**
 * An authority has pages and an API beside it, a hosted entity must not.
 * @throws RegistryError validation_failed at /entityIdentifier
 */
export async function requireNoHostingPlace(
  { hostingSites }: Pick<ChangeContext, 'hostingSites'>,
  tx: Tx,
  entityIdentifier: string,
): Promise<void> {
  const hostname = hostnameOf(entityIdentifier);
  await lockHost(tx, hostname);
  const [hosted] = await tx
    .select({ location: hostedEntities.location })
    .from(hostedEntities)
    .innerJoin(entities, eq(entities.id, hostedEntities.entityId))
    .where(and(eq(hostedEntities.hostname, hostname), isNull(hostedEntities.endedAt), isNotNull(entities.registeredAt)))
    .limit(1);
  if (hosted === undefined && !isOnOurHost(entityIdentifier, hostingSites)) return;
  throw invalid('is on a host name where hosted entities are; an authority needs another one');
}

/** Until the transaction ends nobody else decides who may be on the host: neither sees what the other is about to write. */
async function lockHost(tx: Tx, hostname: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`host ${hostname}`}, 0))`);
}

async function isAuthorityHost(tx: Tx, hostname: string): Promise<boolean> {
  const rows = await tx.select({ entityIdentifier: authorities.entityIdentifier }).from(authorities);
  return rows.some((row) => hostnameOf(row.entityIdentifier) === hostname);
}

async function isOfOthers(tx: Tx, place: SQL, organisationId: string): Promise<boolean> {
  const [other] = await tx
    .select({ id: entities.id })
    .from(hostedEntities)
    .innerJoin(entities, eq(entities.id, hostedEntities.entityId))
    .where(and(place, isNotNull(entities.registeredAt), ne(entities.organisationId, organisationId)))
    .limit(1);
  return other !== undefined;
}

function ofOthers(what: string): RegistryError {
  return invalid(`${what} entities of another organisation; if it changed hands, ask whoever operates this service`);
}

function invalid(detail: string): RegistryError {
  return invalidField('/entityIdentifier', detail);
}
