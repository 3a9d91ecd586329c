/** Trust Chains that somebody hands over: in a JOSE header or as a body. Nothing in them is trusted yet. @see OIDFED §4.3, §4.4 */
import { FederationError } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import { type JsonObject, parseJson } from '../json.ts';
import { decodeJwt, type JoseHeader } from '../signature.ts';
import { MAX_CHAIN_LENGTH, type TrustAnchors, type TrustChain } from './trust-chain.ts';
import { type TrustChainOptions, validateTrustChain } from './validate-trust-chain.ts';

/** Reads a body of media type `application/trust-chain+json`. @throws FederationError json_*, trust_chain_malformed */
export function parseTrustChain(text: string): string[] {
  return chainOf(parseJson(text), '');
}

export interface TrustChainHeaders {
  trustChain?: string[];
  peerTrustChain?: string[];
}

/** What a JWT's header is read by. */
export interface HandedOverContext {
  /** Who issued the JWT: `trust_chain` begins with its Entity Configuration. */
  issuer: EntityIdentifier;
  /**
   * Whom the issuer establishes trust with, as a rule the reader itself: `peer_trust_chain` begins with its Entity
   * Configuration. Without it no such chain is accepted.
   */
  peer?: EntityIdentifier;
  trustAnchors: Pick<TrustAnchors, 'has'>;
}

/**
 * Takes the chains from the header of a JWT that may carry them, and checks whom they are about and that both end at
 * one configured Trust Anchor. No signature is looked at: see {@link validateTrustChainsIn}.
 * @throws FederationError trust_chain_malformed, not_entity_configuration, subject_mismatch, header_parameter_forbidden,
 *   trust_anchor_unknown and those of a JWT, at `header/trust_chain` or `header/peer_trust_chain`
 * @see OIDFED §3.2, §4.3, §4.4, §12.1.1.1
 */
export function trustChainsIn(
  header: JoseHeader,
  { issuer, peer, trustAnchors }: HandedOverContext,
): TrustChainHeaders {
  const trustChain = chainIn(header, OWN);
  const peerTrustChain = chainIn(header, PEER);
  if (trustChain === undefined) {
    if (peerTrustChain !== undefined) throw forbiddenPeer('is accepted beside a trust_chain header only');
    return {};
  }
  checkBeginning(trustChain, issuer, { at: `header/${OWN}`, section: '3.2' });
  const trustAnchor = trustAnchorOf(trustChain, `header/${OWN}`);
  if (!trustAnchors.has(trustAnchor as EntityIdentifier)) {
    const message = `ends at ${trustAnchor}, which is no configured Trust Anchor`;
    throw new FederationError('trust_anchor_unknown', message, `header/${OWN}`);
  }
  if (peerTrustChain === undefined) return { trustChain };
  if (peer === undefined) throw forbiddenPeer('is accepted only where it is known whom it is to be about');
  checkBeginning(peerTrustChain, peer, { at: `header/${PEER}`, section: '4.4' });
  if (trustAnchorOf(peerTrustChain, `header/${PEER}`) !== trustAnchor) {
    const message = `must end at the Trust Anchor that trust_chain ends at, ${trustAnchor}`;
    throw new FederationError('trust_chain_malformed', message, `header/${PEER}`, { section: '4.4' });
  }
  return { trustChain, peerTrustChain };
}

/** The chains of a header, validated. */
export interface ValidatedTrustChainHeaders {
  /** From the issuer of the JWT. */
  trustChain?: TrustChain;
  /** From the peer to the same Trust Anchor. */
  peerTrustChain?: TrustChain;
}

/**
 * The same, and validates each chain in full, as one that was fetched (§12.1.1.1.2). It says nothing about the JWT
 * itself: that is to be verified with the keys that `trustChain` leads to.
 * @example
 * const { trustChain } = await validateTrustChainsIn(header, { issuer, peer: ourselves, now, trustAnchors });
 * @throws FederationError as {@link trustChainsIn} and validateTrustChain, at such as `header/trust_chain ES[1] /exp`
 * @see OIDFED §4.3, §4.4, §10.2
 */
export async function validateTrustChainsIn(
  header: JoseHeader,
  { issuer, peer, ...options }: TrustChainOptions & Pick<HandedOverContext, 'issuer' | 'peer'>,
): Promise<ValidatedTrustChainHeaders> {
  const { trustChain, peerTrustChain } = trustChainsIn(header, { issuer, peer, trustAnchors: options.trustAnchors });
  return {
    ...(trustChain === undefined ? {} : { trustChain: await validatedChain(trustChain, OWN, options) }),
    ...(peerTrustChain === undefined ? {} : { peerTrustChain: await validatedChain(peerTrustChain, PEER, options) }),
  };
}

const OWN = 'trust_chain';
const PEER = 'peer_trust_chain';

async function validatedChain(
  chain: readonly string[],
  parameter: string,
  options: TrustChainOptions,
): Promise<TrustChain> {
  try {
    return await validateTrustChain(chain, options);
  } catch (error) {
    throw error instanceof FederationError ? error.within(`header/${parameter}`) : error;
  }
}

function forbiddenPeer(message: string): FederationError {
  return new FederationError('header_parameter_forbidden', message, `header/${PEER}`, { section: '4.4' });
}

/** The first statement is what the entity says about itself; what a superior says about it comes second. */
function checkBeginning(
  chain: readonly string[],
  entity: EntityIdentifier,
  { at, section }: { at: string; section: string },
): void {
  const { iss, sub } = claimsAt(chain, 0, at);
  if (iss === entity && sub === entity) return;
  const reason = sub === entity ? 'not_entity_configuration' : 'subject_mismatch';
  throw new FederationError(reason, `must begin with the Entity Configuration of ${entity}`, at, { section });
}

function chainIn(header: JoseHeader, parameter: typeof OWN | typeof PEER): string[] | undefined {
  return Object.hasOwn(header, parameter) ? chainOf(header[parameter], `header/${parameter}`) : undefined;
}

function chainOf(value: unknown, at: string): string[] {
  const isChain =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_CHAIN_LENGTH &&
    value.every((member) => typeof member === 'string');
  if (isChain) return value;
  throw new FederationError('trust_chain_malformed', `must be an array of 1 to ${MAX_CHAIN_LENGTH} JWTs`, at);
}

/** The issuer of the topmost statement: the Trust Anchor, whether its own configuration is there or not. */
function trustAnchorOf(chain: readonly string[], at: string): string {
  return String(claimsAt(chain, chain.length - 1, at)['iss']);
}

function claimsAt(chain: readonly string[], index: number, at: string): JsonObject {
  try {
    return decodeJwt(chain[index]).claims;
  } catch (error) {
    throw error instanceof FederationError ? error.within(`${at} ES[${index}]`) : error;
  }
}
