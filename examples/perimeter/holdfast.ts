/** What an authorization server asks Holdfast: who a client is, and whether it may come in now. */
// Elsewhere: from 'holdfast/resolver'.
import { createResolver, FederationError, type Resolver, type TrustAnchor } from '../../src/resolver/library.ts';
import type { ClientMetadata, Registry } from './authorization-server.ts';
import { Refusal } from './refusal.ts';

export interface HoldfastSettings {
  /** Of the service. */
  url: string;
  /** Of this authorization server as an enforcement point, `hfep_…`. */
  enforcementPointToken: string;
  /** With the keys that were compared out of band. */
  trustAnchor: TrustAnchor;
  /** Hosts of partners that may be contacted although they are not public. */
  allow?: string;
}

interface Decision {
  decision: 'allow' | 'deny';
  /** Why not. */
  reasons: readonly string[];
}

const TIMEOUT_MS = 2000;

export class Holdfast implements Registry {
  readonly #settings: HoldfastSettings;
  readonly #resolver: Resolver;

  constructor(settings: HoldfastSettings) {
    this.#settings = settings;
    this.#resolver = createResolver({ trustAnchors: [settings.trustAnchor], allow: settings.allow });
  }

  /**
   * Metadata by a Trust Chain that was verified here, from the partner's own statement to the pinned key. It may come
   * from the resolver's cache: whether the client may still come in is not asked here.
   */
  async findClient(entityId: string): Promise<ClientMetadata | undefined> {
    const outcome = await this.#resolver.resolve(entityId).catch((error: unknown) => {
      if (error instanceof FederationError) throw new Refusal(`not resolved: ${error.reason}`);
      throw error;
    });
    if ('resolved' in outcome) return outcome.resolved.metadata['oauth_client'];
    throw new Refusal(`not resolved: ${outcome.attempts.map(({ reason }) => reason).join(', ')}`);
  }

  /** Asks now, each time, and remembers nothing. No answer is a no. */
  async requireAdmission({ entityId, x5tS256 }: { entityId: string; x5tS256: string }): Promise<void> {
    const { decision, reasons } = await this.#decision({ 'x5t#S256': x5tS256, entityId });
    if (decision !== 'allow') throw new Refusal(`not admitted: ${reasons.join(', ')}`);
  }

  async #decision(question: object): Promise<Decision> {
    const { url, enforcementPointToken } = this.#settings;
    try {
      const response = await fetch(new URL('/api/v1/admission', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'holdfast-enforcement-point': enforcementPointToken },
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer: unknown = await response.json();
      if (!response.ok) return { decision: 'deny', reasons: [`admission_answered_${response.status}`] };
      if (isDecision(answer)) return answer;
    } catch {
      // Nobody there, or no JSON.
    }
    return { decision: 'deny', reasons: ['admission_unavailable'] };
  }
}

function isDecision(answer: unknown): answer is Decision {
  const isObject = typeof answer === 'object' && answer !== null && 'decision' in answer && 'reasons' in answer;
  return isObject && Array.isArray(answer.reasons);
}
