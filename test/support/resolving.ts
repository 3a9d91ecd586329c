/** Resolves entities of a published test federation, and tells the outcome by names. */
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { Attempt } from '../../src/federation/trust-chain/attempt.ts';
import type { Resolution } from '../../src/resolver/resolution.ts';
import { createResolver, type ResolverOptions } from '../../src/resolver/resolver.ts';
import { ManualClock } from './federation.ts';
import type { FederationServer } from './federation-server.ts';

/** Either kind of outcome, so that tests can look at both without asking which it is. */
export interface Outcome {
  resolved?: Resolution;
  attempts?: Attempt[];
  requests?: number;
}

export interface ResolveOptions extends Omit<ResolverOptions, 'clock'> {
  /** Names of the configured Trust Anchors, `anchor` by default. */
  anchors?: string[];
}

/** @example const { resolved } = await resolveFrom(server, 'op', { outbound }); */
export function resolveFrom(
  server: FederationServer,
  subject: string,
  { anchors = ['anchor'], ...options }: ResolveOptions,
): Promise<Outcome> {
  const resolver = createResolver({ clock: new ManualClock(), ...options });
  const { federation } = server;
  return resolver.resolve({ subject: federation.id(subject), trustAnchors: federation.trustAnchors(...anchors) });
}

/** Identifiers as the names of this federation: `op lower anchor`. */
export function names(server: FederationServer, identifiers: readonly EntityIdentifier[]): string {
  const known = new Map(server.federation.entities.map(({ identifier, name }) => [identifier, name]));
  return identifiers.map((identifier) => known.get(identifier) ?? identifier).join(' ');
}

/** Attempts as `op anchor: subject_not_active at Subordinate Statement`. */
export function ends(server: FederationServer, { attempts = [] }: Outcome): string[] {
  return attempts.map(({ chain, reason, at }) => `${names(server, chain)}: ${reason} at ${at}`);
}
