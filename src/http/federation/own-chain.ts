/** The chain of the authority that answers, for the header of its resolve responses. @see OIDFED §4.3, §8.3.2 */
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import type { Resolution } from '../../resolver/resolution.ts';
import type { BackgroundEvaluations } from './background-evaluations.ts';
import type { ResolutionRequest, Resolutions } from './resolutions.ts';

export interface OwnChainOptions {
  resolutions: Pick<Resolutions, 'peek' | 'resolve'>;
  background: Pick<BackgroundEvaluations, 'knownRefusal' | 'enqueue' | 'remember' | 'generation'>;
  directory: AuthorityDirectory;
}

/**
 * The authority's own resolution towards a Trust Anchor, as far as it is known already or follows from our own records.
 * Where others would have to be asked, that happens in the background, for later answers.
 * @param request how the authority resolved the subject; `trustAnchor` is one of its Trust Anchors
 */
export function ownResolution(
  served: ServedAuthority,
  request: ResolutionRequest,
  trustAnchor: EntityIdentifier,
  { resolutions, background, directory }: OwnChainOptions,
): Resolution | undefined | Promise<Resolution | undefined> {
  const subject = served.authority.entityIdentifier as EntityIdentifier;
  const jwks = request.trustAnchors.get(trustAnchor);
  if (subject === trustAnchor || jwks === undefined) return undefined;
  const own: ResolutionRequest = { scope: request.scope, subject, trustAnchors: new Map([[trustAnchor, jwks]]) };
  const ready = resolutions.peek(own);
  if (ready !== undefined || background.knownRefusal(own) !== undefined) return ready;
  if (hasOwnSuperiorsOnly(served, directory)) return resolved();
  background.enqueue(own);
  return undefined;

  /** The answer does without the header rather than fail for it. */
  async function resolved(): Promise<Resolution | undefined> {
    try {
      const { generation } = background;
      const outcome = await resolutions.resolve(own);
      if (generation === background.generation) background.remember(own, outcome);
      return 'resolved' in outcome ? outcome.resolved : undefined;
    } catch (error) {
      if (error instanceof FederationError) return undefined;
      throw error;
    }
  }
}

/** Whether everything above it is ours, so that its chains are put together without a request to others. */
function hasOwnSuperiorsOnly(served: ServedAuthority, directory: AuthorityDirectory): boolean {
  const seen = new Set<ServedAuthority>();
  const pending = [served];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const hint of next.authority.authorityHints) {
      const superior = directory.find(hint);
      if (superior === undefined) return false;
      pending.push(superior);
    }
  }
  return true;
}
