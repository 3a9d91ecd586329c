/** Access tokens of entities: for minutes, with the rights of a technical contact on one entity. @see RFC 6749 §4.4 */
import { randomBytes } from 'node:crypto';
import { and, eq, gt, isNull, or } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities, entityKeys } from '../../storage/schema/entities.ts';
import { entityTokens } from '../../storage/schema/entity-tokens.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { Actor } from '../actor.ts';
import { hashToken } from './api-token.ts';

export const ENTITY_TOKEN_LIFETIME_SECONDS = 600;

/** No other token has a point in it. */
const PREFIX = 'holdfast.entity.';

export function isEntityToken(secret: string): boolean {
  return secret.startsWith(PREFIX);
}

/**
 * Makes a token for an entity that proved who it is.
 * @param kid of the key that signed the proof
 * @returns the secret, which is kept nowhere
 */
export async function makeEntityToken(db: Db, entityId: string, kid: string, now: Date): Promise<string> {
  const secret = `${PREFIX}${randomBytes(32).toString('base64url')}`;
  const expiresAt = new Date(now.getTime() + ENTITY_TOKEN_LIFETIME_SECONDS * 1000);
  await db.insert(entityTokens).values({ tokenHash: hashToken(secret), entityId, kid, expiresAt });
  return secret;
}

/** Nobody as soon as the entity or its organisation is not active, or the key is not registered any more. */
export async function findEntityTokenActor(db: Db, hash: Uint8Array, now: Date): Promise<Actor | undefined> {
  const [entity] = await db
    .select({
      id: entities.id,
      entityIdentifier: entities.entityIdentifier,
      authorityId: entities.authorityId,
      organisationId: entities.organisationId,
    })
    .from(entityTokens)
    .innerJoin(entities, eq(entities.id, entityTokens.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(entityKeys, and(eq(entityKeys.entityId, entityTokens.entityId), eq(entityKeys.kid, entityTokens.kid)))
    .where(
      and(
        eq(entityTokens.tokenHash, hash),
        gt(entityTokens.expiresAt, now),
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
        isNull(entityKeys.removedAt),
        isNull(entityKeys.compromisedAt),
        or(isNull(entityKeys.expiresAt), gt(entityKeys.expiresAt, now)),
      ),
    );
  if (entity === undefined) return undefined;
  return {
    kind: 'entity',
    id: entity.entityIdentifier,
    name: entity.entityIdentifier,
    roles: ['technical-contact'],
    authorities: new Set([entity.authorityId]),
    organisations: new Set([entity.organisationId]),
    entityId: entity.id,
  };
}
