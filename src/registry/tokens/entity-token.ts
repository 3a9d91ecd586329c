/** Access tokens of entities: for minutes, with the rights of a technical contact on one entity. @see RFC 6749 §4.4 */
import { randomBytes } from 'node:crypto';
import { and, eq, gt, isNotNull, isNull, or } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities, entityKeys } from '../../storage/schema/entities.ts';
import { entityTokens } from '../../storage/schema/entity-tokens.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { Actor } from '../actor.ts';
import { RegistryError } from '../registry-error.ts';
import { hashToken } from './api-token.ts';

export const ENTITY_TOKEN_LIFETIME_SECONDS = 600;

/** No other token has a point in it. */
const PREFIX = 'holdfast.entity.';

export function isEntityToken(secret: string): boolean {
  return secret.startsWith(PREFIX);
}

/** By what an entity proved who it is: a Federation Entity Key, or the client certificate of its connection. */
export type EntityProof = { kid: string } | { x5tS256: string };

/** The client certificate of the connection that a token comes through. */
export interface ShownCertificate {
  x5tS256: string;
  /** Whether it admits the entity of this record at this moment. */
  isOf(entity: { id: string; entityIdentifier: string }): Promise<boolean>;
}

/**
 * Makes a token for an entity that proved who it is.
 * @returns the secret, which is kept nowhere
 */
export async function makeEntityToken(db: Db, entityId: string, proof: EntityProof, now: Date): Promise<string> {
  const secret = `${PREFIX}${randomBytes(32).toString('base64url')}`;
  const expiresAt = new Date(now.getTime() + ENTITY_TOKEN_LIFETIME_SECONDS * 1000);
  await db.insert(entityTokens).values({ tokenHash: hashToken(secret), entityId, ...proof, expiresAt });
  return secret;
}

/**
 * Nobody as soon as the entity or its organisation is not active, or the key is not registered any more; with a token got
 * by a client certificate, as soon as that admits it no more.
 * @throws RegistryError token_bound when that certificate is not the one shown. @see RFC 8705 §3
 */
export async function findEntityTokenActor(
  db: Db,
  hash: Uint8Array,
  now: Date,
  shown: ShownCertificate | undefined,
): Promise<Actor | undefined> {
  const entity = await entityOf(db, hash, now);
  if (entity === undefined) return undefined;
  if (entity.boundTo !== null) {
    if (shown?.x5tS256 !== entity.boundTo) throw tokenBound();
    if (!(await shown.isOf(entity))) return undefined;
  }
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

function tokenBound(): RegistryError {
  const message =
    'this access token counts on connections with the client certificate that it was got with, and no others: connect ' +
    'with that to the port that asks for certificates, or get another token';
  return new RegistryError('token_bound', message);
}

interface EntityOfToken {
  id: string;
  entityIdentifier: string;
  authorityId: string;
  organisationId: string;
  boundTo: string | null;
}

async function entityOf(db: Db, hash: Uint8Array, now: Date): Promise<EntityOfToken | undefined> {
  const isKeyLive = and(
    isNull(entityKeys.removedAt),
    isNull(entityKeys.compromisedAt),
    or(isNull(entityKeys.expiresAt), gt(entityKeys.expiresAt, now)),
  );
  const [entity] = await db
    .select({
      id: entities.id,
      entityIdentifier: entities.entityIdentifier,
      authorityId: entities.authorityId,
      organisationId: entities.organisationId,
      boundTo: entityTokens.x5tS256,
    })
    .from(entityTokens)
    .innerJoin(entities, eq(entities.id, entityTokens.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .leftJoin(entityKeys, and(eq(entityKeys.entityId, entityTokens.entityId), eq(entityKeys.kid, entityTokens.kid)))
    .where(
      and(
        eq(entityTokens.tokenHash, hash),
        gt(entityTokens.expiresAt, now),
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
        or(isNotNull(entityTokens.x5tS256), and(isNotNull(entityKeys.kid), isKeyLive)),
      ),
    );
  return entity;
}
