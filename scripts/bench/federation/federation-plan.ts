/** What a federation of the bench consists of, and what its process is told and tells back. */
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import type { Claims } from '../../../test/support/federation.ts';

export interface FederationPlan {
  /** By names of the bench's own. */
  entities: Record<string, EntityPlan>;
  /** A server, and so a host and port, for each entity; one for all of them otherwise. */
  isServerPerEntity: boolean;
  /** Every answer comes so much later. */
  delayMs?: number;
  /** For how long answers say that they are fresh. */
  maxAgeSeconds?: number;
}

export interface EntityPlan {
  /**
   * Names of its Immediate Superiors, or identifiers of those elsewhere, each with the claims that it adds to its
   * Subordinate Statement about the entity.
   */
  superiors?: Record<string, Claims>;
  isRelyingParty?: boolean;
}

export type FederationCommand =
  | { kind: 'publish'; plan: FederationPlan }
  /** A text of its own at a path, on every server. */
  | { kind: 'publish-text'; path: string; text: string }
  | { kind: 'count' };

export interface PublishedEntity {
  identifier: string;
  jwks: JwkSet;
}

export type FederationReply =
  | { kind: 'published'; entities: Record<string, PublishedEntity> }
  | { kind: 'text-published' }
  /** Requests for each statement since it was published; those for nothing that exists are named by their URL. */
  | { kind: 'counted'; requests: Record<string, number> }
  | { kind: 'failed'; message: string };
