/** What a resolver process is told, and what it tells back. */
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import type { Run } from '../rounds.ts';

export interface ResolvePlan {
  resolver: ResolverName;
  subject: string;
  trustAnchor: string;
  /** Keys to pin for the Trust Anchor, for those that pin any. */
  jwks: JwkSet;
}

export type ResolverName = 'holdfast' | PeerName;
/** As npm knows them. */
export type PeerName = '@openid-federation/core' | '@sphereon/openid-federation-client';

export type ResolveCommand =
  | { kind: 'plan'; plan: ResolvePlan }
  /** Over and over, so many at a time. */
  | { kind: 'run'; seconds: number; concurrency: number };

export type ResolveReply =
  | { kind: 'planned' }
  /** It works, but this subject does not resolve with it. */
  | { kind: 'unresolved'; message: string }
  | { kind: 'measured'; run: Run }
  | { kind: 'failed'; message: string };

/** One full resolution that knows nothing beforehand. @throws whatever keeps the subject from being resolved */
export type ColdResolve = () => Promise<void>;
