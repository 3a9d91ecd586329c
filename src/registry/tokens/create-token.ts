/** Makes an API token; its secret is returned once and kept nowhere. */
import { inArray, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { apiTokens, type Role } from '../../storage/schema/api-tokens.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import {
  type ApiToken,
  hashToken,
  MAX_TOKEN_LIFETIME_DAYS,
  newTokenSecret,
  ROLES,
  tokenSnapshot,
} from './api-token.ts';
import { adminTokenExists } from './find-token.ts';

export interface NewToken {
  name: string;
  roles: Role[];
  /** null: all authorities, present and future. */
  authorityIds: string[] | null;
  lifetimeSeconds: number;
}

/** Held while the first admin token is made, so that two claims at once make one. */
const FIRST_ADMIN_LOCK = 4711;

/**
 * Makes a token. The first-admin way in (`actor.kind` operator) only makes an admin of everything, and only while there is none.
 * @throws RegistryError role_missing, validation_failed, admin_exists
 */
export async function createToken(
  context: ChangeContext,
  input: NewToken,
): Promise<{ token: ApiToken; secret: string }> {
  const isFirstAdmin = context.actor.id === FIRST_ADMIN;
  if (!isFirstAdmin) authorise(context.actor, ['admin'], null);
  checkNewToken(input, isFirstAdmin);
  const secret = newTokenSecret();
  const token: ApiToken = {
    id: context.newId(),
    name: input.name,
    roles: ROLES.filter((role) => input.roles.includes(role)),
    authorityIds: input.authorityIds,
    createdAt: context.now,
    expiresAt: new Date(context.now.getTime() + input.lifetimeSeconds * 1000),
    revokedAt: null,
  };
  await changeRegistry(context, async (tx, record) => {
    if (isFirstAdmin) {
      await tx.execute(sql`select pg_advisory_xact_lock(${FIRST_ADMIN_LOCK})`);
      if (await adminTokenExists(tx, context.now)) {
        throw new RegistryError('admin_exists', 'an admin token exists; ask its owner for a token of your own');
      }
    }
    await requireAuthorities(tx, token.authorityIds ?? []);
    await tx.insert(apiTokens).values({ ...token, tokenHash: hashToken(secret) });
    record({
      action: 'api_token.create',
      authorityId: null,
      subjectKind: 'api_token',
      subjectId: token.id,
      after: tokenSnapshot(token),
    });
  });
  return { token, secret };
}

/** Id of the actor that the single-use first-admin token stands for. */
export const FIRST_ADMIN = 'first-admin';

function checkNewToken(input: NewToken, isFirstAdmin: boolean): void {
  if (isFirstAdmin && !(input.roles.includes('admin') && input.authorityIds === null)) {
    throw invalidField('/roles', 'of the first token include admin, for all authorities');
  }
  if (!ROLES.some((role) => input.roles.includes(role))) {
    throw invalidField('/roles', `names at least one of ${ROLES.join(', ')}`);
  }
  if (!(input.lifetimeSeconds > 0 && input.lifetimeSeconds <= MAX_TOKEN_LIFETIME_DAYS * 86_400)) {
    throw invalidField('/expiresInDays', `is more than 0 and at most ${MAX_TOKEN_LIFETIME_DAYS}`);
  }
}

async function requireAuthorities(tx: Tx, ids: readonly string[]): Promise<void> {
  const wellFormed = ids.filter(isRecordId);
  const rows = await tx.select({ id: authorities.id }).from(authorities).where(inArray(authorities.id, wellFormed));
  const known = new Set(rows.map(({ id }) => id));
  const unknown = ids.findIndex((id) => !known.has(id));
  if (unknown !== -1) throw invalidField(`/authorityIds/${unknown}`, 'is no authority here');
}
