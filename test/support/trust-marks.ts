/** Trust Marks, delegations and status answers of a test federation, with real signatures, tampered with on request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { FederationError } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { MEDIA_TYPE, TYP } from '../../src/federation/media-types.ts';
import type { EntityStatement, TrustMarkEntry } from '../../src/federation/statement/entity-statement.ts';
import { parseEntityStatement } from '../../src/federation/statement/validate-statement.ts';
import { validateTrustChain } from '../../src/federation/trust-chain/validate-trust-chain.ts';
import type { ResolvedIssuer } from '../../src/resolver/trust-marks.ts';
import { type Claims, LIFETIME_SECONDS, type TestFederation } from './federation.ts';
import type { CannedResponse, FederationServer } from './federation-server.ts';
import type { Tampering } from './keys.ts';

/** A type that `issuer` gives out, and one that `owner` owns and `issuer` gives out. */
export const MEMBER = 'https://anchor.example/marks/member';
export const AUDITED = 'https://owner.example/marks/audited';

/** What a Trust Anchor lists: issuers and owners by the names of their entities. */
export interface Recognition {
  issuers?: Record<string, string[]>;
  owners?: Record<string, string>;
}

/**
 * Lets an entity list types with issuers and owners, in place of what it listed before.
 * @example recognise(federation, { issuers: { [MEMBER]: ['issuer'] } });
 */
export function recognise(federation: TestFederation, { issuers, owners }: Recognition, anchor = 'anchor'): void {
  const entity = federation.entity(anchor);
  entity.claims = {
    ...entity.claims,
    trust_mark_issuers: issuers && mapValues(issuers, (names) => names.map((name) => federation.id(name))),
    trust_mark_owners:
      owners && mapValues(owners, (name) => ({ sub: federation.id(name), jwks: federation.jwks(name) })),
  };
}

function mapValues<T, R>(record: Record<string, T>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** A mark as an issuer signs it, for an hour. */
export function trustMark(
  federation: TestFederation,
  issuer: string,
  bearer: string,
  type: string = MEMBER,
  tampering?: Tampering,
): Promise<string> {
  return federation.sign(issuer, TYP.trustMark, signedNow(federation, issuer, bearer, type), tampering);
}

/** The delegation of a type by its owner to an issuer, for an hour. */
export function delegation(
  federation: TestFederation,
  owner: string,
  issuer: string,
  type: string = AUDITED,
  tampering?: Tampering,
): Promise<string> {
  return federation.sign(owner, TYP.trustMarkDelegation, signedNow(federation, owner, issuer, type), tampering);
}

function signedNow(federation: TestFederation, iss: string, sub: string, trustMarkType: string): Claims {
  const iat = federation.clock.now();
  const claims = { iss: federation.id(iss), sub: federation.id(sub), iat, exp: iat + LIFETIME_SECONDS };
  return { ...claims, trust_mark_type: trustMarkType };
}

/** What an issuer answers about a mark at its status endpoint. */
export function statusAnswer(
  federation: TestFederation,
  issuer: string,
  mark: string,
  status = 'active',
  tampering?: Tampering,
): Promise<string> {
  const claims = { iss: federation.id(issuer), iat: federation.clock.now(), trust_mark: mark, status };
  return federation.sign(issuer, TYP.trustMarkStatusResponse, claims, tampering);
}

/** Lets an entity show marks, each beside a type. */
export function bear(federation: TestFederation, bearer: string, ...entries: TrustMarkEntry[]): void {
  const entity = federation.entity(bearer);
  entity.claims = { ...entity.claims, trust_marks: entries };
}

export function entry(trustMarkJwt: string, type: string = MEMBER): TrustMarkEntry {
  return { trust_mark_type: type, trust_mark: trustMarkJwt };
}

/** The entity's Entity Configuration, parsed. */
export async function configurationOf(federation: TestFederation, name: string): Promise<EntityStatement> {
  return parseEntityStatement(await federation.configuration(name));
}

/** Runs a step and gives `reason at place (section)` of its refusal, or `accepted`. */
export async function verdictOf(step: () => unknown): Promise<string> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return `${error.reason} at ${error.at} (${error.section})`;
  }
  return 'accepted';
}

/** An identifier that no entity of any federation has. */
export const NOBODY = 'https://nobody.example' as EntityIdentifier;

/** Where an issuer of a federation on loopback answers for the status of its marks. */
export function statusUrl(server: FederationServer, issuer: string): string {
  return `${server.federation.id(issuer)}/status`;
}

/** Metadata that offers `statusUrl`. */
export function statusMetadata(identifier: string): Record<string, object> {
  return { federation_entity: { federation_trust_mark_status_endpoint: `${identifier}/status` } };
}

/** What a status endpoint was asked: the media type of the form and the form itself. */
export interface StatusQuestion {
  method: string;
  contentType: string;
  accept: string;
  form: string;
}

/**
 * Answers at an issuer's status endpoint, whatever is asked, and records it.
 * @param answer makes the answer; what is not named is that of a regular one
 */
export function serveStatus(
  server: FederationServer,
  issuer: string,
  answer: (trustMarkJwt: string) => CannedResponse | Promise<CannedResponse>,
): StatusQuestion[] {
  const questions: StatusQuestion[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = await text(request);
    const { 'content-type': contentType = '', accept = '' } = request.headers;
    questions.push({ method: request.method ?? '', contentType, accept, form });
    const { status = 200, headers, body = '' } = await answer(new URLSearchParams(form).get('trust_mark') ?? '');
    response.writeHead(status, headers ?? { 'Content-Type': MEDIA_TYPE.trustMarkStatusResponse });
    response.end(body);
  };
  server.override(statusUrl(server, issuer), (request, response) => {
    respond(request, response).catch((error: Error) => response.destroy(error));
  });
  return questions;
}

/**
 * Resolves issuers by real chains that need no network: the names above each issuer, the Trust Anchor last.
 * @param asked gets the name of each issuer asked for
 */
export function chainsOf(
  federation: TestFederation,
  ways: Record<string, string[]>,
  asked: string[] = [],
): (issuer: EntityIdentifier) => Promise<ResolvedIssuer | FederationError> {
  const validation = federation.validation('anchor');
  return async (issuer) => {
    const name = federation.entities.find(({ identifier }) => identifier === issuer)?.name ?? issuer;
    asked.push(name);
    const way = ways[name];
    if (way === undefined) return new FederationError('entity_not_found', `there is no ${name}`);
    const { statements, expiresAt } = await validateTrustChain(await federation.chain(name, ...way), validation);
    const [configuration] = statements;
    if (configuration === undefined) throw new Error('a valid chain has a first statement');
    return { configuration, expiresAt };
  };
}
