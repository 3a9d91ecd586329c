/** Makes an API token; its secret is returned once and kept nowhere. */
import { inArray, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { apiTokens, type Role } from '../../storage/schema/api-tokens.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import { type Actor, authorise, isMemberRole, reaches, requireNotSuspended, requireRole } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import {
  type ApiToken,
  auditedAuthority,
  hashToken,
  MAX_TOKEN_LIFETIME_DAYS,
  newTokenSecret,
  ROLES,
  tokenSnapshot,
} from './api-token.ts';
import { adminTokenExists } from './find-token.ts';
import { requireMayGive } from './token-reach.ts';

export interface NewToken {
  name: string;
  roles: Role[];
  /** null: all authorities, present and future. */
  authorityIds: string[] | null;
  /** Makes it a member's: of these organisations, and so of their authorities. */
  organisationIds?: string[] | null;
  lifetimeSeconds: number;
}

/** Held while the first admin token is made, so that two claims at once make one. */
const FIRST_ADMIN_LOCK = 4711;

/**
 * Makes a token that reaches no further than whoever makes it. The first-admin way in (`actor.kind` operator) only makes an admin of everything, and only while there is none.
 * @throws RegistryError role_missing, validation_failed, admin_exists
 */
export async function createToken(
  context: ChangeContext,
  input: NewToken,
): Promise<{ token: ApiToken; secret: string }> {
  const isFirstAdmin = context.actor.id === FIRST_ADMIN;
  if (!isFirstAdmin) requireMayMake(context.actor, input);
  checkNewToken(input, isFirstAdmin);
  const secret = newTokenSecret();
  const token: ApiToken = {
    id: context.newId(),
    name: input.name,
    roles: ROLES.filter((role) => input.roles.includes(role)),
    authorityIds: input.authorityIds,
    organisationIds: input.organisationIds ?? null,
    createdAt: context.now,
    expiresAt: new Date(context.now.getTime() + input.lifetimeSeconds * 1000),
    revokedAt: null,
    previousExpiresAt: null,
  };
  await changeRegistry(context, async (tx, record) => {
    if (isFirstAdmin) {
      await tx.execute(sql`select pg_advisory_xact_lock(${FIRST_ADMIN_LOCK})`);
      if (await adminTokenExists(tx, context.now)) {
        throw new RegistryError('admin_exists', 'an admin token exists; ask its owner for a token of your own');
      }
    }
    if (token.organisationIds !== null) {
      token.authorityIds = await authoritiesOf(tx, context.actor, token.organisationIds);
    }
    await requireAuthorities(tx, context.actor, token.authorityIds ?? []);
    await tx.insert(apiTokens).values({ ...token, tokenHash: hashToken(secret) });
    record({
      action: 'api_token.create',
      authorityId: auditedAuthority(token),
      subjectKind: 'api_token',
      subjectId: token.id,
      after: tokenSnapshot(token),
    });
  });
  return { token, secret };
}

/** Id of the actor that the single-use first-admin token stands for. */
export const FIRST_ADMIN = 'first-admin';

/** @throws RegistryError role_missing */
function requireMayMake(actor: Actor, { roles, authorityIds, organisationIds = null }: NewToken): void {
  requireRole(actor, ACCESS.createToken.roles);
  if (organisationIds === null && authorityIds === null) authorise(actor, ACCESS.createToken.roles, null);
  requireMayGive(actor, roles);
}

function checkNewToken(input: NewToken, isFirstAdmin: boolean): void {
  if (isFirstAdmin && !(input.roles.includes('admin') && input.authorityIds === null)) {
    throw invalidField('/roles', 'of the first token include admin, for all authorities');
  }
  if (!ROLES.some((role) => input.roles.includes(role))) {
    throw invalidField('/roles', `names at least one of ${ROLES.join(', ')}`);
  }
  const ofMember = (input.organisationIds ?? null) !== null;
  if (input.roles.some((role) => isMemberRole(role) !== ofMember)) {
    const those = ofMember ? 'of members only: this token is of organisations' : 'of members need organisationIds';
    throw invalidField('/roles', `are roles ${those}`);
  }
  if (ofMember && input.authorityIds !== null) throw invalidField('/authorityIds', 'are those of the organisations');
  if (!(input.lifetimeSeconds > 0 && input.lifetimeSeconds <= MAX_TOKEN_LIFETIME_DAYS * 86_400)) {
    throw invalidField('/expiresInDays', `is more than 0 and at most ${MAX_TOKEN_LIFETIME_DAYS}`);
  }
}

/** @throws RegistryError validation_failed, alike for what is not there, closed or out of reach; organisation_suspended */
async function authoritiesOf(tx: Tx, actor: Actor, organisationIds: readonly string[]): Promise<string[]> {
  const found = await tx
    .select({ id: organisations.id, authorityId: organisations.authorityId, state: organisations.state })
    .from(organisations)
    .where(inArray(organisations.id, organisationIds.filter(isRecordId)));
  const open = found.filter(({ id, authorityId, state }) => {
    return LIVE_STATES.includes(state) && reaches(actor, authorityId, id);
  });
  const openIds = new Set(open.map(({ id }) => id));
  const unknown = organisationIds.findIndex((id) => !openIds.has(id));
  if (unknown !== -1) throw invalidField(`/organisationIds/${unknown}`, 'is no organisation here that is open');
  requireNotSuspended(actor, organisationIds);
  return [...new Set(open.map(({ authorityId }) => authorityId))];
}

/** @throws RegistryError validation_failed */
async function requireAuthorities(tx: Tx, actor: Actor, ids: readonly string[]): Promise<void> {
  const wellFormed = ids.filter((id) => isRecordId(id) && (actor.authorities === 'all' || actor.authorities.has(id)));
  const rows = await tx.select({ id: authorities.id }).from(authorities).where(inArray(authorities.id, wellFormed));
  const known = new Set(rows.map(({ id }) => id));
  const unknown = ids.findIndex((id) => !known.has(id));
  if (unknown !== -1) throw invalidField(`/authorityIds/${unknown}`, 'is no authority here');
}
