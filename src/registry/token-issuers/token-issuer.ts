/** Token issuers as records: authorization servers whose access tokens an authority believes, and how these are verified. */
import { and, asc, eq, getTableColumns, gt } from 'drizzle-orm';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import { isEndpointUrl } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type IntrospectionSetting, tokenIssuers } from '../../storage/schema/token-issuers.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { inputJwkSet } from '../claims-input.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField } from '../registry-error.ts';

export type { IntrospectionSetting };

export type TokenIssuerRow = typeof tokenIssuers.$inferSelect;

/** One as it may be shown: without its secret, sealed or not. */
export type TokenIssuer = Omit<TokenIssuerRow, 'sealedSecret'>;

/** What may be changed. */
export interface TokenIssuerFields {
  audiences: string[];
  jwks: TokenIssuerRow['jwks'];
  jwksUri: string | null;
  introspection: IntrospectionSetting | null;
  acceptsUntypedTokens: boolean;
}

/** For what a secret is sealed: it opens for this issuer, client and endpoint, and nothing else. */
export interface SecretPlace {
  issuerId: string;
  introspection: IntrospectionSetting;
}

/** Seals the `client_secret` under the master key; filled by whoever holds that. */
export type SealClientSecret = (secret: string, place: SecretPlace) => Uint8Array;

export const MAX_AUDIENCES = 100;

/** @throws RegistryError not_found (also when it was removed), role_missing */
export async function readTokenIssuer(db: Db | Tx, actor: Actor, id: string): Promise<TokenIssuer> {
  requireRole(actor, ACCESS.readTokenIssuer.roles);
  const [issuer] = isRecordId(id)
    ? await db
        .select(SHOWN)
        .from(tokenIssuers)
        .where(and(eq(tokenIssuers.id, id), eq(tokenIssuers.state, 'active')))
    : [];
  if (issuer === undefined || !reaches(actor, issuer.authorityId)) throw notFound('token issuer', id);
  return issuer;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listTokenIssuers(
  db: Db,
  actor: Actor,
  { authorityId, issuer }: { authorityId?: string; issuer?: string },
  request: PageRequest,
): Promise<Page<TokenIssuer>> {
  const columns = { authority: tokenIssuers.authorityId };
  const reached = inReach(actor, ACCESS.listTokenIssuers.roles, columns, authorityId);
  const after = cursorId(request);
  const found = await db
    .select(SHOWN)
    .from(tokenIssuers)
    .where(
      and(
        reached,
        eq(tokenIssuers.state, 'active'),
        issuer === undefined ? undefined : eq(tokenIssuers.issuer, issuer),
        after === undefined ? undefined : gt(tokenIssuers.id, after),
      ),
    )
    .orderBy(asc(tokenIssuers.id))
    .limit(request.limit + 1);
  return pageOf(found, request);
}

const { sealedSecret: _, ...SHOWN } = getTableColumns(tokenIssuers);

/** Takes hold of one until the transaction ends. @throws RegistryError not_found, also when it was removed */
export async function lockTokenIssuer(tx: Tx, id: string): Promise<TokenIssuerRow> {
  const [issuer] = await tx
    .select()
    .from(tokenIssuers)
    .where(and(eq(tokenIssuers.id, id), eq(tokenIssuers.state, 'active')))
    .for('no key update');
  if (issuer === undefined) throw notFound('token issuer', id);
  return issuer;
}

/**
 * An https URL without query and fragment, which is compared byte by byte.
 * @see RFC 8414 §2
 * @throws RegistryError validation_failed
 */
export function requireIssuer(issuer: string, options: IdentifierOptions): void {
  if (isEndpointUrl(issuer, options) && !issuer.includes('?')) return;
  throw invalidField('/issuer', 'is no https URL without user info, query and fragment');
}

/** @throws RegistryError validation_failed */
export function requireValidIssuer(issuer: TokenIssuerFields, options: IdentifierOptions): void {
  const { jwks, jwksUri, introspection } = issuer;
  if (jwks !== null && jwksUri !== null)
    throw invalidField('/jwksUri', 'stands beside jwks; keys come from one of them');
  if (jwks !== null) inputJwkSet(jwks, '/jwks');
  if (jwksUri !== null && !isEndpointUrl(jwksUri, options)) throw noUrl('/jwksUri');
  if (introspection !== null && !isEndpointUrl(introspection.endpoint, options)) throw noUrl('/introspection/endpoint');
  const hasKeys = jwks !== null || jwksUri !== null;
  if (!hasKeys && introspection === null) {
    throw invalidField('/introspection', 'is missing, and so are jwks and jwksUri: its tokens could not be verified');
  }
  if (introspection?.isSigned && !hasKeys) {
    throw invalidField('/introspection/isSigned', 'needs jwks or jwksUri: whose signature is it?');
  }
}

function noUrl(field: string) {
  return invalidField(field, 'is no https URL without user info and fragment');
}

/**
 * The sealed secret for an endpoint. It goes nowhere but where it was given for: for another endpoint or client, it has
 * to be given anew.
 * @throws RegistryError validation_failed
 */
export function sealedSecretFor(
  { id, introspection }: Pick<TokenIssuerRow, 'id' | 'introspection'>,
  before: TokenIssuerRow | undefined,
  clientSecret: string | undefined,
  seal: SealClientSecret,
): Uint8Array | null {
  const field = '/clientSecret';
  if (introspection === null) {
    if (clientSecret !== undefined) throw invalidField(field, 'is for introspection, and there is none');
    return null;
  }
  if (clientSecret !== undefined) return seal(clientSecret, { issuerId: id, introspection });
  const known = before?.introspection;
  const isSamePlace = known?.endpoint === introspection.endpoint && known.clientId === introspection.clientId;
  if (isSamePlace && before?.sealedSecret != null) return before.sealedSecret;
  throw invalidField(field, 'is missing: each endpoint and client gets its own');
}

export function tokenIssuerSnapshot({ issuer, ...row }: TokenIssuerRow): JsonObject {
  const { audiences, jwks, jwksUri, introspection, acceptsUntypedTokens } = row;
  return {
    ...{ issuer, audiences, jwks, jwksUri, acceptsUntypedTokens },
    introspection: introspection && { ...introspection },
  };
}
