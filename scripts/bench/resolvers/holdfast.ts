/** Resolutions by this project: connections are kept as the others keep theirs, statements and outcomes are not. */
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import type { Clock } from '../../../src/federation/time.ts';
import { parseOutboundAllow } from '../../../src/outbound/address-rules.ts';
import { createOutboundClient } from '../../../src/outbound/outbound-client.ts';
import { createResolver } from '../../../src/resolver/resolver.ts';
import { StatementCache } from '../../../src/resolver/statement-cache.ts';
import type { ColdResolve, ResolvePlan } from './resolve-plan.ts';

const clock: Clock = { now: () => Math.floor(Date.now() / 1000) };

export function createColdResolve({ subject, trustAnchor, jwks }: ResolvePlan): ColdResolve {
  const outbound = createOutboundClient({
    allow: parseOutboundAllow('127.0.0.0/8'),
    allowHttp: false,
    userAgent: 'holdfast-bench',
  });
  const trustAnchors = new Map([[trustAnchor as EntityIdentifier, jwks]]);
  return async () => {
    const resolver = createResolver({ outbound, clock, cache: new StatementCache({ clock }) });
    const outcome = await resolver.resolve({ subject: subject as EntityIdentifier, trustAnchors });
    if ('attempts' in outcome) throw new Error(outcome.attempts.map(({ message }) => message).join('; '));
  };
}
