/** Asks federation endpoints as anybody may, and believes only what is signed. @see OIDFED §8.1 to §8.3, §9 */
import { setTimeout as delay } from 'node:timers/promises';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { z } from 'zod';
import { withQuery } from '../../../src/federation/identifiers.ts';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';
import { StoryError } from '../story.ts';

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

export interface TrustAnchor extends Authority {
  keys: JSONWebKeySet;
}

export interface ResolveAnswer extends Answer {
  resolved?: ResolvedEntity;
}

export interface ResolvedEntity {
  metadata: Metadata;
  /** Entity Identifiers from the subject to the Trust Anchor. */
  way: string[];
}

const MAX_ATTEMPTS = 3;

export const metadataSchema: z.ZodType<Metadata> = z.record(z.string(), z.record(z.string(), z.json()));
const refusalSchema = z.object({ error: z.string(), error_description: z.string().optional() });
const listSchema = z.array(z.string());
const resolveClaimsSchema = z.looseObject({ metadata: metadataSchema, trust_chain: z.array(z.string()) });

/** The metadata that an entity publishes of itself. @throws StoryError */
export async function publishedMetadata(entity: string): Promise<Metadata> {
  const response = await fetch(`${entity}/.well-known/openid-federation`);
  if (!response.ok) throw new StoryError(`${entity} publishes no Entity Configuration: ${response.status}`);
  return metadataSchema.parse(decodeJwt(await response.text())['metadata']);
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
export async function askResolve(trustAnchor: TrustAnchor, subject: string): Promise<ResolveAnswer> {
  const { entityIdentifier, keys } = trustAnchor;
  const response = await ask(trustAnchor, 'resolve', { sub: subject, trust_anchor: entityIdentifier });
  if (!response.ok) return await refusalOf(response);
  const { payload } = await jwtVerify(await response.text(), createLocalJWKSet(keys), {
    typ: 'resolve-response+jwt',
    issuer: entityIdentifier,
    subject,
    requiredClaims: ['iat', 'exp'],
  });
  const { metadata, trust_chain: chain } = resolveClaimsSchema.parse(payload);
  const way = [...new Set(chain.map((statement) => String(decodeJwt(statement).iss)))];
  return { isVouchedFor: true, says: '200, signed', resolved: { metadata, way } };
}

async function ask(authority: Authority, endpoint: string, query: Record<string, string>): Promise<Response> {
  const url = authority.endpoints[endpoint];
  if (url === undefined) throw new StoryError(`${authority.entityIdentifier} has no ${endpoint} endpoint`);
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
