/** Who a bearer token stands for: a named token, the operator's environment, or the first admin. */
import { timingSafeEqual } from 'node:crypto';
import type { Db } from '../../storage/connect.ts';
import type { Actor } from '../actor.ts';
import { hashToken } from './api-token.ts';
import { FIRST_ADMIN } from './create-token.ts';
import { adminTokenExists, findTokenActor } from './find-token.ts';
import type { FirstAdminToken } from './first-admin-token.ts';

export interface AuthenticatorOptions {
  db: Db;
  now: () => Date;
  /** HOLDFAST_ADMIN_TOKEN: good while there is no named admin, or for ever with `keepAdminToken`. */
  adminToken: string | undefined;
  keepAdminToken: boolean;
  /** Present while the service knows of no admin. */
  firstAdminToken: FirstAdminToken | undefined;
  warn: (message: string) => void;
}

const OPERATOR: Actor = {
  kind: 'operator',
  id: 'admin-token',
  name: 'HOLDFAST_ADMIN_TOKEN',
  roles: ['admin', 'registrar', 'approver', 'auditor'],
  authorities: 'all',
};

/** May make the first admin token and nothing else. */
const FIRST: Actor = { kind: 'operator', id: FIRST_ADMIN, name: 'first admin', roles: [], authorities: 'all' };

const ADMIN_TOKEN_IGNORED =
  'HOLDFAST_ADMIN_TOKEN is ignored: a named admin token exists (HOLDFAST_ADMIN_TOKEN_KEEP=1 keeps it)';

/** Secrets are compared as SHA-256 digests, in constant time or by an index on them. */
export function createAuthenticator(options: AuthenticatorOptions): (secret: string) => Promise<Actor | undefined> {
  const { db, now, adminToken, firstAdminToken } = options;
  const adminTokenHash = adminToken === undefined ? undefined : hashToken(adminToken);
  let wasWarned = false;
  return async (secret) => {
    const named = await findTokenActor(db, secret, now());
    if (named !== undefined) return named;
    const isOperator = adminTokenHash !== undefined && timingSafeEqual(hashToken(secret), adminTokenHash);
    if (isOperator && options.keepAdminToken) return OPERATOR;
    const isFirst = firstAdminToken?.matches(secret, now()) ?? false;
    if (!isOperator && !isFirst) return undefined;
    if (await adminTokenExists(db, now())) {
      if (isFirst) await firstAdminToken?.withdraw();
      if (isOperator && !wasWarned) options.warn(ADMIN_TOKEN_IGNORED);
      wasWarned ||= isOperator;
      return undefined;
    }
    return isOperator ? OPERATOR : FIRST;
  };
}
