/** The claims of a Subordinate Statement, times aside. @see OIDFED §3.1.1, §3.1.3 */
import type { JsonObject } from '../federation/json.ts';
import type { NumericDate } from '../federation/time.ts';
import type { Authority } from '../registry/authorities/authority.ts';
import { mergedPolicy } from '../registry/claims-input.ts';
import { entityTypes, isIntermediate } from '../registry/entities/entity.ts';
import type { Subordinate } from '../registry/entities/read-subordinate.ts';
import { heldRoles, nextRoleChange } from '../registry/roles/given-roles.ts';

/** Keys that still verify something at `now`, in their registered order. */
export function liveKeys({ keys }: Pick<Subordinate, 'keys'>, now: NumericDate): JsonObject[] {
  return keys.filter(({ expiresAt }) => secondsOf(expiresAt) > now).map(({ jwk }) => jwk as JsonObject);
}

/** The statement must not outlive the first of its keys to expire, seconds since the epoch; Infinity if none does. */
export function firstKeyExpiry({ keys }: Pick<Subordinate, 'keys'>, now: NumericDate): NumericDate {
  return Math.min(...keys.map(({ expiresAt }) => secondsOf(expiresAt)).filter((seconds) => seconds > now));
}

/**
 * Until when all that the statement says is so, seconds since the epoch: a key expires, or a role begins or ends to count.
 * Infinity if neither does.
 */
export function truthEnds(subordinate: Pick<Subordinate, 'keys' | 'roles'>, now: NumericDate): NumericDate {
  return Math.min(firstKeyExpiry(subordinate, now), nextRoleChange(subordinate.roles, now));
}

function secondsOf(expiresAt: Date | null): NumericDate {
  return expiresAt === null ? Number.POSITIVE_INFINITY : Math.floor(expiresAt.getTime() / 1000);
}

/** @param now keys expired by then are left out, and so are roles that do not count then */
export function buildSubordinateStatement(
  authority: Authority,
  subordinate: Subordinate,
  now: NumericDate,
): JsonObject {
  const { entity } = subordinate;
  const claims: JsonObject = {
    ...entity.additionalClaims,
    iss: authority.entityIdentifier,
    sub: entity.entityIdentifier,
    jwks: { keys: liveKeys(subordinate, now) },
  };
  const optional = {
    metadata: metadataForDeclaredTypes(subordinate),
    metadata_policy: mergedPolicy(
      {
        authorityDefault: authority.defaultMetadataPolicy,
        roles: heldRoles(subordinate.roles, now),
        own: entity.metadataPolicy,
      },
      entity.entityIdentifier,
    ),
    constraints: constraintsOf(authority, subordinate),
  };
  for (const [claim, value] of Object.entries(optional)) {
    if (Object.keys(value).length > 0) claims[claim] = value;
  }
  if (entity.crit.length > 0) claims['crit'] = entity.crit;
  return claims;
}

/** Who was not approved as an Intermediate has nobody below, whatever endpoints it publishes by now (§6.2.1). */
function constraintsOf({ defaultConstraints }: Authority, { entity }: Subordinate): JsonObject {
  const constraints = entity.constraints ?? defaultConstraints ?? {};
  return isIntermediate(entity) ? constraints : { ...constraints, max_path_length: 0 };
}

/** A superior's metadata speaks only of Entity Types that the subject plays (§3.1.1). */
function metadataForDeclaredTypes({ entity }: Subordinate): JsonObject {
  const types = entityTypes(entity);
  return Object.fromEntries(Object.entries(entity.metadata).filter(([entityType]) => types.includes(entityType)));
}
