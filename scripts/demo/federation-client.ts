/** Asks federation endpoints as anybody may, and believes only what is signed. @see OIDFED §8, §9 */
import { setTimeout as delay } from 'node:timers/promises';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { withQuery } from '../../src/federation/identifiers.ts';
import type { Metadata } from '../../src/federation/metadata/metadata.ts';
import { StoryError } from './story.ts';

/** What an endpoint says of a subject. */
export interface Answer {
  isVouchedFor: boolean;
  /** The answer in a few words. */
  says: string;
}

interface Authority {
  entityIdentifier: string;
  endpoints: Record<string, string>;
}

/** An authority whose keys are known, so that it can be believed. */
export interface KnownAuthority extends Authority {
  keys: JSONWebKeySet;
}

/** A signed answer, for whoever keeps it. */
export interface Signed {
  jwt: string;
  kid: string;
  claims: JWTPayload;
}

export interface ResolveAnswer extends Answer {
  resolved?: ResolvedEntity;
  /** The key that signed it. */
  kid?: string;
}

export interface ResolvedEntity {
  metadata: Metadata;
  /** Entity Identifiers from the subject to the Trust Anchor. */
  way: string[];
  /** Types of the Trust Marks that the resolver verified. */
  trustMarks: string[];
}

const MAX_ATTEMPTS = 3;

export const metadataSchema: z.ZodType<Metadata> = z.record(z.string(), z.record(z.string(), z.json()));
const refusalSchema = z.object({ error: z.string(), error_description: z.string().optional() });
const listSchema = z.array(z.string());
const resolveClaimsSchema = z.looseObject({
  metadata: metadataSchema,
  trust_chain: z.array(z.string()),
  trust_marks: z.array(z.looseObject({ trust_mark_type: z.string() })).default([]),
});
const keySetSchema: z.ZodType<JSONWebKeySet> = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** The metadata that an entity publishes of itself. @throws StoryError */
export async function publishedMetadata(entity: string): Promise<Metadata> {
  return metadataSchema.parse(decodeJwt(await entityConfiguration(entity))['metadata']);
}

/** The Entity Configuration of an authority, signed with one of its known keys. @throws StoryError */
export async function knownConfiguration({ entityIdentifier, keys }: KnownAuthority): Promise<Signed> {
  return await statement(await entityConfiguration(entityIdentifier), keys, [entityIdentifier, entityIdentifier]);
}

/** What a superior with known keys says of a subordinate. @throws StoryError */
export async function subordinateStatement(superior: KnownAuthority, subject: string): Promise<Signed> {
  const response = await ask(superior, 'fetch', { sub: subject });
  if (!response.ok) throw new StoryError(`${superior.entityIdentifier} does not vouch for ${subject}`);
  return await statement(await response.text(), superior.keys, [superior.entityIdentifier, subject]);
}

/** The keys in a statement. */
export function keysIn({ claims }: Signed): JSONWebKeySet {
  return keySetSchema.parse(claims['jwks']);
}

/** Verifies a statement. @throws Error of jose */
export async function statement(
  jwt: string,
  keys: JSONWebKeySet,
  [issuer, subject]: [string, string],
): Promise<Signed> {
  const options = { typ: 'entity-statement+jwt', issuer, subject, requiredClaims: ['iat', 'exp'] };
  const { payload, protectedHeader } = await jwtVerify(jwt, createLocalJWKSet(keys), options);
  return { jwt, kid: protectedHeader.kid ?? '', claims: payload };
}

async function entityConfiguration(entity: string): Promise<string> {
  const response = await fetch(`${entity}/.well-known/openid-federation`);
  if (!response.ok) throw new StoryError(`${entity} publishes no Entity Configuration: ${response.status}`);
  return await response.text();
}

/** The fetch endpoint: a Subordinate Statement, or a refusal. */
export async function askFetch(superior: Authority, subject: string): Promise<Answer> {
  const response = await ask(superior, 'fetch', { sub: subject });
  if (!response.ok) return await refusalOf(response);
  const { iss, sub } = decodeJwt(await response.text());
  const isVouchedFor = iss === superior.entityIdentifier && sub === subject;
  return { isVouchedFor, says: isVouchedFor ? '200, vouched for' : '200, a statement about another' };
}

/** The list endpoint: among the subordinates, or not. */
export async function askList(superior: Authority, subject: string): Promise<Answer> {
  const response = await ask(superior, 'list', {});
  if (!response.ok) return await refusalOf(response);
  const isVouchedFor = listSchema.parse(await response.json()).includes(subject);
  return { isVouchedFor, says: isVouchedFor ? '200, in the list' : '200, not in the list' };
}

/** The resolve endpoint of a Trust Anchor; its answer counts only if one of the pinned keys signed it. */
export async function askResolve(trustAnchor: KnownAuthority, subject: string): Promise<ResolveAnswer> {
  const { entityIdentifier, keys } = trustAnchor;
  const response = await ask(trustAnchor, 'resolve', { sub: subject, trust_anchor: entityIdentifier });
  if (!response.ok) return await refusalOf(response);
  const { payload, protectedHeader } = await jwtVerify(await response.text(), createLocalJWKSet(keys), {
    typ: 'resolve-response+jwt',
    issuer: entityIdentifier,
    subject,
    requiredClaims: ['iat', 'exp'],
  });
  const { metadata, trust_chain: chain, trust_marks: marks } = resolveClaimsSchema.parse(payload);
  const way = [...new Set(chain.map((jwt) => String(decodeJwt(jwt).iss)))];
  const resolved = { metadata, way, trustMarks: marks.map(({ trust_mark_type: type }) => type) };
  return { isVouchedFor: true, says: '200, signed', resolved, kid: protectedHeader.kid ?? '' };
}

/** The Trust Mark endpoint: the mark itself, or a refusal. */
export async function askTrustMark(
  issuer: Authority,
  type: string,
  subject: string,
): Promise<Answer & { jwt?: string }> {
  const response = await ask(issuer, 'trustMark', { trust_mark_type: type, sub: subject });
  if (!response.ok) return await refusalOf(response);
  return { isVouchedFor: true, says: '200, the mark', jwt: await response.text() };
}

/** The status endpoint of an issuer; its answer counts only if one of its known keys signed it. */
export async function askTrustMarkStatus(issuer: KnownAuthority, mark: string): Promise<Answer> {
  const { entityIdentifier, keys } = issuer;
  const body = new URLSearchParams({ trust_mark: mark });
  const response = await fetch(endpointOf(issuer, 'trustMarkStatus'), { method: 'POST', body });
  if (!response.ok) return await refusalOf(response);
  const { payload } = await jwtVerify(await response.text(), createLocalJWKSet(keys), {
    typ: 'trust-mark-status-response+jwt',
    issuer: entityIdentifier,
    requiredClaims: ['iat'],
  });
  const isVouchedFor = payload['status'] === 'active' && payload['trust_mark'] === mark;
  return { isVouchedFor, says: `200, ${payload['status']}` };
}

/** The listing endpoint for Trust Marks: among those who hold one, or not. */
export async function askTrustMarkList(issuer: Authority, type: string, subject: string): Promise<Answer> {
  const response = await ask(issuer, 'trustMarkList', { trust_mark_type: type });
  if (!response.ok) return await refusalOf(response);
  const isVouchedFor = listSchema.parse(await response.json()).includes(subject);
  return { isVouchedFor, says: isVouchedFor ? '200, in the list' : '200, not in the list' };
}

function endpointOf({ entityIdentifier, endpoints }: Authority, name: string): string {
  const url = endpoints[name];
  if (url === undefined) throw new StoryError(`${entityIdentifier} has no ${name} endpoint`);
  return url;
}

async function ask(authority: Authority, endpoint: string, query: Record<string, string>): Promise<Response> {
  const url = endpointOf(authority, endpoint);
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(withQuery(url, Object.entries(query)));
    const retryAfter = Number(response.headers.get('retry-after') ?? 'none');
    if (response.status !== 503 || Number.isNaN(retryAfter) || attempt === MAX_ATTEMPTS) return response;
    // A resolve endpoint looks in the background at whom nobody vouches for, and knows when it is worth asking again.
    await response.body?.cancel();
    await delay(retryAfter * 1000);
  }
}

/** A refusal as §8.9 wants it; an outage is none. @throws StoryError */
async function refusalOf(response: Response): Promise<Answer> {
  const parsed = refusalSchema.safeParse(await response.json().catch(() => undefined));
  if (response.status < 500 && parsed.success)
    return { isVouchedFor: false, says: `${response.status} ${parsed.data.error}` };
  throw new StoryError(`${response.url} answered ${response.status}`);
}
