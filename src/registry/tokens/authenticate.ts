/** Who a bearer token stands for: a named token, the operator's environment, or the first admin. */
import { timingSafeEqual } from 'node:crypto';
import type { Db } from '../../storage/connect.ts';
import type { Actor } from '../actor.ts';
import { hashToken } from './api-token.ts';
import { FIRST_ADMIN } from './create-token.ts';
import type { ShownCertificate } from './entity-token.ts';
import { adminTokenEverExisted, adminTokenExists, findTokenActor } from './find-token.ts';
import type { FirstAdminToken } from './first-admin-token.ts';

export interface AuthenticatorOptions {
  db: Db;
  now: () => Date;
  /** HOLDFAST_ADMIN_TOKEN: good until there is a named admin for the first time, or always with `keepAdminToken`. */
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
  organisations: 'all',
};

/** May make the first admin token and nothing else. */
const FIRST: Actor = {
  kind: 'operator',
  id: FIRST_ADMIN,
  name: 'first admin',
  roles: [],
  authorities: 'all',
  organisations: 'all',
};

/** Also the way back in for an operator who has lost every admin token. */
export const ADMIN_TOKEN_IGNORED =
  'HOLDFAST_ADMIN_TOKEN is ignored: a named admin token was made; if none is left, start with ' +
  'HOLDFAST_ADMIN_TOKEN_KEEP=1, make a new one, and start without it again';

/**
 * Who a bearer token stands for; undefined when it is unknown, expired or revoked.
 * @param shown the client certificate of the connection; nobody else uses a token that is bound to it
 * @throws RegistryError token_bound
 */
export type Authenticate = (secret: string, shown?: ShownCertificate) => Promise<Actor | undefined>;

/** Secrets are compared as SHA-256 digests, in constant time or by an index on them. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { db, now, adminToken, firstAdminToken } = options;
  const adminTokenHash = adminToken === undefined ? undefined : hashToken(adminToken);
  let wasWarned = false;
  return async (secret, shown) => {
    const named = await findTokenActor(db, secret, now(), shown);
    if (named !== undefined) return named;
    const isOperator = adminTokenHash !== undefined && timingSafeEqual(hashToken(secret), adminTokenHash);
    if (isOperator && options.keepAdminToken) return OPERATOR;
    if (isOperator) {
      // An admin token that ended must not bring this one back: nobody would expect it to work again.
      if (!(await adminTokenEverExisted(db))) return OPERATOR;
      if (!wasWarned) options.warn(ADMIN_TOKEN_IGNORED);
      wasWarned = true;
      return undefined;
    }
    if (firstAdminToken?.matches(secret, now()) !== true) return undefined;
    if (!(await adminTokenExists(db, now()))) return FIRST;
    await firstAdminToken.withdraw();
    return undefined;
  };
}
