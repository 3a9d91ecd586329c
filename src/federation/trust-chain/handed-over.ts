/** Trust Chains that somebody hands over: in a JOSE header or as a body. Nothing in them is trusted yet. @see OIDFED §4.3, §4.4 */
import { FederationError } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import { type JsonObject, parseJson } from '../json.ts';
import { decodeJwt, type JoseHeader } from '../signature.ts';
import { MAX_CHAIN_LENGTH, type TrustAnchors } from './trust-chain.ts';

/** Reads a body of media type `application/trust-chain+json`. @throws FederationError json_*, trust_chain_malformed */
export function parseTrustChain(text: string): string[] {
  return chainOf(parseJson(text), '');
}

export interface TrustChainHeaders {
  trustChain?: string[];
  peerTrustChain?: string[];
}

/**
 * Takes the chains from the header of a JWT that may carry them. Each is still to be validated (§12.1.1.1.2).
 * @param issuer of the JWT: `trust_chain` begins with its Entity Configuration
 * @throws FederationError trust_chain_malformed, subject_mismatch, header_parameter_forbidden, trust_anchor_unknown and
 *   those of a JWT
 */
export function trustChainsIn(
  header: JoseHeader,
  { issuer, trustAnchors }: { issuer: EntityIdentifier; trustAnchors: Pick<TrustAnchors, 'has'> },
): TrustChainHeaders {
  const trustChain = chainIn(header, 'trust_chain');
  const peerTrustChain = chainIn(header, 'peer_trust_chain');
  if (trustChain === undefined) {
    if (peerTrustChain === undefined) return {};
    const message = 'is accepted beside a trust_chain header only';
    throw new FederationError('header_parameter_forbidden', message, 'header/peer_trust_chain');
  }
  if (claimsAt(trustChain, 0, 'header/trust_chain')['sub'] !== issuer) {
    const message = `must begin with the Entity Configuration of ${issuer}`;
    throw new FederationError('subject_mismatch', message, 'header/trust_chain');
  }
  const trustAnchor = trustAnchorOf(trustChain, 'header/trust_chain');
  if (!trustAnchors.has(trustAnchor as EntityIdentifier)) {
    const message = `ends at ${trustAnchor}, which is no configured Trust Anchor`;
    throw new FederationError('trust_anchor_unknown', message, 'header/trust_chain');
  }
  if (peerTrustChain === undefined) return { trustChain };
  if (trustAnchorOf(peerTrustChain, 'header/peer_trust_chain') !== trustAnchor) {
    const message = 'must end at the same Trust Anchor as trust_chain';
    throw new FederationError('trust_chain_malformed', message, 'header/peer_trust_chain');
  }
  return { trustChain, peerTrustChain };
}

function chainIn(header: JoseHeader, parameter: 'trust_chain' | 'peer_trust_chain'): string[] | undefined {
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
