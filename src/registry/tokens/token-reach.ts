/** Which tokens somebody sees, changes and makes: none that reaches further than himself. */
import { type SQL, sql } from 'drizzle-orm';
import { apiTokens, type Role } from '../../storage/schema/api-tokens.ts';
import { type Actor, isMember, notFound } from '../actor.ts';
import { RegistryError } from '../registry-error.ts';
import type { ApiToken } from './api-token.ts';

/** What an organisation's own admin hands out. */
const GIVEN_BY_MEMBERS: readonly Role[] = ['technical-contact'];

/** The tokens in reach; undefined: all. */
export function tokensInReach({ authorities, organisations }: Actor): SQL | undefined {
  if (organisations !== 'all') return sql`${apiTokens.organisationIds} <@ ${listed(organisations)}`;
  return authorities === 'all' ? undefined : sql`${apiTokens.authorityIds} <@ ${listed(authorities)}`;
}

function listed(ids: ReadonlySet<string>): SQL {
  return sql`${JSON.stringify([...ids])}::jsonb`;
}

/**
 * Whoever can give out, end or renew a token could use it, too.
 * @throws RegistryError not_found when it reaches further than the actor, role_missing
 */
export function requireGovernable(actor: Actor, token: ApiToken): void {
  const reached = isMember(actor)
    ? isWithin(token.organisationIds, actor.organisations)
    : isWithin(token.authorityIds, actor.authorities);
  if (!reached) throw notFound('token', token.id);
  requireMayGive(actor, token.roles);
}

function isWithin(ids: readonly string[] | null, reached: 'all' | ReadonlySet<string>): boolean {
  return reached === 'all' || ids?.every((id) => reached.has(id)) === true;
}

/** @throws RegistryError role_missing */
export function requireMayGive(actor: Actor, roles: readonly Role[]): void {
  if (!isMember(actor) || roles.every((role) => GIVEN_BY_MEMBERS.includes(role))) return;
  const message = `members give, end and rotate tokens of the role ${GIVEN_BY_MEMBERS.join(' or ')} only`;
  throw new RegistryError('role_missing', message, { roles: ['admin'] });
}
